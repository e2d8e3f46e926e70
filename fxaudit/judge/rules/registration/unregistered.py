"""FXA205."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.cut_rule import rewrapping_lines
from fxaudit.judge.questions.containers import filled_at, owner_of
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import project_stack, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.repairs import registered
from fxaudit.program.source import SourceLine, actual_path
from fxaudit.program.tree import tree_of

__all__ = ["Unregistered"]


CALLED = frozenset({"__call__", "forward"})
"""What a class has that was meant for a module."""
CALLERS = 3
"""So many calls above the line that made a tensor may be the cached property's own."""
CACHED = (
    "Make it in `__init__` and set it as an attribute: `cached_property` puts it past `nn.Module`, and only when it is "
    "first read."
)
PLAIN = "Derive the class from `nn.Module`, call `super().__init__()` first, and name what is called `forward`."


class Unregistered(Rule):
    """Parameters are kept where `nn.Module` does not look.

    Modules and Parameters in a Python list, dict or tuple, in a plain object or in a closure are not in
    `model.parameters()`, so no optimizer gets them, `.to()` does not move them and `state_dict()` forgets them.
    """

    code, name, level = "FXA205", "unregistered", "error"
    fix = "Use `nn.ModuleList`, `nn.ModuleDict`, `nn.ParameterList` or `nn.Parameter` attributes."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each container or attribute."""
        groups: dict[
            tuple[str, int], tuple[SourceLine | None, list[tuple[SourceLine | None, str]], str, list[ParameterState]]
        ] = {}
        rewrapping = rewrapping_lines(audit)
        for state in audit.unexplained("unregistered"):
            if not state.track.is_leaf or not _is_own_leaf(audit, state):
                continue
            source, related, kind = filled_at(audit, state)
            if state.mechanism == "cut off":
                cut = audit.graph.cuts(state.index)[0]
                related = [(audit.op_source(cut.op), "and here what is computed from it is cut off"), *related]
            source = source or audit.source(project_stack(audit.record.stacks, _made(state)))
            if source is not None and (source.file, source.line) in rewrapping:
                continue
            cached = _cached_at(audit, state)
            if cached is not None and source is not None:
                source, related = cached, [(source, "made here, at the first reading"), *related]
            plain = _plain_class(audit, state, source)
            if plain is not None and source is not None:
                source, related = plain, [(source, "kept here"), *related]
            key = (source.file, source.line) if source is not None else (state.name.split("[")[0], 0)
            groups.setdefault(key, (source, related, kind, []))[3].append(state)
        for source, related, kind, states in groups.values():
            refused = next((info for info in audit.recording.optimizers if info.refused), None)
            if refused is not None:
                related = [*related, (audit.source(refused.created), "so this optimizer gets no parameter")]
            elif audit.recording.optimizers and all(state.mechanism == "elsewhere" for state in states):
                related = [
                    *related,
                    (audit.source(audit.recording.optimizers[0].created), "the optimizer is built here"),
                ]
            if _cached_at(audit, states[0]) is not None:
                fix = CACHED
            elif source is not None and source.code.startswith("class "):
                fix = PLAIN
            else:
                fix = _fix(kind) + registered(source, modules=all("]." in state.name for state in states))
            yield self.finding(
                audit,
                states,
                f"{audit.names(states, 'is', 'are')} kept in {kind}, where `parameters()` does not look",
                source,
                related=related,
                fix=fix,
            )

    @staticmethod
    def bad() -> Example:
        """Layers in a Python list."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layers = [nn.Linear(4, 4) for _ in range(2)]  # FXA205
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                for layer in self.layers:
                    x = torch.tanh(layer(x))
                return torch.sigmoid(self.head(x))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """Layers in a `ModuleList`."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])
                self.head = nn.Linear(4, 1)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                for layer in self.layers:
                    x = torch.tanh(layer(x))
                return torch.sigmoid(self.head(x))

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _made(state: ParameterState) -> int:
    """The stack at which the tensor was made, or else was told to require gradients; -1 where neither was seen."""
    track = state.track
    return track.created if track.created >= 0 else next((stack for _, flag, stack in track.freezes if flag), -1)


def _is_own_leaf(audit: Audit, state: ParameterState) -> bool:
    """Whether the tensor itself is kept, rather than something computed from it (that is FXA206)."""
    return owner_of(audit, state) is None or not owner_of(audit, state).kept.derived  # type: ignore[union-attr]


def _plain_class(audit: Audit, state: ParameterState, source: SourceLine | None) -> SourceLine | None:
    """The line of the class without a base whose `__init__` made the tensor, where a module keeps an object of it as
    an attribute, and the object is called as a module is."""
    tree = tree_of(actual_path(source.file)) if source is not None else None
    statement = tree.statement_at(source.line) if tree is not None and source is not None else None
    match statement:
        case ast.Assign(targets=[ast.Attribute()], value=ast.Call(func=ast.Name(id=kind) | ast.Attribute(attr=kind))):
            pass
        case _:
            return None
    stacks = audit.record.stacks
    for frame in stacks.chain(project_stack(stacks, state.track.created))[:CALLERS]:
        made_in = tree_of(stacks.file(frame))
        for owner in made_in.statements if made_in is not None else ():
            if isinstance(owner, ast.ClassDef) and owner.name == kind and _stands_alone(owner) and made_in is not None:
                methods = {part.name for part in owner.body if isinstance(part, ast.FunctionDef)}
                if not methods.isdisjoint(CALLED):
                    return source_at(made_in.file, owner.lineno)
    return None


def _stands_alone(owner: ast.ClassDef) -> bool:
    """Whether the class is derived from nothing, and nothing else makes something of it, such as `dataclass`."""
    return not owner.bases and not owner.decorator_list


def _cached_at(audit: Audit, state: ParameterState) -> SourceLine | None:
    """The decorator `cached_property` of the function in which the tensor was made."""
    stacks = audit.record.stacks
    for frame in stacks.chain(project_stack(stacks, state.track.created))[:CALLERS]:
        tree = tree_of(stacks.file(frame))
        statement = tree.statement_at(stacks.line(frame)) if tree is not None else None
        function = tree.function(statement) if tree is not None and statement is not None else None
        for decorator in getattr(function, "decorator_list", ()):
            if getattr(decorator, "attr", getattr(decorator, "id", "")) == "cached_property":
                return source_at(stacks.file(frame), decorator.lineno)
    return None


def _fix(kind: str) -> str:
    if "list" in kind or "tuple" in kind:
        return "Use `nn.ModuleList([...])` (or `nn.ParameterList` for bare Parameters) instead of the Python list."
    if "dict" in kind:
        return "Use `nn.ModuleDict({...})` (or `nn.ParameterDict`) instead of the Python dict."
    return "Make it an attribute of the module as `nn.Parameter` or `nn.Module`, before the optimizer is built."
