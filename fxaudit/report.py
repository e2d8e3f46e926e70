"""The report as its users hold it: the answer of an audit, and the forms it can be given.

Everything it says is in `Answer`; here are the conveniences that need a renderer, each imported when it is called.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxaudit.answer.answer import Answer
from fxaudit.answer.differences import difference
from fxaudit.answer.document import from_text, to_text
from fxaudit.answer.picture_data import networkx_graph

if TYPE_CHECKING:
    import graphviz
    import networkx

    from fxaudit.answer.differences import Difference

__all__ = ["Report"]


@dataclass(frozen=True, repr=False)
class Report(Answer):
    """The answer of an audit: a verdict for every parameter, and a finding for every cause.

    Iterating gives the parameter reports; `report["encoder.weight"]` is one of them. Printing, saving and drawing it
    change nothing.
    """

    @classmethod
    def of(cls, answer: Answer) -> Report:
        """`answer` with its forms."""
        return cls(**{item.name: getattr(answer, item.name) for item in fields(Answer)})

    @property
    def graph(self) -> networkx.MultiDiGraph:
        """The audited step as a `networkx` multigraph, edges from parameter to loss; built anew at each call."""
        return networkx_graph(self.graph_data)

    def draw(
        self,
        parameter: str | None = None,
        view: str = "modules",
        *,
        depth: int | None = None,
        root: str | None = None,
    ) -> graphviz.Digraph:
        """A picture of the report: `view` is `modules`, `operations`, `autograd` or `why` (default for a parameter)."""
        from fxaudit.renderers.picture.draw import draw

        return draw(self, parameter=parameter, view=view, depth=depth, root=root)

    def save(self, path: str | Path) -> Path:
        """Write the report to `path`; the suffix picks the format. Nothing is left half written.

        Raises:
            UnknownFormatError: The suffix names no format.
            UnwritableOutputError: The file cannot be written.
        """
        from fxaudit.renderers import save

        return save(self, path)

    def diff(self, other: Report) -> Difference:
        """What changed from this report to `other`."""

        return difference(self, other)

    def __rich__(self) -> Any:
        from fxaudit.renderers.text.terminal import to_rich

        return to_rich(self)

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {verdict}" for verdict, count in self.verdicts().items())
        return f"<fxaudit.Report {self.title or 'report'}: {counts or 'no parameters'}; {len(self.findings)} findings>"

    def __str__(self) -> str:
        from fxaudit.renderers.text.terminal import render

        return render(self)

    def _repr_html_(self) -> str:
        from fxaudit.renderers.html.markup import fragment

        return fragment(self)

    def to_json(self, indent: int | None = None) -> str:
        """The report as JSON text; `fxaudit/schema.json` describes it."""
        return to_text(self, indent)

    @classmethod
    def from_json(cls, text: str) -> Report:
        """The report that `to_json` wrote. Runs no code and needs no torch.

        Raises:
            InvalidReportError: The text is no report, or one of another schema version.
        """
        return cls.of(from_text(text))
