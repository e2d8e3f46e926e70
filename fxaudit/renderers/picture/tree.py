"""The tree of modules behind the pictures: what lies where, which siblings look alike, and how far to open it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fxaudit.answer.answer import Answer, ParameterReport
from fxaudit.answer.picture_data import GraphModule
from fxaudit.errors import UnknownParameterError
from fxaudit.renderers.picture.palette import HAPPY

__all__ = ["OUTSIDE", "Branch", "ModuleTree"]

OUTSIDE = "(outside the model)"
"""Where tensors are put that no module registers: unregistered and stale ones."""

MANY_SIBLINGS = 6
FEW_GROUPS = 6


@dataclass
class Branch:
    """A module: `children` and `parent` are indices of branches, `parameters` the report's own, directly in it."""

    name: str
    type: str
    called: bool = True
    parent: int = -1
    children: list[int] = field(default_factory=list)
    parameters: list[ParameterReport] = field(default_factory=list)

    @property
    def last(self) -> str:
        """The name's last part."""
        return self.name.rpartition(".")[2]


class ModuleTree:
    """All modules of a report, with equal numbered siblings folded onto the first of them.

    `stand_in[i]` is the branch that is drawn for branch `i`; `members[i]` are the siblings folded onto `i`, itself
    first; `held[i]` are the parameters of `i`, of what lies below it, and of everything folded onto those.
    """

    def __init__(self, report: Answer, root: str | None = None) -> None:
        self.branches: list[Branch] = []
        self._index: dict[str, int] = {}
        # With a param group per layer nothing would fold: then groups do not set siblings apart.
        self._groups_tell = sum(len(optimizer.groups) for optimizer in report.optimizers) <= FEW_GROUPS
        self._from_modules(report.graph_data.modules)
        for parameter in report:
            self._place(parameter)
        self.order = self._depth_first()
        self.root = self._find(root)
        self.members: dict[int, list[int]] = {}
        self.stand_in = list(range(len(self.branches)))
        self._fold(self._signatures(self._above(self.root)))
        self.held: list[list[ParameterReport]] = [[] for _ in self.branches]
        self.own: list[list[ParameterReport]] = [[] for _ in self.branches]
        self._count()

    def find(self, parameter: ParameterReport) -> int:
        """The drawn branch that holds `parameter` directly."""
        return self.stand_in[self._home[parameter.name]]

    def home(self, parameter: ParameterReport) -> int:
        """The branch that holds `parameter` directly, whether it is drawn or folded onto another."""
        return self._home[parameter.name]

    def tops(self) -> list[int]:
        """The branches to start from: the root asked for, or all that have no parent, where they hold a parameter."""
        if self.root is not None:
            return [self.root]
        return [i for i, branch in enumerate(self.branches) if branch.parent < 0 and self.held[i]]

    def visible_children(self, branch: int) -> list[int]:
        """The children to draw in an opened branch: one for each group of equal ones, none without parameters."""
        return [c for c in self.branches[branch].children if self.stand_in[c] == c and self.held[c]]

    def title(self, branch: int) -> str:
        """The branch's name; of a folded one with the range of its numbers and how many they are."""
        found = self.branches[branch]
        members = self.members.get(branch, [branch])
        name = found.name or "model"
        if len(members) == 1:
            return name
        prefix, _, _ = name.rpartition(".")
        numbers = ranges([int(self.branches[m].last) for m in members])
        return f"{prefix + '.' if prefix else ''}{numbers} ×{len(members)}"

    def is_mixed(self, branch: int) -> bool:
        """Whether something below is unwell, but not everything in the same way."""
        verdicts = {parameter.verdict for parameter in self.held[branch]}
        return len(verdicts) > 1 and bool(verdicts - HAPPY)

    def _from_modules(self, modules: Sequence[GraphModule]) -> None:
        self._modules = len(modules)
        self._home: dict[str, int] = {}
        for index, module in enumerate(modules):
            self.branches.append(Branch(module.name, module.type, module.called, module.parent))
            self._index.setdefault(module.name, index)
        for index, branch in enumerate(self.branches):
            if not 0 <= branch.parent < len(self.branches) or branch.parent == index:
                branch.parent = -1
            else:
                self.branches[branch.parent].children.append(index)

    def _place(self, parameter: ParameterReport) -> None:
        module, _, _ = parameter.name.rpartition(".")
        if parameter.verdict in ("unregistered", "stale"):
            module = OUTSIDE
        home = self._ensure(module)
        branch = self.branches[home]
        if not branch.type and module != OUTSIDE:
            branch.type = parameter.module_type
        branch.parameters.append(parameter)
        self._home[parameter.name] = home

    def _ensure(self, name: str) -> int:
        """The branch called `name`, made together with those above it where the report lists no modules."""
        missing = []
        current = name
        while current not in self._index:
            missing.append(current)
            if current in ("", OUTSIDE):
                break
            current = current.rpartition(".")[0]
        parent = self._index.get(current, -1)
        for made in reversed(missing):
            index = len(self.branches)
            self.branches.append(Branch(made, "", True, parent))
            self._index[made] = index
            if parent >= 0:
                self.branches[parent].children.append(index)
            parent = index
        return self._index[name]

    def _depth_first(self) -> list[int]:
        order: list[int] = []
        seen: set[int] = set()
        stack = [i for i in reversed(range(len(self.branches))) if self.branches[i].parent < 0]
        while stack:
            index = stack.pop()
            if index in seen:
                continue
            seen.add(index)
            order.append(index)
            stack.extend(reversed(self.branches[index].children))
        return order

    def _find(self, root: str | None) -> int | None:
        if root is None:
            return None
        if root in self._index:
            return self._index[root]
        near = [name for name in self._index if root in name][:3]
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UnknownParameterError(f"The report knows no module {root!r}.{hint}")

    def _above(self, root: int | None) -> set[int]:
        found = set()
        while root is not None and root >= 0:
            found.add(root)
            root = self.branches[root].parent
        return found

    def _signatures(self, distinct: set[int]) -> list[int]:
        """A number for each branch, equal where types, shapes and verdicts agree all the way down."""
        known: dict[object, int] = {}
        result = [-1] * len(self.branches)
        for index in reversed(self.order):
            branch = self.branches[index]
            parameters = [
                (p.name.rpartition(".")[2], p.shape, p.verdict, p.held_by if self._groups_tell else ())
                for p in branch.parameters
            ]
            children = [(self.branches[c].last, result[c]) for c in branch.children]
            key = (
                branch.type,
                branch.called,
                tuple(parameters),
                tuple(children),
                index if index in distinct else -1,
            )
            result[index] = known.setdefault(key, len(known))
        return result

    def _fold(self, signatures: list[int]) -> None:
        for index in self.order:
            branch = self.branches[index]
            if self.stand_in[index] == index:
                for group in self._groups(branch.children, signatures):
                    self.members[group[0]] = group
                    for member in group[1:]:
                        self.stand_in[member] = group[0]
            else:
                # A branch below a folded one: its children are drawn as the children of the one that stands in.
                twins = {self.branches[c].last: c for c in self.branches[self.stand_in[index]].children}
                for child in branch.children:
                    twin = twins[self.branches[child].last]
                    self.stand_in[child] = self.stand_in[twin]

    def _groups(self, children: Iterable[int], signatures: list[int]) -> list[list[int]]:
        runs: list[list[int]] = []
        for child in children:
            numbered = self.branches[child].last.isdecimal()
            if numbered and runs and signatures[runs[-1][0]] == signatures[child]:
                last = self.branches[runs[-1][-1]].last
                if last.isdecimal() and int(self.branches[child].last) == int(last) + 1:
                    runs[-1].append(child)
                    continue
            runs.append([child])
        if len(runs) <= MANY_SIBLINGS:
            return runs
        merged: dict[int, list[int]] = {}
        rest: list[list[int]] = []
        for run in runs:
            if self.branches[run[0]].last.isdecimal():
                merged.setdefault(signatures[run[0]], []).extend(run)
            else:
                rest.append(run)
        return [*rest, *merged.values()]

    def _count(self) -> None:
        for index in self.order:
            self.own[self.stand_in[index]].extend(self.branches[index].parameters)
        for index in range(len(self.branches)):
            self.held[index] = list(self.own[index])
        for index in reversed(self.order):
            parent = self.branches[index].parent
            if parent >= 0 and self.stand_in[index] == index and self.stand_in[parent] == parent:
                self.held[parent].extend(self.held[index])


def ranges(numbers: Sequence[int]) -> str:
    """Numbers as ranges: `0–4, 6, 8–11`.

    >>> ranges([0, 1, 2, 5, 7, 8])
    '0–2, 5, 7–8'
    """
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    shown = [str(part[0]) if len(part) == 1 else f"{part[0]}–{part[-1]}" for part in parts]
    return ", ".join(shown if len(shown) <= 4 else [*shown[:3], f"… {shown[-1]}"])
