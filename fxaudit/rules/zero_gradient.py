"""FXA501."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.blame import source_at
from fxaudit.finding import Finding
from fxaudit.flow import OVERWRITING, Vanishing
from fxaudit.rule import Audit, Example, Rule
from fxaudit.rules.vanishing import Origins, integer_zero, zero_number
from fxaudit.source import SourceLine
from fxaudit.syntax import tree_of
from fxaudit.verdict import FULL_WRITES, ParameterState

__all__ = ["ZeroGradient"]


DROPOUTS = ("dropout", "alpha_dropout", "feature_dropout")


class ZeroGradient(Rule):
    """The gradient is exactly zero at every step.

    Somewhere on the way back the gradient is multiplied by zero: a loss weight of 0, a zero mask or weight, a softmax
    over one element, a dead or saturated activation, a dropout of everything, a backward that returns zeros. The
    culprit is the line that made the zero; the place where it bites is given beside it.
    """

    code, name, level = "FXA501", "zero-gradient", "error"
    fix = "Remove the zero factor: look at the operation named here and at what it multiplies with."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each origin of zeros."""
        origins = Origins(audit)
        groups: dict[
            tuple[str, int], tuple[SourceLine | None, list[tuple[SourceLine | None, str]], str, list[ParameterState]]
        ] = {}
        for state in audit.unexplained("blocked"):
            if state.arrived != "zero":
                continue
            found = origins.of(state)
            if found is not None and found.how in ("hook",):
                continue
            culprit, related, words = self._culprit(audit, state, found)
            key = (culprit.file, culprit.line) if culprit is not None else ("", 0)
            groups.setdefault(key, (culprit, related, words, []))[3].append(state)
        for culprit, related, words, states in groups.values():
            yield self.finding(
                audit,
                states,
                f"the gradient of {audit.names(states)} is exactly zero: {words}",
                culprit,
                related=related,
            )

    def _culprit(
        self, audit: Audit, state: ParameterState, found: Vanishing | None
    ) -> tuple[SourceLine | None, list[tuple[SourceLine | None, str]], str]:
        if found is None:
            events = [e for e in audit.graph.backwards if state.index in e.arrived]
            line = audit.source(events[-1].stack) if events and audit.judge.looped else None
            return line, [], "where it vanishes was not seen"
        bites = audit.op_source(found.bites)
        name = audit.record.ops[found.bites].name if found.bites >= 0 else found.node
        match found.how:
            case "number":
                literal = zero_number(audit, found.bites)
                return literal or bites, [(bites, "multiplied by 0 here")], "it is multiplied by 0"
            case "factor":
                origin = audit.op_source(found.origin)
                return (
                    origin or bites,
                    [(bites, f"`{name}` multiplies with it here")],
                    f"`{name}` multiplies it with zeros",
                )
            case "backward":
                related = [(bites, "applied here"), (integer_zero(audit, found.bites), "a whole number is made here")]
                return audit.op_source(found.origin), related, "a backward returns zeros"
            case "selected":
                return bites, [], f"`{name}` reads another part of what it is joined with"
            case "cancelled":
                alias = _alias(bites)
                return alias or bites, [(bites, f"`{name}` cancels it here")], "the gradients of its uses cancel out"
        if name in OVERWRITING:
            return bites, _further_writes(audit, found.bites), f"`{name}` overwrites what is computed from it"
        made = _module_made(audit, found.bites)
        if made is not None and (name in DROPOUTS or _drops_everything(audit, found.bites)):
            return made, [(bites, "everything is dropped here")], "dropout drops everything"
        fed = _fed_by(audit, found.bites)
        constant = _constant_behind(audit, found.bites)
        if constant is not None:
            return (
                bites,
                [(constant, "a parameter before it was set to a constant here"), (fed, "its input comes from here")],
                (f"`{name}` has derivative 0 there"),
            )
        return (
            bites,
            [(made, "the module is made here"), (fed, "its input comes from here")],
            f"`{name}` has derivative 0 there",
        )

    @staticmethod
    def bad() -> Example:
        """A loss term with weight 0."""
        import torch
        from torch import nn

        body, aux = nn.Linear(4, 1), nn.Linear(4, 1)
        model, x = nn.ModuleDict({"body": body, "aux": aux}), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        alpha = 0.0  # FXA501
        return Example(model, lambda: body(x).square().mean() + alpha * aux(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The term counts."""
        import torch
        from torch import nn

        body, aux = nn.Linear(4, 1), nn.Linear(4, 1)
        model, x = nn.ModuleDict({"body": body, "aux": aux}), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        alpha = 0.3
        return Example(model, lambda: body(x).square().mean() + alpha * aux(x).square().mean(), optimizer)


def _further_writes(audit: Audit, index: int) -> list[tuple[SourceLine | None, str]]:
    """The later writes into the same tensor, which may overwrite the rest of it."""
    graph, found = audit.graph, []
    queue, seen = list(audit.record.ops[index].outputs), set()
    while queue:
        for op in graph.consumers.get(queue.pop(0), ()):
            if op.name in OVERWRITING and op.mutates and op.index not in seen:
                seen.add(op.index)
                found.append((audit.source(op.stack), f"`{op.name}` overwrites a part of it, too"))
                queue.extend(op.outputs)
    return found


def _alias(source: SourceLine | None) -> SourceLine | None:
    """The assignment `a = b` that makes two names in the line stand for one tensor."""
    tree = tree_of(source.file) if source is not None else None
    statement = tree.statement_at(source.line) if tree is not None and source is not None else None
    if tree is None or statement is None:
        return None
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    for node in ast.walk(tree.function(statement) or tree.root):
        match node:
            case ast.Assign(targets=[ast.Name(id=one)], value=ast.Name(id=other)) if {one, other} <= names:
                return source_at(tree.file, node.lineno)
    return None


def _drops_everything(audit: Audit, index: int) -> bool:
    """Whether the module that ran the operation drops with probability 1 inside, as a recurrent layer does."""
    call = audit.record.ops[index].module
    module = audit.session.modules[audit.record.calls[call].module].ref() if call >= 0 else None
    return bool(getattr(module, "dropout", 0) == 1)


def _module_made(audit: Audit, index: int) -> SourceLine | None:
    """Where the module that ran the operation was made, if it is one of torch's own."""
    call = audit.record.ops[index].module if index >= 0 else -1
    if call < 0:
        return None
    info = audit.session.modules[audit.record.calls[call].module]
    module = info.ref()
    if module is None or not type(module).__module__.startswith("torch.nn"):
        return None
    return audit.source(info.created)


def _fed_by(audit: Audit, index: int) -> SourceLine | None:
    """The last operation outside every module that the operation's input comes from."""
    if index < 0:
        return None
    record = audit.record
    queue, seen = list(record.ops[index].inputs), set()
    while queue:
        vid = queue.pop(0)
        if vid in seen:
            continue
        seen.add(vid)
        value = record.values[vid]
        if value.op < 0 or value.track >= 0:
            continue
        op = record.ops[value.op]
        if op.module < 0:
            return audit.source(op.stack)
        queue.extend(op.inputs)
    return None


def _constant_behind(audit: Audit, index: int) -> SourceLine | None:
    """The user's line that set a parameter of the operation just before to one constant, such as a bias of -50."""
    record = audit.record
    before = (
        [record.values[vid].op for vid in record.ops[index].inputs if record.values[vid].op >= 0] if index >= 0 else []
    )
    for op in before:
        for vid in record.ops[op].inputs:
            track = record.values[vid].track
            if track < 0:
                continue
            written = [
                writer
                for writer in record.ops[:op]
                if writer.module < 0
                and writer.name in FULL_WRITES
                and set(writer.mutates) & set(record.tracks[track].values)
            ]
            if written and audit.session.is_constant(track):
                return audit.source(written[-1].stack)
    return None
