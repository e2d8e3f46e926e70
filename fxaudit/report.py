"""The report as its users hold it: the answer of an audit, and the forms it can be given.

Everything it says is in `Answer`; here are the conveniences that need a renderer, each imported when it is called.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxaudit.answer.answer import Answer
from fxaudit.answer.differences import difference
from fxaudit.answer.document import from_text, to_text
from fxaudit.answer.graph_questions import bottleneck, comparison, paths, trained_by
from fxaudit.answer.networkx_face import networkx_graph
from fxaudit.capture.collector import collector_paused

if TYPE_CHECKING:
    import graphviz
    import networkx

    from fxaudit.answer.differences import Difference
    from fxaudit.answer.graph_nodes import GradFnNode, LossNode, OpNode
    from fxaudit.answer.graph_questions import GraphComparison, GraphPath

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
        """The audited step as a `networkx` multigraph, edges from parameter to loss; built anew at each call.

        Its nodes are those of `fxaudit.graph`. The keys of its edges say what they are: `data` and `python` (the way of
        a value), `grad` (the way of a gradient, along `next_functions` between autograd nodes), `holds` (param group
        and parameter), `made` (an operation and its `grad_fn`), `traced` (a node of the symbolic trace and its
        operation). Nodes carry `receives_gradient`, edges `cut` and the `finding` that tells of the cut. A report read
        from JSON has the same graph. `graph.graph["left_out"]` says what was too much to be kept.
        """
        with collector_paused():
            return networkx_graph(self)

    def paths(self, name: str) -> tuple[GraphPath, ...]:
        """The ways of the parameter `name` to the losses: the shortest to each loss that sends it gradient, then one
        for each place where gradient ends; where no loss reads it, how far its value goes.

        Raises:
            UnknownParameterError: The report lists no such parameter.
        """
        return paths(self, name)

    def bottleneck(self, names: str | Iterable[str]) -> tuple[OpNode, ...]:
        """The operations that all gradient to `names` passes, whatever way it takes; the nearest to them first.

        Args:
            names: A parameter, a module, or a pattern as in `fnmatch`; or several. Those that get no gradient do not
                count.

        Raises:
            UnknownParameterError: A name fits no parameter.
        """
        return bottleneck(self, names)

    def trained_by(self, loss: str | LossNode | OpNode | GradFnNode) -> tuple[str, ...]:
        """The names of the parameters to which `loss` sends gradient.

        Args:
            loss: A node of the graph, or a name: that of a loss, else of the variable that the program keeps a term of
                the loss in.

        Raises:
            UnknownLossError: There is none.
        """
        return trained_by(self, loss)

    def compare(self, other: Report) -> GraphComparison:
        """How the graph of `other` differs from this one: operations, cuts, and what gets gradient."""
        return comparison(self, other)

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

    def card(self, path: str | Path) -> Path:
        """Write a picture for sharing, 1200 × 630: the verdict, the line to blame, and the way or the film of it.

        Args:
            path: An `.svg` or a `.png` file.

        Raises:
            UnknownFormatError: The suffix is another one.
            PictureError: No Graphviz on this machine can write a PNG.
            UnwritableOutputError: The file cannot be written.
        """
        from fxaudit.renderers import save_card

        return save_card(self, path)

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
        found = f"{len(self.findings)} finding{'s' * (len(self.findings) != 1)}"
        loud = [finding for finding in self.findings if finding.level != "note"]
        for finding in loud[:1]:  # what `assert report.ok, report` shows in a test
            found += f", {finding.code} {finding.message}" + (f" ({finding.culprit})" if finding.culprit else "")
        return f"<fxaudit.Report {self.title or 'report'}: {counts or 'no parameters'}; {found}>"

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
