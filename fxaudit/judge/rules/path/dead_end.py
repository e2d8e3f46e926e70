"""FXA103."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.answer.finding import Finding, Level
from fxaudit.judge.graph import UnusedValue
from fxaudit.judge.questions.dead_ends import before_logging, bound, lost_to_the_next_round, thrown_away
from fxaudit.judge.questions.left_out_keys import left_out_key
from fxaudit.judge.questions.lost import lost_at, refused_at
from fxaudit.judge.questions.replaced_entries import KEYS, entry_replaced
from fxaudit.judge.questions.shared_containers import OWN, overwritten_in_a_shared_one
from fxaudit.judge.questions.swallowed import swallowed
from fxaudit.judge.questions.terms_left_out import read_only_in_a_term_left_out
from fxaudit.judge.questions.terms_passed_over import passed_by_weight
from fxaudit.judge.questions.unreached_reads import (
    read_only_in_an_overridden_method,
    read_only_where_a_callee_came_not,
    read_only_where_nothing_ran,
)
from fxaudit.judge.questions.unread_arguments import not_passed_on
from fxaudit.judge.questions.unread_names import overlooked, overlooked_after
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import project_stack, return_after, source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.handing import collects, filtered_later
from fxaudit.program.source import SourceLine, is_library
from fxaudit.program.tree import NextRound, binding_of, decides, stands_alone

__all__ = ["DeadEnd"]

Related = list[tuple[SourceLine | None, str]]
ADD = "Add it to what the name held before: `{0} = {0} + …`."
EACH = "Use `{}` in each round, or keep what all rounds give it."
WITHIN = "Do this within the loop: behind it only what the last round made is left."


class DeadEnd(Rule):
    """What is computed from the parameter is not used by the loss.

    The forward reads the parameter, and the result is bound to a name, or dropped, and goes no further. A loss term
    that is computed and never added ends the same way, and so does one whose name is given the next term.
    """

    code, name, level = "FXA103", "dead-end", "error"
    fix = "Use the value in the loss, or remove the computation and its parameters."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line at which values end."""
        stacks = audit.record.stacks
        groups: dict[tuple[str, int], list[tuple[ParameterState, UnusedValue, int]]] = {}
        for state in audit.unexplained("unreachable"):
            if not audit.graph.is_read(state.index):
                continue
            end = audit.cause(state)
            if not isinstance(end, UnusedValue):
                continue
            end = before_logging(audit, state, end)
            stack = bound(audit, state, end)
            if stack >= 0 and is_library(stacks.file(stack)) and not audit.is_library_made([state]):
                stack = project_stack(stacks, stack)  # the user's own model puts the library's part to no use
            key = (stacks.file(stack), stacks.line(stack)) if stack >= 0 else ("", 0)
            groups.setdefault(key, []).append((state, end, stack))
        for (file, line), members in groups.items():
            states = [state for state, _, _ in members]
            _, end, stack = members[-1]
            op = audit.record.ops[end.op]
            caught = swallowed(audit, end)
            if caught is not None:
                message = (
                    f"{audit.names(states)}: `{caught.call}` refuses what is made of them, and the error is caught"
                )
                last = (audit.source(op.stack), f"the last operation, `{op.name}`")
                handled: Related = [(caught.handler, f"caught here: {caught.error}"), last]
                fix = "Mend what the call is given, and catch no more than you expect."
                yield self.finding(audit, states, message, caught.line, related=handled, fix=fix)
                continue
            told = _blamed(audit, states, end, stack)
            default = stack >= 0 and is_library(file) and audit.is_library_made(states)
            level: Level = "error" if audit.is_held(states) and not default and op.name != "autograd.grad" else "note"
            message = self._message(audit, states, op.name, (file, line)) + told.words
            related = [*told.related, (audit.source(op.stack), f"the last operation, `{op.name}`")]
            related += _further_ends(audit, states, end)
            yield self.finding(audit, states, message, told.culprit, related=related, level=level, fix=told.fix)

    def _message(self, audit: Audit, states: list[ParameterState], operation: str, place: tuple[str, int]) -> str:
        if binding_of(*place).kind == "discarded" and not collects(*place):
            return f"the result of `{operation}` is dropped, and with it {audit.names(states)}"
        if operation == "autograd.grad":
            return f"{audit.names(states, 'drops', 'drop')} out of the derivative that `autograd.grad` takes"
        if decides(*place):
            return f"{audit.names(states, 'only decides', 'only decide')} a branch, which gradient does not pass"
        them = "it" if len(states) == 1 else "them"
        return f"{audit.names(states)}: what `{operation}` makes of {them} is not used by the loss"

    @staticmethod
    def bad() -> Example:
        """The second layer gets the input instead of the first layer's output."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.first = nn.Linear(4, 4)
                self.second = nn.Linear(4, 4)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = torch.tanh(self.first(x))
                h = torch.tanh(self.second(x))  # FXA103
                return h

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The second layer goes on from the first."""
        import torch
        from torch import nn

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.first = nn.Linear(4, 4)
                self.second = nn.Linear(4, 4)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                h = torch.tanh(self.first(x))
                h = torch.tanh(self.second(h))
                return h

        model, x = Net(), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


