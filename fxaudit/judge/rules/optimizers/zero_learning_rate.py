"""FXA304."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.capture.events import SchedulerStepEvent, StepEvent
from fxaudit.capture.registry import OptimizerInfo
from fxaudit.judge.questions.births import (
    born_at,
    factor_born,
    group_rate_born,
    own_factor_born,
    rate_born,
    unheard_before,
    unread_setting,
)
from fxaudit.judge.questions.copied_rates import copied_rate
from fxaudit.judge.questions.rates import given_rate, schedule_origins, stepped_outside, written_rate
from fxaudit.judge.questions.steps_for_rounds import COUNT_ROUNDS, steps_for_rounds
from fxaudit.judge.questions.unread_writes import unread_writes
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import source_at, why_never_called
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.birth import Birth
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import call_sites, tree_of

__all__ = ["ZeroLearningRate"]


class ZeroLearningRate(Rule):
    """The learning rate is 0 at every step.

    Set so at construction, by a scheduler whose factor is 0 (a warm-up that starts at 0 and is never advanced, say), or
    by hand. A schedule that starts or ends at 0 and passes other values is not this.
    """

    code, name, level = "FXA304", "zero-learning-rate", "error"
    fix = "Give the optimizer a learning rate above 0, and advance the scheduler after each step."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each optimizer that never stepped with another rate."""
        for info in audit.recording.optimizers:
            states = [s for s in audit.unexplained("blocked") if self._is_stuck(audit, s, info)]
            if states:
                culprit, related, fix = _origin(audit, info, states)
                yield self.finding(
                    audit,
                    states,
                    f"{audit.called(info.index)} steps {audit.names(states)} with learning rate 0",
                    culprit,
                    related=related,
                    fix=fix or None,
                )
            waiting = [s for s in audit.unexplained("unknown") if audit.judge.is_warming(s)]
            waiting = [s for s in waiting if any(index == info.index for index, _ in s.held)]
            if waiting:
                message = f"the learning rate of {audit.names(waiting)} is 0 now, and its scheduler raises it later"
                yield self.finding(audit, waiting, message, audit.source(info.created), level="note")

    def _is_stuck(self, audit: Audit, state: ParameterState, info: OptimizerInfo) -> bool:
        if not any(index == info.index for index, _ in state.held):
            return False
        if state.facts:
            return all(fact.lr == 0 for fact in state.facts)
        rates = [info.groups[group][0] for index, group in state.held if index == info.index]
        return not audit.judge.looped and bool(rates) and all(rate == 0 for rate in rates)

    @staticmethod
    def bad() -> Example:
        """A warm-up that starts at 0 and is never advanced."""
        import torch
        from torch import nn
        from torch.optim.lr_scheduler import LambdaLR

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            scheduler = LambdaLR(optimizer, lambda step: min(1.0, step / 10))  # FXA304
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()
            print(f"learning rate {scheduler.get_last_lr()}")

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """The scheduler is advanced after each step."""
        import torch
        from torch import nn
        from torch.optim.lr_scheduler import LambdaLR

        def train() -> None:
            model, x = nn.Linear(4, 1), torch.randn(8, 4)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            scheduler = LambdaLR(optimizer, lambda step: min(1.0, step / 10))
            for _ in range(3):
                optimizer.zero_grad()
                model(x).square().mean().backward()
                optimizer.step()
                scheduler.step()
            print(f"learning rate {scheduler.get_last_lr()}")

        return Example(train=train)


Lines = list[tuple[SourceLine | None, str]]
COPIED = (
    "Give the group the rate that was set, in the place of `{}`, which was 0 then, and build the schedule behind it: "
    "one that is there already does not raise it."
)
LOADED = "Give each group its learning rate again after loading: the state was saved when it was 0."


