"""A graph of single nodes, drawn in frames by module and folded by module where it is too big."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fxaudit.answer.answer import Answer
from fxaudit.renderers.picture.canvas import Bands, Canvas
from fxaudit.renderers.picture.engine import Picture
from fxaudit.renderers.picture.flow import BoxEdge
from fxaudit.renderers.picture.labels import Line, folded, muted, shortened
from fxaudit.renderers.picture.palette import MUTED, look, worst
from fxaudit.renderers.picture.repeats import Repeats
from fxaudit.renderers.picture.tree import ModuleTree
from fxaudit.renderers.text.wording import counted

__all__ = ["COMFORT", "LIMIT", "Beside", "Item", "Scene"]

COMFORT = 150
"""Boxes drawn at most where nobody asked for a depth: modules are closed until so many are left."""
LIMIT = 400
"""Boxes drawn at most; what is beyond is folded by module."""
URGENT = 120
"""Urgent nodes that stay outside folded modules; more of them fold like everything else."""

_NAMED = {"parameter": "parameter", "buffer": "buffer", "input": "input", "loss": "loss term"}
"""Kinds of nodes that the caption counts apart."""


@dataclass(frozen=True, slots=True)
class Item:
    """A node to draw: `module` is an index of `GraphData.modules`, `parameter` a name of the report or empty."""

    lines: tuple[Line, ...]
    kind: str
    tip: str
    module: int = -1
    parameter: str = ""
    urgent: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Beside:
    """A box apart from the graph: parameters of one verdict that have no node in it."""

    lines: tuple[Line, ...]
    verdict: str
    parameters: tuple[str, ...]


class Scene:
    """Nodes and arrows, before it is decided which of them get a box of their own."""

    def __init__(
        self,
        report: Answer,
        view: str,
        noun: str,
        items: Sequence[Item],
        edges: Sequence[BoxEdge],
        *,
        leaves: bool = False,
        beside: Sequence[Beside] = (),
        remark: str = "",
    ) -> None:
        """`leaves`: parameters are counted among the nodes; `beside` stands apart; `remark` is put in the caption."""
        self.report = report
        self.view, self.noun, self.remark = view, noun, remark
        self.leaves = leaves
        self.beside = beside
        self.limit = COMFORT
        self.repeats = Repeats()
        self.items = items
        self.edges = edges
        self.modules = report.graph_data.modules
        self.depths: list[int] = []
        for module in self.modules:
            above = module.parent
            self.depths.append(self.depths[above] + 1 if 0 <= above < len(self.depths) else 0)
        self.index = {parameter.name: number for number, parameter in enumerate(report)}
        self.bands = Bands.from_report(report)

    def draw(self, parameter: str | None, depth: int | None, root: str | None) -> Picture:
        """The picture, narrowed to a parameter or a module, modules deeper than `depth` folded."""
        shown = self._narrowed(parameter, root)
        self.limit = COMFORT if depth is None else LIMIT
        self.repeats = Repeats.of(self.modules, {n: (self.items[n].module, self._looks(n)) for n in shown}, self.edges)
        copies = self.repeats.stands_for
        boxes = self._folded([n for n in shown if n not in copies], depth, root)
        if not self.leaves:
            boxes = self._together(boxes)
        boxes |= {n: boxes[drawn] for n, drawn in copies.items() if drawn in boxes}
        canvas = Canvas(self.view, self.report.title or self.view, self._caption(shown, boxes))
        self._boxes(canvas, boxes)
        drawn: dict[tuple[str, str], str] = {}
        for edge in self.edges:
            source, target = boxes.get(edge.source), boxes.get(edge.target)
            if not self.repeats.is_told(edge):
                continue
            if source is not None and target is not None and source != target:
                drawn.setdefault((source, target), edge.state)
                if edge.state in ("cut", "python") or (edge.state, drawn[source, target]) == ("grad", "idle"):
                    drawn[source, target] = edge.state
        for (source, target), state in drawn.items():
            canvas.edge(source, target, state, "✂ gradient ends here" if state in ("cut", "python") else "")
        for number, apart in enumerate(self.beside):
            self._apart(canvas, f"b{number}", apart)
        canvas.legend(self.bands)
        return canvas.picture

    def _apart(self, canvas: Canvas, box: str, apart: Beside) -> None:
        style = look(apart.verdict)
        canvas.box(
            box,
            [*apart.lines, Line(f"{style.symbol} {apart.verdict}: {style.meaning}", "small", style.line)],
            kind="parameter",
            verdict=apart.verdict,
            parameters=apart.parameters,
            url=f"#p-{self.index[apart.parameters[0]]}" if len(apart.parameters) == 1 else "",
            tip=", ".join(apart.parameters[:12]),
            bands=self.bands.around(self.report.parameters[name] for name in apart.parameters),
        )

    def _caption(self, shown: Sequence[int], boxes: dict[int, str]) -> str:
        if not self.items:
            return f"The report holds no {self.noun}s: nothing was recorded."
        kinds = Counter(self.items[n].kind for n in shown)
        named = {
            kind: word for kind, word in _NAMED.items() if kinds[kind] and (kind != "parameter" or not self.leaves)
        }
        nodes = counted(len(shown) - sum(kinds[kind] for kind in named), self.noun)
        caption = ", ".join([nodes, *(counted(kinds[kind], word) for kind, word in named.items())]) + "."
        caption += f" {self.remark}" if self.remark else ""
        caption += " Equal modules in a row are drawn once." if self.repeats.runs else ""
        folded = len({box for box in boxes.values() if box.startswith("f")})
        missing = len(shown) - len(boxes)
        if folded or missing:
            left_out = f", {missing:,} nodes left out" if missing else ""
            caption += f" At most {self.limit} boxes are drawn: {counted(folded, 'module')} drawn closed{left_out}."
            caption += " depth= opens more levels, root='a.module' or parameter='a.name' narrows the picture."
        return caption

    def _narrowed(self, parameter: str | None, root: str | None) -> list[int]:
        chosen = {n for n, item in enumerate(self.items) if not item.hidden}
        if root is not None:
            ModuleTree(self.report, root)  # refuses a name that the report does not know
            names = [module.name for module in self.modules]
            inside = {n for n, name in enumerate(names) if not root or name == root or name.startswith(f"{root}.")}
            chosen = {n for n in chosen if self.items[n].module in inside}
        if parameter is not None:
            chosen &= self._after(self.report[parameter].name)
        return sorted(chosen)

    def _after(self, parameter: str) -> set[int]:
        """The parameter's nodes and everything that they flow into."""
        after: dict[int, list[int]] = {}
        for edge in self.edges:
            after.setdefault(edge.source, []).append(edge.target)
        stack = [n for n, item in enumerate(self.items) if item.parameter == parameter]
        reached = set(stack)
        while stack:
            for target in after.get(stack.pop(), ()):
                if target not in reached:
                    reached.add(target)
                    stack.append(target)
        return reached

    def _folded(self, shown: Sequence[int], depth: int | None, root: str | None) -> dict[int, str]:
        """The box of each node that is drawn: its own, `n<i>`, or `f<module>` for one folded into a module."""
        if depth is None and len(shown) <= self.limit:
            return {n: f"n{n}" for n in shown}
        base = next((d for m, d in zip(self.modules, self.depths, strict=True) if m.name == root), 0)
        levels = [depth] if depth is not None else range(max(self.depths, default=0), -1, -1)
        alone = {n for n in shown if self.items[n].urgent}
        alone = alone if len(alone) <= URGENT else set()
        boxes: dict[int, str] = {}
        for level in levels:
            boxes = {n: f"n{n}" if n in alone else self._box(n, base + level) for n in shown}
            if len(set(boxes.values())) <= self.limit:
                return boxes
        # Even the top level has too many: what matters first, then from the loss backwards.
        kept: dict[str, None] = {}
        for n in sorted(shown, key=lambda n: (not self.items[n].urgent, -n)):
            if len(kept) < self.limit:
                kept[boxes[n]] = None
        return {n: box for n, box in boxes.items() if box in kept}

    def _together(self, boxes: dict[int, str]) -> dict[int, str]:
        """`boxes` with one box for parameters that fare alike and go into the same operations (weight and bias)."""
        leaving: dict[int, list[tuple[int, str]]] = {}
        copies = self.repeats.stands_for
        for edge in self.edges:
            leaving.setdefault(edge.source, []).append((copies.get(edge.target, edge.target), edge.state))
        first: dict[object, str] = {}
        result = dict(boxes)
        for n, box in boxes.items():
            item = self.items[n]
            if item.kind == "parameter" and item.parameter and box == f"n{n}":
                known = self.report.parameters[item.parameter]
                key = (item.module, known.verdict, known.held_by, tuple(sorted(leaving.get(n, ()))))
                result[n] = first.setdefault(key, box)
        return result

    def _box(self, item: int, deepest: int) -> str:
        module = self.items[item].module
        if module < 0 or self.depths[module] <= deepest:
            return f"n{item}"
        while self.depths[module] > deepest + 1:
            module = self.modules[module].parent
        return f"f{module}"

    def _boxes(self, canvas: Canvas, boxes: dict[int, str]) -> None:
        """The boxes, in frames that follow the tree of modules."""
        members: dict[str, list[int]] = {}
        for n, box in boxes.items():
            members.setdefault(box, []).append(n)
        inside: dict[int, list[str]] = {}
        for box, held in members.items():
            home = self.items[held[0]].module if box.startswith("n") else self.modules[int(box[1:])].parent
            inside.setdefault(home, []).append(box)
        children: dict[int, list[int]] = {}
        needed: set[int] = set()
        for home in inside:
            while home >= 0 and home not in needed:
                needed.add(home)
                children.setdefault(self.modules[home].parent, []).append(home)
                home = self.modules[home].parent

        def fill(home: int, parent: Picture | None) -> None:
            for box in inside.get(home, ()):
                self._one(canvas, box, members[box], parent)
            for child in sorted(children.get(home, ())):
                module = self.modules[child]
                title = Line(shortened(f"{self._title(child) or 'model'}  {module.type}"), "text", MUTED)
                frame = canvas.cluster(f"c{child}", [title], "trained", f"{module.name} {module.type}")
                fill(child, frame)
                canvas.close(parent, frame)

        fill(-1, None)

    def _looks(self, node: int) -> tuple[object, ...]:
        """What a node looks like but for the module that it is in."""
        item = self.items[node]
        known = self.report.parameters.get(item.parameter)
        fares = (known.verdict, known.held_by) if known is not None else ()
        return (item.kind, item.tip.partition(" · ")[0].rpartition(".")[2], item.lines[1:], fares)

    def _title(self, module: int) -> str:
        """A module's name within its parent; of one that is drawn for several their range and how many they are."""
        name, parent = self.modules[module].name, self.modules[module].parent
        run = self.repeats.runs.get(module)
        if run:
            first, last = (self.modules[n].name.rpartition(".")[2] for n in (run[0], run[-1]))
            return f"{first}–{last} ×{len(run)}"
        return name.removeprefix(f"{self.modules[parent].name}.") if 0 <= parent < len(self.modules) else name

    def _named(self, held: Sequence[int]) -> str:
        """Parameters in one box: of a module that is drawn for several their names in it, else patterns."""
        home = self.items[held[0]].module
        own = [self.items[n].parameter for n in held if self.items[n].module == home]
        if home < 0 or len(own) == len(held):
            return ", ".join(folded([self.items[n].parameter for n in held], self.report.parameters))
        inside = ", ".join(name.removeprefix(f"{self.modules[home].name}.") for name in own)
        return f"{inside} ×{len(held) // len(own)}"

    def _one(self, canvas: Canvas, box: str, held: Sequence[int], within: Picture | None) -> None:
        parameters = tuple(self.items[n].parameter for n in held if self.items[n].parameter)
        known = [self.report.parameters[name] for name in parameters]
        verdict = worst({p.verdict for p in known}) if known else None
        item = self.items[held[0]]
        lines, kind, tip = list(item.lines), item.kind, item.tip
        if box.startswith("n") and len(parameters) > 1:
            lines[0] = Line(shortened(self._named(held)), "title")
            tip = ", ".join(parameters)
        if box.startswith("f"):
            module = self.modules[int(box[1:])]
            title = shortened(f"{self._title(int(box[1:]))}  {module.type}")
            lines = [Line(title, "title"), muted(f"… {counted(len(held), 'node')} folded")]
            kind, tip = "fold", module.name
        if verdict is not None:
            style = look(verdict)
            lines.append(Line(f"{style.symbol} {verdict}", "small", style.line))
        canvas.box(
            box,
            lines,
            kind=kind,
            verdict=verdict,
            parameters=parameters,
            url=f"#p-{self.index[parameters[0]]}" if len(parameters) == 1 else "",
            tip=tip,
            bands=self.bands.around(known),
            within=within,
        )