@dataclass(frozen=True, slots=True)
class _Told:
    """The line to edit, what is related to it, how to edit it, and what the message says besides."""

    culprit: SourceLine | None
    related: Related
    fix: str | None = None
    words: str = ""


def _blamed(audit: Audit, states: list[ParameterState], end: UnusedValue, stack: int) -> _Told:
    """What is told of the value that ends where it was bound at `stack`."""
    op = audit.record.ops[end.op]
    culprit, related = _lines(audit, end, stack)
    never_ran, advice = read_only_in_an_overridden_method(audit, op.stack, stack), ""
    if not never_ran and stack >= 0:
        never_ran = read_only_where_a_callee_came_not(audit, stack)
    if not never_ran:
        never_ran, advice = read_only_in_a_term_left_out(audit, op.stack, stack)
    if never_ran:
        first, *others = never_ran
        unused = (culprit, "what is made here goes unused")
        return _Told(first[0], [*others, unused], advice or None, f": {first[1]}")
    next_round = lost_to_the_next_round(audit, end, stack)
    if next_round is not None:
        return _lost_to(audit, end, stack, next_round)
    replaced, key = entry_replaced(audit, op)
    if replaced:
        first, *others = replaced
        return _Told(first[0], [*others, (culprit, "what is made here is lost")], KEYS.format(key), f": {first[1]}")
    again = thrown_away(audit, stack)
    left_out = left_out_key(audit, states) if again is None else None
    if left_out is not None:
        return _Told(
            left_out.written, [(left_out.asked, left_out.role), (culprit, "made here"), *related], left_out.fix
        )
    shared = overwritten_in_a_shared_one(audit, op)
    if shared:
        return _Told(shared[0][0], [*shared[1:], (culprit, "what is made here is lost"), *related], OWN)
    is_a_term = again is not None and audit.record.values[end.value].numel == 1
    return _Told(culprit, related, ADD.format(again.name) if again is not None and is_a_term else None)


def _lost_to(audit: Audit, end: UnusedValue, stack: int, lost: NextRound) -> _Told:
    """What is told of a value that the next round of a loop takes the place of."""
    line, words = audit.source(stack), f": the next round gives `{lost.name}` another value"
    if lost.gathered:
        behind = source_at(audit.record.stacks.file(stack), lost.gathered)
        return _Told(behind, [(line, "made here in each round")], WITHIN, words)
    is_a_term = lost.is_known_before and audit.record.values[end.value].numel == 1
    return _Told(line, [], ADD.format(lost.name) if is_a_term else EACH.format(lost.name), words)


def _lines(audit: Audit, end: UnusedValue, stack: int) -> tuple[SourceLine | None, Related]:
    """The line to edit so that the value bound at `stack` is used, and what is related to it."""
    culprit = audit.source(stack)
    related: Related = []
    passed_over: Related = []
    alone = stands_alone(audit.record.stacks.file(stack), audit.record.stacks.line(stack)) if stack >= 0 else 0
    if alone:
        line = source_at(audit.record.stacks.file(stack), alone)
        return line, [(culprit, "what is made here is added to nothing: that line is a statement of its own")]
    unreached = read_only_where_nothing_ran(audit, stack) if stack >= 0 else []
    if unreached:
        return unreached[0][0], [*unreached[1:], (culprit, "what is made here goes unused")]
    again = thrown_away(audit, stack)
    if again is None:
        passed_over = [*_overlooked(audit, end, stack)] if stack >= 0 else []
        if passed_over and not _is_known_to_be_left(audit, end, stack):
            culprit, related = passed_over[0][0], [(culprit, "what is made here goes unused"), *passed_over[1:]]
        else:
            culprit, related = _handed_on(audit, end, stack, culprit, [*passed_over])
    elif again.is_to_edit or audit.record.values[end.value].numel == 1:
        culprit, related = again.source, [(culprit, "the value that is thrown away")]
    else:
        related = [(again.source, "the name is given another value here")]
    chosen = _chosen(audit, stack)
    weighed = passed_by_weight(audit, chosen) if chosen is not None and again is None else None
    if weighed is not None:
        return weighed[0], [*weighed[1], (audit.source(stack), "made here, and passed over"), *related]
    if chosen is not None and again is None and not _is_known_to_be_left(audit, end, stack):
        culprit, related = chosen, [(audit.source(stack), "made here, and passed over"), *related]
    elif chosen is not None:
        related.append((chosen, "what counts of the results is chosen here"))
    return _with_backward(audit, end, stack, (culprit, related), passed_over)


def _is_known_to_be_left(audit: Audit, end: UnusedValue, stack: int) -> bool:
    """Whether it was seen where the value is refused, or what it is handed to does not read it."""
    if stack < 0 or lost_at(audit.record, stack, end.op) is not None:
        return False
    return bool(_refused(audit, end, stack)) or len(not_passed_on(audit, stack)) > 1


