"""Why a derivative is exactly zero or not finite, in one true sentence with the numbers seen.

`FAMILIES` lists the families of operations, one file each. **To add one**, write a function from a `Derivative` to a
`Fact` or None, with examples, and append it here; its tests follow from the examples.
"""

from fxaudit.capture.facts.activations import ACTIVATIONS
from fxaudit.capture.facts.fact import Derivative, Fact, FactExample, Family, fact_of
from fxaudit.capture.facts.losses import LOSSES
from fxaudit.capture.facts.norms import NORMS
from fxaudit.capture.facts.precision import PRECISION
from fxaudit.capture.facts.products import PRODUCTS, zero_in_part
from fxaudit.capture.facts.scaled_sums import SCALED_SUMS
from fxaudit.capture.facts.selections import SELECTIONS
from fxaudit.capture.facts.singular import SINGULAR
from fxaudit.capture.facts.softmax import SOFTMAX
from fxaudit.capture.facts.steps import STEPS

__all__ = ["FAMILIES", "SINGULAR", "Derivative", "Fact", "FactExample", "Family", "fact_of", "zero_in_part"]

FAMILIES: tuple[Family, ...] = (
    STEPS,
    ACTIVATIONS,
    SOFTMAX,
    LOSSES,
    PRODUCTS,
    SCALED_SUMS,
    SELECTIONS,
    NORMS,
    PRECISION,
    SINGULAR,
)
