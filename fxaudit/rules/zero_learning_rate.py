"""FXA304."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from fxaudit.blame import project_files, source_at, why_never_called
from fxaudit.capture.session import OptimizerInfo
from fxaudit.finding import Finding
from fxaudit.rule import Audit, Example, Rule
from fxaudit.source import SourceLine
from fxaudit.syntax import call_sites, sliced_statements, tree_of
from fxaudit.verdict import ParameterState

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
        for info in audit.session.optimizers:
            states = [s for s in audit.unexplained("blocked") if self._is_stuck(audit, s, info)]
            if states:
                culprit, related = _origin(audit, info, states)
                yield self.finding(
                    audit,
                    states,
                    f"`{info.type}` steps {audit.names(states)} with learning rate 0",
                    culprit,
                    related=related,
                )

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


def _origin(audit: Audit, info: OptimizerInfo, states: list[ParameterState]) -> tuple[SourceLine | None, Lines]:
    built = audit.source(info.created)
    if info.schedulers:
        stack, kind = info.schedulers[info.zeroed_by]
        scheduler = audit.source(stack)
        related: Lines = [(scheduler, f"the {kind} is built here"), (built, "the optimizer is built here")]
        if info.scheduler_steps == 0:
            receivers = _bound_names(audit, stack)
            seen = [event.stack for event in audit.record.events if event.kind in ("step", "scheduler step")]
            why = why_never_called(audit.record, "step", seen, receivers)
            if why:
                return why[0][0], [*why[1:], *related]
        return scheduler, [(built, "the optimizer is built here")]
    written = _written_rate(audit)
    if written is not None and not _constructed_with_zero(audit, info):
        return written, [*_callers(audit, written), (built, "the optimizer is built here")]
    group = _group_line(audit, info)
    if group is not None:
        return group, [(built, "the optimizer is built here")]
    return built, []


def _bound_names(audit: Audit, stack: int) -> frozenset[str]:
    from fxaudit.syntax import binding_of

    stacks = audit.record.stacks
    names: set[str] = set()
    for frame in stacks.chain(stack)[:3]:
        for name in binding_of(stacks.file(frame), stacks.line(frame)).names:
            names.add(name.rsplit(".", 1)[-1])
    return frozenset(names)


def _written_rate(audit: Audit) -> SourceLine | None:
    """An assignment to some `["lr"]` in the user's files, the last one."""
    found = None
    for file in project_files(audit.record):
        tree = tree_of(file)
        if tree is None:
            continue
        for node in ast.walk(tree.root):
            if isinstance(node, ast.Assign | ast.AugAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                for target in targets:
                    if (
                        isinstance(target, ast.Subscript)
                        and isinstance(target.slice, ast.Constant)
                        and target.slice.value == "lr"
                    ):
                        found = source_at(file, node.lineno)
    return found


def _callers(audit: Audit, written: SourceLine) -> Lines:
    """The calls of the user's function that writes the rate: what it is given decides."""
    function = written.function.rsplit(".", 1)[-1]
    if not function.isidentifier():
        return []
    sites = [source_at(tree.file, node.lineno) for tree, node in call_sites(project_files(audit.record), function)]
    return [(site, f"`{function}` is called here") for site in sites[:2]]


def _constructed_with_zero(audit: Audit, info: OptimizerInfo) -> bool:
    return any(
        event.kind == "optimizer" and event.subject == info.index and event.text.endswith("lr=0")
        for event in audit.record.events
    )


def _group_line(audit: Audit, info: OptimizerInfo) -> SourceLine | None:
    """The keyword `lr=0` or the entry `"lr": 0` in the construction or in a config, where it stands literally."""
    if info.created < 0:
        return None
    stacks = audit.record.stacks
    for frame in stacks.chain(info.created)[:2]:
        file, line = stacks.file(frame), stacks.line(frame)
        tree = tree_of(file)
        statement = tree.statement_at(line) if tree else None
        if tree is None or statement is None:
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and key.value == "lr" and _is_zero(value):
                        return source_at(file, key.lineno)
            if isinstance(node, ast.keyword) and node.arg == "lr":
                if _is_zero(node.value):
                    return source_at(file, node.value.lineno)
                named = _named_zero(audit, node.value)
                if named is not None:
                    return named
    return _rate_in_slice(audit, info)


def _rate_in_slice(audit: Audit, info: OptimizerInfo) -> SourceLine | None:
    """The entry `"lr": …` of a group that was put together before, in what the first argument was made from."""
    stacks = audit.record.stacks
    for frame in stacks.chain(info.created)[:2]:
        for file, line, _ in sliced_statements(stacks.file(frame), stacks.line(frame)):
            tree = tree_of(file)
            statement = tree.statement_at(line) if tree else None
            for node in ast.walk(statement) if statement is not None else ():
                if isinstance(node, ast.Dict):
                    for key in node.keys:
                        if isinstance(key, ast.Constant) and key.value == "lr":
                            return source_at(file, key.lineno)
                if isinstance(node, ast.keyword) and node.arg == "lr":
                    return source_at(file, node.value.lineno)
    return None


def _named_zero(audit: Audit, value: ast.expr) -> SourceLine | None:
    """Where a name, attribute or config key used as the rate is given the value 0."""
    names = set()
    for node in ast.walk(value):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str() as name):
                names.add(name)
    for file in project_files(audit.record):
        tree = tree_of(file)
        if tree is None:
            continue
        for node in ast.walk(tree.root):
            match node:
                case ast.Assign(targets=targets, value=assigned) if _is_zero(assigned) and any(
                    isinstance(t, ast.Name | ast.Attribute)
                    and (getattr(t, "id", "") in names or getattr(t, "attr", "") in names)
                    for t in targets
                ):
                    return source_at(file, node.lineno)
                case ast.Dict(keys=keys, values=values):
                    for key, entry in zip(keys, values, strict=True):
                        if isinstance(key, ast.Constant) and key.value in names and _is_zero(entry):
                            return source_at(file, key.lineno)
                case ast.keyword(arg=str() as name, value=entry) if name in names and _is_zero(entry):
                    return source_at(file, entry.lineno)
    return None


def _is_zero(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not isinstance(node.value, bool) and node.value == 0