def _refused(audit: Audit, end: UnusedValue, stack: int) -> list[tuple[SourceLine, str]]:
    """Where a test decides against the key under which the value was put away, in the frame `stack` or in a function
    that this called."""
    for frame in audit.record.stacks.chain(audit.record.ops[end.op].stack):
        found = refused_at(audit.record, frame)
        if found or frame == stack:
            return found
    return refused_at(audit.record, stack)


def _overlooked(audit: Audit, end: UnusedValue, stack: int) -> list[tuple[SourceLine, str]]:
    """Where the program goes on without the value: in the function that binds it, or in a caller that gets it."""
    value = audit.record.values[end.value]
    found = overlooked(audit, stack, value)
    if found:
        return found
    lost = lost_at(audit.record, stack, end.op)
    return overlooked_after(audit, stack, lost, value) if lost is not None and not lost.is_dropped else []


def _handed_on(
    audit: Audit, end: UnusedValue, stack: int, culprit: SourceLine | None, related: Related
) -> tuple[SourceLine | None, Related]:
    """The same where the value was handed on, or put aside, and is lost or refused elsewhere."""
    lost = lost_at(audit.record, stack, end.op)
    refused = _refused(audit, end, stack) if lost is None else []
    unread = not_passed_on(audit, stack)
    if len(unread) > 1:
        return unread[0][0], [*unread[1:], (culprit, "the value that nobody reads"), *related]
    if lost is not None and lost.is_dropped:
        culprit, related = lost.source, [(culprit, "made here"), *related]
    elif lost is not None:
        related = [*related, (lost.source, lost.role)]
    elif refused:
        culprit, related = refused[0][0], [*refused[1:], (culprit, "put aside here"), *related]
    related = [*related, *unread]
    if not unread and not refused and _chosen(audit, stack) is None and not _runs_backward(audit, stack):
        file, line = audit.record.stacks.file(stack), audit.record.stacks.line(stack)
        related.append(return_after(file, line, audit.record.ran().of(file)))
    return culprit, related


def _with_backward(
    audit: Audit, end: UnusedValue, stack: int, told: tuple[SourceLine | None, Related], passed_over: Related
) -> tuple[SourceLine | None, Related]:
    """The same where the value is a loss in its own right, and backward was called on another."""
    culprit, related = told
    backward = _other_backward(audit, end)
    if backward is None:
        return culprit, related
    line, is_part = backward
    if is_part and passed_over and not _runs_backward(audit, stack):
        return passed_over[0][0], [(culprit, "the whole loss is computed here"), *related[1:]]
    if is_part:
        return line, [(culprit, "the whole loss is computed here")]
    return culprit, [*related, (line, "backward is called on another value")]


def _further_ends(audit: Audit, states: list[ParameterState], end: UnusedValue) -> Related:
    """Where else a way to the loss ends."""
    cuts = [cut for state in states for cut in audit.graph.cuts(state.index)][:1]
    readers = [reader for reader in audit.graph.consumers.get(end.value, ()) if reader.module >= 0]
    return [
        *(
            (audit.op_source(cut.op), f"another way to the loss ends here, at `{audit.record.ops[cut.op].name}`")
            for cut in cuts
        ),
        *(
            (audit.source(reader.stack), f"read here, by `{reader.name}`, which passes no gradient on")
            for reader in readers
        ),
    ]


def _chosen(audit: Audit, stack: int) -> SourceLine | None:
    """The comprehension, in the function that binds the value or in a caller, that picks by a condition from the
    results that it is among."""
    stacks = audit.record.stacks
    for frame in stacks.chain(stack):
        file, line = stacks.file(frame), stacks.line(frame)
        if is_library(file):
            continue
        binding = binding_of(file, line)
        if binding.kind != "returned":
            found = filtered_later(file, line, binding.names)
            if found or frame != stack:
                return source_at(file, found) if found else None
    return None


def _other_backward(audit: Audit, end: UnusedValue) -> tuple[SourceLine | None, bool] | None:
    """Where the dead end is a loss in its own right: (the line of the backward, whether what it got is a part of
    it)."""
    record = audit.record
    value = record.values[end.value]
    if value.numel != 1 or not value.requires_grad:
        return None
    for event in reversed(audit.graph.backwards):
        part = end.value in audit.graph.downstream(event.roots)
        same = any(
            record.stacks.line(record.ops[end.op].stack) == record.stacks.line(record.ops[record.values[v].op].stack)
            for v in event.roots
            if record.values[v].op >= 0 and record.ops[record.values[v].op].stack >= 0 and record.ops[end.op].stack >= 0
        )
        if part or same:
            return audit.source(event.stack), part
    return None


def _runs_backward(audit: Audit, stack: int) -> bool:
    """Whether the function that binds the value is the one that calls backward: then it returns no loss."""
    stacks = audit.record.stacks
    code = stacks.codes[stack]
    return any(stacks.codes[i] is code for event in audit.graph.backwards for i in stacks.chain(event.stack))