def _origin(audit: Audit, info: OptimizerInfo, states: list[ParameterState]) -> tuple[SourceLine | None, Lines, str]:
    """The line to edit, what is related to it, and what to do where that is not to raise the rate."""
    built = audit.source(info.created)
    vain = next((write for write in unread_writes(audit) if write.key == "lr"), None)
    if vain is not None:
        written_here = (vain.source, f"`lr` is written into {vain.into} here, and no optimizer reads that")
        return vain.to_edit, [written_here, (built, "the optimizer is built here, with the rate 0")], vain.help
    if info.zeroed_on_load >= 0:
        loaded = audit.source(info.zeroed_on_load)
        return loaded, [(built, "the optimizer is built here, with a rate above 0")], LOADED
    copied = copied_rate(audit, info, states)
    if copied is not None:
        role = "the group joins the optimizer here, while a warm-up has the rate of the others at 0"
        told = [(copied.joined, role)] if copied.joined != copied.source else []
        return copied.source, [*told, (built, "the optimizer is built here")], COPIED.format(copied.text)
    written = written_rate(audit.record)
    if written is not None and _others_move(audit, info):  # what all groups are given is not 0 at every step
        own = own_factor_born(audit.record, written.tree.file, written.line, written.value)
        if own is not None and (own.is_a_setting or own.is_whole):
            line, stations = born_at(own)
            here = source_at(written.tree.file, written.line)
            told = [*stations[:3], (here, "multiplied with it here"), (built, "the optimizer is built here")]
            multiplied = f"Change `{own.text}`: the rate of these groups is multiplied by what it gives, and that is 0."
            return line, told, unread_setting(own) or multiplied
    given = rate_born(audit.record, info, written=False) if written is None else None
    if info.schedulers and given is None:
        stack, kind = info.schedulers[info.zeroed_by]
        scheduler = audit.source(stack)
        factors: Lines = [*schedule_origins(audit, info)]
        related: Lines = [
            (scheduler, f"the {kind} is built here"),
            *factors[:1],
            (built, "the optimizer is built here"),
        ]
        if info.scheduler_steps == 0 and audit.judge.looped:
            receivers = _bound_names(audit, stack)
            seen = [e.stack for e in audit.record.events if isinstance(e, StepEvent | SchedulerStepEvent)]
            why = why_never_called(audit.record, "step", seen, receivers)
            if why:
                return why[0][0], [*why[1:], *related], ""
        born = factor_born(audit.record, info)
        born = (unheard_before(audit.record, born) if born is not None and _is_returned(born) else None) or born
        is_rare = 2 * info.scheduler_steps < info.steps
        in_steps = steps_for_rounds(audit.record, info) if is_rare else None
        if in_steps is not None:
            product, asked, text = in_steps
            asked += [(scheduler, f"the {kind} is built here"), (built, "the optimizer is built here")]
            return product, asked, COUNT_ROUNDS.format(text)
        rarely = stepped_outside(audit, _bound_names(audit, stack)) if is_rare else None
        # A function of the schedule that returns 0 at first, and more later, is not to blame for that.
        if rarely is not None and (born is None or not born.is_a_setting or _is_returned(born)):
            line, stepping = rarely
            told = [(stepping, "the optimizer steps in this loop, in each of its rounds"), *related]
            return line, told, "Advance the scheduler where the optimizer steps, or count its steps as it is advanced."
        if born is not None and (born.is_a_setting or born.is_whole):
            line, stations = born_at(born)
            behind = [(scheduler, f"the {kind} is built here"), *stations, (built, "the optimizer is built here")]
            return line, behind, unread_setting(born)
        return scheduler, [*factors[:2], (built, "the optimizer is built here")], ""
    rate = written or given_rate(audit, info)
    born = given or rate_born(audit.record, info, written=written is not None)
    born = born or (group_rate_born(audit.record, audit.project_files) if rate is None else None)
    if born is not None and (born.is_a_setting or born.is_whole):
        line, stations = born_at(born)
        return line, [*stations[:2], (built, "the optimizer is built here")], unread_setting(born)
    if rate is None:
        return built, [], ""
    culprit, behind = rate.explanation(audit)
    callers = _callers(audit, source_at(written.tree.file, written.line)) if written is not None else []
    behind = [(line, role) for line, role in behind if line != culprit]
    return culprit, [*behind[:1], *callers, (built, "the optimizer is built here"), *behind[1:]], ""


def _others_move(audit: Audit, info: OptimizerInfo) -> bool:
    """Whether the optimizer steps some other parameter with a rate above 0."""
    held = (state for state in audit.states if any(index == info.index for index, _ in state.held))
    return any(fact.lr != 0 for state in held for fact in state.facts if fact.optimizer == info.index)


def _is_returned(birth: Birth) -> bool:
    """Whether the number stands in one of several `return` statements of a function."""
    tree = tree_of(birth.file)
    statement = tree.statement_at(birth.line) if tree is not None else None
    scope = tree.function(statement) if tree is not None and statement is not None else None
    returns = [node for node in ast.walk(scope) if isinstance(node, ast.Return)] if scope is not None else []
    return isinstance(statement, ast.Return) and len(returns) > 1


def _callers(audit: Audit, written: SourceLine) -> Lines:
    """The calls of the user's function that writes the rate: what it is given decides."""
    function = written.function.rsplit(".", 1)[-1]
    if not function.isidentifier():
        return []
    sites = [source_at(tree.file, node.lineno) for tree, node in call_sites(audit.project_files, function)]
    return [(site, f"`{function}` is called here") for site in sites[:2]]


def _bound_names(audit: Audit, stack: int) -> frozenset[str]:
    from fxaudit.program.tree import binding_of

    stacks = audit.record.stacks
    names: set[str] = set()
    for frame in stacks.chain(stack)[:3]:
        for name in binding_of(stacks.file(frame), stacks.line(frame)).names:
            names.add(name.rsplit(".", 1)[-1])
    return frozenset(names)
