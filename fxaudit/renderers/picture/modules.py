"""The **modules** view: the whole model as nested modules, coloured by verdict, with the data flow between them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence

from fxaudit.answer.answer import VERDICTS, Answer, ParameterReport
from fxaudit.answer.picture_data import GraphData
from fxaudit.renderers.picture.canvas import Bands, Canvas
from fxaudit.renderers.picture.engine import Picture
from fxaudit.renderers.picture.flow import BoxEdge, Flow, box_edges, norms_of
from fxaudit.renderers.picture.labels import Line, folded, muted, shortened, where
from fxaudit.renderers.picture.palette import CUT, HAPPY, INK, MUTED, look, worst
from fxaudit.renderers.picture.places import Places
from fxaudit.renderers.picture.plan import Plan
from fxaudit.renderers.picture.tree import OUTSIDE, ModuleTree
from fxaudit.renderers.picture.vanished import all_zero, zero_lines
from fxaudit.renderers.text.operation_names import operation
from fxaudit.renderers.text.wording import counted
from fxaudit.renderers.text.wording import number as in_short

__all__ = ["draw_modules", "draw_with_insides"]

ROWS = 6
COLUMN = 6
INPUTS = 3
SHAPED = 40
"""Boxes of a picture in which the shapes of what flows are told, at most."""
CAUSES = 4
"""Numbers of causes in one box."""


def draw_modules(
    report: Answer,
    *,
    depth: int | None = None,
    root: str | None = None,
    framed: bool = True,
    name: str = "modules",
    causes: str = "",
) -> Picture:
    """The modules view of `report`, from module `root` on, opened `depth` levels deep or as far as is readable.

    With `causes`, what the ids of a page's causes begin with, boxes and cuts bear the numbers of their causes.
    """
    whole = _Whole(report, root)
    plan = Plan(whole.tree)
    plan.open_as_far_as_readable(depth)
    title = f"{report.title or 'Model'}: {report.summary}" if root is None else f"{root}"
    canvas = Canvas(name, title, _caption(plan, root), framed=framed)
    _Drawing(whole, plan, canvas, causes).draw()
    return canvas.picture


def draw_with_insides(report: Answer, *, name: str, causes: str, most: int) -> tuple[Picture, dict[str, Picture]]:
    """The modules view for a page, and what is inside of its closed boxes, and of those in there, `most` of them at
    most: id of a box → picture."""
    shared = _Whole(report)
    insides: dict[str, Picture] = {}
    picture, queue = _with_closed(shared, name, causes)
    while queue and len(insides) < most:
        box, shared.tree.root = queue.popleft()
        insides[box], closed = _with_closed(shared, f"{name}-in{len(insides)}", causes)
        queue.extend(closed)
    return picture, insides


def _with_closed(whole: _Whole, name: str, causes: str) -> tuple[Picture, deque[tuple[str, int]]]:
    """A picture of the tree from its root on, and its closed boxes: id and branch."""
    report, tree, plan = whole.report, whole.tree, Plan(whole.tree)
    plan.open_as_far_as_readable(None)
    title = f"{report.title or 'Model'}: {report.summary}" if tree.root is None else f"Inside {tree.title(tree.root)}"
    canvas = Canvas(name, title, _caption(plan, None) if tree.root is None else "", framed=False)
    drawing = _Drawing(whole, plan, canvas, causes, on_page=True)
    drawing.draw()
    return canvas.picture, deque(drawing.inside)


def _caption(plan: Plan, root: str | None) -> str:
    closed = sum(1 for branch, own in plan.boxes() if not own and plan.tree.visible_children(branch))
    if not closed:
        return ""
    return f"{counted(closed, 'module')} drawn closed; depth= opens more levels, root= zooms into one module."


class _Whole:
    """What all pictures of one report share."""

    def __init__(self, report: Answer, root: str | None = None) -> None:
        self.report = report
        self.tree = ModuleTree(report, root)
        self.flow = Flow(report.graph_data)


class _Drawing:
    def __init__(self, whole: _Whole, plan: Plan, canvas: Canvas, causes: str, *, on_page: bool = False) -> None:
        report, tree = whole.report, whole.tree
        self.report = report
        self.flow = whole.flow
        self.causes = causes
        self.on_page = on_page
        self.inside: list[tuple[str, int]] = []
        """The closed boxes that a page opens: their ids and branches."""
        self.numbers = {id(finding): number for number, finding in enumerate(report.findings) if causes}
        self.tree = tree
        self.plan = plan
        self.canvas = canvas
        self.data: GraphData = report.graph_data
        self.bands = Bands.from_report(report)
        self.index = {parameter.name: number for number, parameter in enumerate(report)}
        self.boxes = plan.boxes()
        self.names = [f"m{number}" for number in range(len(self.boxes))]
        self.own = {branch: number for number, (branch, is_own) in enumerate(self.boxes) if is_own}
        self.box_of_branch = self._box_of_branch()
        self.places = Places(tree)
        self.inside_cuts = self._cuts_inside()
        self.leaving: set[int] = set()
        self.receiving: set[int] = set()
        self.zero_inside: dict[int, str] = {}
        self.shapes: dict[tuple[int, int], str] = {}

    def draw(self) -> None:
        """Boxes in their frames, then everything around the model, then the arrows."""
        if not self.boxes:
            self.canvas.box("empty", [Line("no parameters", "text", MUTED)], kind="note")
        place_of, extra = self._node_places()
        edges = box_edges(self.flow, place_of, self.places.drawn, self.places.near())
        norms = norms_of(edges, self.data, place_of, self.places.drawn)
        comes_dead = {box for box, _ in norms} - {box for (box, _), norm in norms.items() if norm}
        zeros = self._zeros_inside(place_of)
        self.zero_inside = {box: line for box, line in zeros.items() if box not in comes_dead}
        self.leaving = {edge.source for edge in edges}
        self.receiving = {self.places.drawn[place_of[node]] for node in self.flow.receiving if place_of[node] >= 0}
        self.shapes = self._shapes(place_of)
        for branch in self.tree.tops():
            self._branch(branch, None)
        connected = self._arrows(edges, extra, norms)
        self._stack_unconnected(connected)
        self.canvas.legend(self.bands)

    def _branch(self, branch: int, parent: Picture | None) -> None:
        if branch not in self.plan.opened:
            self._module_box(self.boxes.index((branch, False)), parent)
            return
        found = self.tree.branches[branch]
        held = self.tree.held[branch]
        verdict = worst({p.verdict for p in held})
        title = Line(shortened(f"{self._shown(branch, parent is None)}  {found.type}"), "title")
        counts = Line(_counts(held, with_elements=True), "small", MUTED)
        inner = self.canvas.cluster(f"c{branch}", [title, counts], verdict, f"{found.name} {found.type}")
        self.canvas.see({p.verdict for p in held})
        if self.tree.own[branch]:
            self._module_box(self.boxes.index((branch, True)), inner)
        for child in self.tree.visible_children(branch):
            self._branch(child, inner)
        self.canvas.close(parent, inner)

    def _shown(self, branch: int, full: bool) -> str:
        title = self.tree.title(branch)
        parent = self.tree.branches[branch].parent
        if full or parent < 0:
            return title
        above = self.tree.branches[parent].name
        return title[len(above) + 1 :] if above and title.startswith(above + ".") else title

    def _module_box(self, box: int, within: Picture | None) -> None:
        branch, own = self.boxes[box]
        found = self.tree.branches[branch]
        held = self._held(box)
        verdicts = {p.verdict for p in held}
        verdict = worst(verdicts)
        shown = self._shown(branch, within is None)
        lines = [Line(f"own parameters of {shown}" if own else shortened(f"{shown}  {found.type}"), "title")]
        if found.name == OUTSIDE and (len(verdicts) == 1 or len(held) > ROWS):
            lines += [Line(shortened(text), "text") for text in self._patterns(held)]
        if len(verdicts) == 1:
            style = look(verdict)
            lines.append(Line(f"{style.symbol} {verdict}", "text", style.line))
        elif len(held) <= ROWS:
            lines += [_row(p) for p in sorted(held, key=lambda p: p.verdict in HAPPY)]
        else:
            lines += self._some_rows(held)
        if not found.called and not own and verdicts - HAPPY:
            lines.append(Line("never called", "small", CUT))
        elif verdicts == {"unreachable"} and self._is_dead_end(box):
            lines.append(Line("✂ its results are not used", "small", CUT))
        for source in self.inside_cuts.get(box, [])[:2]:
            lines.append(Line(f"✂ inside, at {source}", "small", CUT))
        lines += self._causes(held)
        if box in self.zero_inside:
            lines.append(Line(f"gradient becomes 0 inside, at {self.zero_inside[box]}", "small", CUT))
        lines.append(muted(f"{counted(len(held), 'parameter')} · {_elements(held)}"))
        children = self.tree.visible_children(branch)
        if children and not own and self.on_page:
            identity = f"{self.canvas.prefix}-{self.names[box]}"
            self.canvas.picture.closed[identity] = found.name
            self.inside.append((identity, branch))
            lines.append(muted(f"▸ {counted(len(children), 'part')} inside"))
        tip = f"{self.tree.title(branch)} {found.type} · {_counts(held, with_elements=True)}"
        if len(held) <= 8:
            tip += " · " + ", ".join(f"{p.name}: {p.verdict}" for p in held)
        self.canvas.see(verdicts)
        self.canvas.box(
            self.names[box],
            lines,
            verdict=verdict,
            kind="parameter" if own else "module",
            parameters=tuple(p.name for p in held),
            url=f"#p-{self.index[held[0].name]}" if len(held) == 1 else "",
            tip=tip,
            bands=self.bands.around(held),
            within=within,
        )

    def _causes(self, held: list[ParameterReport]) -> list[Line]:
        """The numbers of the causes that concern these parameters, and of the notes."""
        found = {id(f): f for p in held for f in p.findings if id(f) in self.numbers}.values()
        lines = []
        for word, ink, is_note in (("cause", CUT, False), ("note", MUTED, True)):
            numbers = sorted(self.numbers[id(f)] + 1 for f in found if (f.level == "note") is is_note)
            if numbers:
                text = ", ".join(map(str, numbers[:CAUSES])) + (", …" if len(numbers) > CAUSES else "")
                lines.append(Line(f"{word}{'s' * (len(numbers) > 1)} {text}", "text", ink))
        return lines

    def _patterns(self, held: list[ParameterReport]) -> list[str]:
        """The names of what stands outside the model: nothing else tells what it is."""
        patterns = folded([p.name for p in held], self.report.parameters)
        more = [f"… {len(patterns) - ROWS} more"] if len(patterns) > ROWS else []
        return [*patterns[:ROWS], *more]

    def _is_dead_end(self, box: int) -> bool:
        """Whether what is computed in there goes nowhere: neither to a loss nor to another box."""
        runs = any(node.kind == "op" and self.box_of_branch.get(node.module, -1) == box for node in self.data.nodes)
        return runs and box not in self.leaving

    def _some_rows(self, held: list[ParameterReport]) -> list[Line]:
        unwell = [p for p in held if p.verdict not in HAPPY]
        if len(unwell) <= 3:
            return [_row(p, full=True) for p in unwell] + [Line(_counts(held), "text", INK)]
        return [Line(f"{look(v).symbol} {v} {n}", "text", look(v).line) for v, n in _tally(held)]

    def _box_of_branch(self) -> dict[int, int]:
        """For each drawn branch the box in which its operations are: its own or that of a closed module above it."""
        closed = {branch: number for number, (branch, own) in enumerate(self.boxes) if not own}
        result: dict[int, int] = {}
        for branch in self.tree.order:
            stand_in = self.tree.stand_in[branch]
            if stand_in in closed:
                result[branch] = closed[stand_in]
            else:
                parent = self.tree.branches[branch].parent
                if parent in result:
                    result[branch] = result[parent]
        return result

    def _node_places(self) -> tuple[list[int], list[tuple[str, str]]]:
        """The place of each graph node, and what is added to the model's boxes: losses and inputs."""
        extra: list[tuple[str, str]] = []
        result: list[int] = []
        readers = self._own_readers()
        inputs = [n for n, node in enumerate(self.data.nodes) if node.kind == "input"]
        for number, node in enumerate(self.data.nodes):
            branch = self._branch_of(number)
            box = readers.get(number, self.box_of_branch.get(branch, -1))
            if node.kind == "parameter":
                box = self.own.get(self.tree.stand_in[branch], box) if branch >= 0 else box
            elif node.kind == "loss":
                box = len(self.boxes) + len(extra)
                extra.append(("loss", node.label))
            elif node.kind == "input":
                box = len(self.boxes) + len(extra)
                if len(inputs) <= INPUTS:
                    extra.append(("input", node.label))
                elif number == inputs[0]:
                    extra.append(("input", counted(len(inputs), "input")))
                else:
                    box = self.places.drawn[result[inputs[0]]]
            result.append(self.places.at(box, branch))
        return result, extra

    def _branch_of(self, number: int) -> int:
        """The branch in which a node is: of a parameter the one that holds it, of an operation the one that ran it."""
        node = self.data.nodes[number]
        if node.kind == "parameter" and node.label in self.report.parameters:
            return self.tree.home(self.report.parameters[node.label])
        return node.module if node.kind == "op" else -1

    def _own_readers(self) -> dict[int, int]:
        """The operations of opened modules that read parameters of the module itself, with the box of these."""
        found = {}
        for edge in self.data.edges:
            branch = self._branch_of(edge.source)
            if edge.kind != "holds" and self.data.nodes[edge.source].kind == "parameter" and branch >= 0:
                box = self.own.get(self.tree.stand_in[branch], -1)
                if box >= 0 and self._branch_of(edge.target) == branch:
                    found[edge.target] = box
        return found

    def _arrows(
        self,
        edges: Sequence[BoxEdge],
        extra: Sequence[tuple[str, str]],
        norms: Mapping[tuple[int, int], float],
    ) -> set[str]:
        used = {edge.source for edge in edges} | {edge.target for edge in edges}
        names = list(self.names)
        for number, (kind, text) in enumerate(extra, len(self.boxes)):
            names.append(f"{kind}{number}")
            if kind == "loss" or number in used:
                shown = text if kind == "input" or text.startswith("loss") else f"loss: {text}"
                self.canvas.box(names[-1], [Line(shortened(shown), "title")], kind=kind, tip=text)
        told: set[tuple[int, int]] = set()
        for edge in edges:
            if edge.state in ("cut", "python"):
                text, tip = self._cut(edge, told)
                number = self._cause_at(edge)
                if number >= 0 and text != "✂":
                    text += f"\ncause {number + 1}"
                link = {"URL": f"#{self.causes}{number}"} if number >= 0 else {}
                self.canvas.edge(names[edge.source], names[edge.target], edge.state, text, tip, **link)
            else:
                norm = norms.get((edge.source, edge.target)) if edge.state == "grad" else None
                if norm is None and edge.state == "grad" and self._is_zero(edge.source):
                    norm = 0.0
                shape = self.shapes.get((edge.source, edge.target), "")
                if edge.state == "grad" and not (norm is None and self._is_idle(edge)):
                    self.canvas.gradient(names[edge.source], names[edge.target], norm, shape)
                else:
                    state = "idle" if edge.state == "grad" else edge.state
                    self.canvas.edge(names[edge.source], names[edge.target], state, shape)
        return {names[number] for number in used}

    def _shapes(self, place_of: Sequence[int]) -> dict[tuple[int, int], str]:
        """The shapes of what goes from box to box, where it goes there directly and always has the same one.

        They are told where nothing is wrong: elsewhere what is wrong is to be seen first.
        """
        if len(self.boxes) > SHAPED or any(finding.level != "note" for finding in self.report.findings):
            return {}
        found: dict[tuple[int, int], set[str]] = {}
        for edge in self.data.edges:
            source, target = place_of[edge.source], place_of[edge.target]
            node = self.data.nodes[edge.source]
            if edge.kind == "data" and source >= 0 and target >= 0 and node.kind in ("op", "input"):
                shape = "×".join(map(str, node.shape)) if node.shape else ""
                found.setdefault((self.places.drawn[source], self.places.drawn[target]), set()).add(shape)
        return {boxes: shapes.pop() for boxes, shapes in found.items() if len(shapes) == 1}

    def _cut(self, edge: BoxEdge, told: set[tuple[int, int]]) -> tuple[str, str]:
        """What stands at the arrow of a cut, and its tip; of several arrows of one cut only the first is written on."""
        node = self.data.nodes[edge.at]
        source = self.data.sources[node.source] if node.source >= 0 else None
        shown = operation(node.label)
        tip = f"gradient ends here: {shown}" + (f" at {source}: {source.code}" if source else "")
        key = (edge.source, node.source if node.source >= 0 else -2 - edge.at)
        if key in told:
            return "✂", tip
        told.add(key)
        return f"✂ {shortened(shown, 30)}" + (f"\n{where(source)}" if source else ""), tip

    def _cause_at(self, edge: BoxEdge) -> int:
        """The number of the finding that blames the line of a cut, -1 where there is none, or numbers are not drawn."""
        node = self.data.nodes[edge.at]
        source = self.data.sources[node.source] if node.source >= 0 else None
        if source is None or not self.causes:
            return -1
        found = (
            number
            for number, finding in enumerate(self.report.findings)
            if (blamed := finding.culprit) is not None and (blamed.file, blamed.line) == (source.file, source.line)
        )
        return next(found, -1)

    def _is_zero(self, box: int) -> bool:
        """Whether the gradient that comes back to a box is exactly zero, not only that of what is in there."""
        return box < len(self.boxes) and all_zero(self._held(box)) and box not in self.zero_inside

    def _is_idle(self, edge: BoxEdge) -> bool:
        """Whether no gradient comes back along an arrow that could carry some: it ends further on."""
        held = self._held(edge.source) if edge.source < len(self.boxes) else []
        return edge.target not in self.receiving and all(p.gradient.state in ("none", "unknown") for p in held)

    def _zeros_inside(self, place_of: Sequence[int]) -> dict[int, str]:
        """For the boxes whose gradients are zero the line that makes them so, where that is within the box."""
        boxes: dict[tuple[str, int], set[int]] = {}
        for number, node in enumerate(self.data.nodes):
            if node.source >= 0 and place_of[number] >= 0:
                line = self.data.sources[node.source]
                boxes.setdefault((line.file, line.line), set()).add(self.places.drawn[place_of[number]])
        found: dict[int, str] = {}
        for box in range(len(self.boxes)):
            held = self._held(box)
            if all_zero(held):
                lines = [line for p in held[:1] for f in p.findings[:1] for line in zero_lines(f)]
                inside = [line for line in lines if box in boxes.get((line.file, line.line), ())]
                if inside:
                    found[box] = where(inside[0])
        return found

    def _held(self, box: int) -> list[ParameterReport]:
        branch, own = self.boxes[box]
        return self.tree.own[branch] if own else self.tree.held[branch]

    def _cuts_inside(self) -> dict[int, list[str]]:
        """For closed modules the lines at which gradient ends within them, where that hurts somebody in there."""
        found: dict[int, list[str]] = {}
        for arrow in self.flow.arrows:
            if arrow.state not in ("cut", "python"):
                continue
            target = self.data.nodes[arrow.target]
            box = self.box_of_branch.get(target.module, -1)
            source = self.data.nodes[arrow.source]
            home = self.box_of_branch.get(source.module, -1)
            if source.kind == "parameter" and source.label in self.report.parameters:
                home = self.box_of_branch.get(self.tree.find(self.report.parameters[source.label]), -1)
            if box >= 0 and home == box and target.source >= 0:
                branch, _ = self.boxes[box]
                line = where(self.data.sources[target.source])
                if {p.verdict for p in self.tree.held[branch]} - HAPPY and line not in found.setdefault(box, []):
                    found[box].append(line)
        return found

    def _stack_unconnected(self, connected: set[str]) -> None:
        """Boxes without arrows would all stand in one endless row: put them into columns."""
        alone = [name for name in self.names if name not in connected]
        per_column = COLUMN if len(alone) <= COLUMN * COLUMN else max(COLUMN, int(len(alone) ** 0.5))
        for number, name in enumerate(alone):
            if number % per_column:
                self.canvas.order(alone[number - 1], name)


def _row(parameter: ParameterReport, *, full: bool = False) -> Line:
    style = look(parameter.verdict)
    outside = parameter.verdict in ("unregistered", "stale")
    name = parameter.name if full or outside else parameter.name.rpartition(".")[2]
    return Line(f"{style.symbol} {shortened(name, 34)} {parameter.verdict}", "text", style.line)


def _tally(held: list[ParameterReport]) -> list[tuple[str, int]]:
    counts = Counter(p.verdict for p in held)
    return [(verdict, counts[verdict]) for verdict in VERDICTS if counts[verdict]]


def _elements(held: list[ParameterReport]) -> str:
    total = sum(p.numel for p in held)
    return "1 element" if total == 1 else f"{in_short(total)} elements"


def _counts(held: list[ParameterReport], *, with_elements: bool = False) -> str:
    text = "   ".join(f"{look(verdict).symbol} {tally} {verdict}" for verdict, tally in _tally(held))
    return f"{text} · {_elements(held)}" if with_elements else text
