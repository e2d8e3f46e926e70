"""Every sentence about a derivative is true: of the examples, and of random numbers."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fxaudit.capture.facts import FAMILIES, Fact, FactExample, Family, fact_of

EXAMPLES = [(family, example) for family in FAMILIES for example in family.examples]


def facts_seen(loss: torch.Tensor) -> list[tuple[str, Fact | None]]:
    """(state, fact) for each gradient that became zero, or stopped being finite, in the real backward of `loss`."""
    seen: list[tuple[str, Fact | None]] = []

    def watch(node: Any) -> None:
        def look(outgoing: Any, incoming: Any) -> None:
            if not all(bool(torch.isfinite(g).all()) and bool(g.any()) for g in incoming if g is not None):
                return
            for position, gradient in enumerate(outgoing):
                if gradient is not None and not bool(gradient.any()):
                    seen.append(("zero", fact_of(FAMILIES, node, position, incoming, outgoing, "zero")))
                elif gradient is not None and not bool(torch.isfinite(gradient).all()):
                    seen.append(("nonfinite", fact_of(FAMILIES, node, position, incoming, outgoing, "nonfinite")))

        node.register_hook(look)

    queue, known = [loss.grad_fn], set()
    while queue:
        node = queue.pop()
        if node is None or node in known:
            continue
        known.add(node)
        watch(node)
        queue.extend(following for following, _ in node.next_functions)
    loss.backward()
    return seen


@pytest.mark.parametrize(("family", "example"), EXAMPLES, ids=[example.sentence for _, example in EXAMPLES])
def test_an_example_shows_its_fact(family: Family, example: FactExample) -> None:
    assert family.gradient == example.gradient
    leaf, loss = example.make()
    said = [fact.sentence for state, fact in facts_seen(loss) if state == example.gradient and fact is not None]
    assert example.sentence in said
    assert leaf.grad is not None
    finite = bool(torch.isfinite(leaf.grad).all())
    assert finite != (example.gradient == "nonfinite")
    assert example.gradient == "nonfinite" or not bool(leaf.grad.any()), "the gradient is zero, as the fact says"


def test_a_node_that_has_freed_what_it_kept_has_no_fact() -> None:
    leaf = torch.zeros(3, requires_grad=True)
    loss = (leaf * torch.zeros(3)).sum()
    node = loss.grad_fn.next_functions[0][0]  # type: ignore[union-attr]
    loss.backward()
    assert fact_of(FAMILIES, node, 0, (torch.ones(3),), (torch.zeros(3),), "zero") is None


def test_the_name_of_the_operation_is_filled_in() -> None:
    assert Fact("the other factor of {operation} is 0").of("linear").sentence == "the other factor of `linear` is 0"
