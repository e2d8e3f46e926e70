"""Pictures of a report, through Graphviz, with or without a `dot` binary."""

from __future__ import annotations

from fxaudit.answer.answer import Answer
from fxaudit.answer.finding import LEVELS
from fxaudit.errors import PictureError, UnknownFormatError
from fxaudit.renderers.picture.engine import Picture, lay_out
from fxaudit.renderers.picture.graphs import draw_autograd, draw_operations
from fxaudit.renderers.picture.modules import draw_modules
from fxaudit.renderers.picture.why import draw_finding, draw_why

__all__ = ["VIEWS", "Picture", "dot", "draw", "pdf", "png", "svg"]

VIEWS = ("modules", "why", "operations", "autograd")


def draw(
    report: Answer,
    *,
    parameter: str | None = None,
    view: str = "modules",
    depth: int | None = None,
    root: str | None = None,
) -> Picture:
    """A picture of `report`: a `graphviz.Digraph` that also displays itself where Graphviz is not installed.

    Args:
        report: The report to draw.
        parameter: A name in the report: its way to the loss (view `why`), or, in the views `operations` and
            `autograd`, only what it flows into.
        view: `modules`, `why`, `operations` or `autograd`. Without a parameter, `why` shows the loudest finding.
        depth: How many levels of modules to open; chosen by size when None. The view `why` has no levels.
        root: A module's name, to draw only what is inside it. The view `why` has none.

    Raises:
        UnknownParameterError: The report lists no such parameter, or no such module.
        UnknownFormatError: There is no such view.
        PictureError: The view needs a parameter, and no finding stands in for one.
    """
    if view not in VIEWS:
        raise UnknownFormatError(f"There is no view {view!r}; the views are {', '.join(map(repr, VIEWS))}.")
    if depth is not None and depth < 0:
        raise PictureError(f"depth counts levels of modules: {depth} is negative.")
    if view == "operations":
        return draw_operations(report, parameter=parameter, depth=depth, root=root)
    if view == "autograd":
        return draw_autograd(report, parameter=parameter, depth=depth, root=root)
    if parameter is not None:
        return draw_why(report, parameter)
    if view == "modules":
        return draw_modules(report, depth=depth, root=root)
    loudest = sorted(report.findings, key=lambda finding: LEVELS.index(finding.level))
    if not loudest:
        raise PictureError("The view 'why' needs parameter='a.name': the report has no finding to show instead.")
    return draw_finding(report, loudest[0])


def dot(
    report: Answer,
    *,
    parameter: str | None = None,
    view: str = "modules",
    depth: int | None = None,
    root: str | None = None,
) -> str:
    """The picture as DOT text; the arguments are those of `draw`."""
    source: str = draw(report, parameter=parameter, view=view, depth=depth, root=root).source
    return source


def svg(
    report: Answer,
    *,
    parameter: str | None = None,
    view: str = "modules",
    depth: int | None = None,
    root: str | None = None,
) -> str:
    """The picture as an SVG document; the arguments are those of `draw`."""
    return draw(report, parameter=parameter, view=view, depth=depth, root=root).svg()


def png(
    report: Answer,
    *,
    parameter: str | None = None,
    view: str = "modules",
    depth: int | None = None,
    root: str | None = None,
) -> bytes:
    """The picture as a PNG bitmap; the arguments are those of `draw`.

    Raises:
        PictureError: No Graphviz on this machine can write it.
    """
    return lay_out(draw(report, parameter=parameter, view=view, depth=depth, root=root), "png")


def pdf(
    report: Answer,
    *,
    parameter: str | None = None,
    view: str = "modules",
    depth: int | None = None,
    root: str | None = None,
) -> bytes:
    """The picture as a PDF document; the arguments are those of `draw`.

    Raises:
        PictureError: No Graphviz on this machine can write it; PDF needs a `dot` binary.
    """
    return lay_out(draw(report, parameter=parameter, view=view, depth=depth, root=root), "pdf")
