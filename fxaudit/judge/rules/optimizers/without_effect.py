"""FXA308."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.thawing import empty_thaws
from fxaudit.judge.questions.unread_writes import unread_writes
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.groups import local_updates
from fxaudit.program.reached import was_passed
from fxaudit.program.rebound_loop_variables import rebindings
from fxaudit.program.source import SourceLine
from fxaudit.program.state_dict_writes import comes_to, lost_entries
from fxaudit.program.tree import tree_of

__all__ = ["WithoutEffect"]

NEARLY = re.compile(r"^require[sd]?_?grad(s|ient|ients)?$", re.I)
"""What is written for `requires_grad`; a tensor and a module take any attribute without a word."""
RATES = ("learning_rate", "learningrate", "LR", "Lr", "lr_rate")
"""What is written for the key `lr` of a param group."""


class WithoutEffect(Rule):
    """A setting is written where nobody reads it.

    `p.require_grad = True` makes a new attribute, for a tensor takes any name; a param group takes any key, and the
    optimizer reads only its own. A loop that unfreezes what it selects may select nothing; a rate may be written into a
    copy of the param groups (`state_dict()` gives one, too), into `optimizer.defaults`, or into an attribute of the
    optimizer. `t = decay * t + …` in a loop over parameters gives the loop's variable a value, and entries written into
    what `state_dict()` gave are loaded by nobody. Nothing complains, and everything stays as it was.
    """

    code, name, level = "FXA308", "without-effect", "warning"
    explains = frozenset({"frozen"})
    fix = "Write the name that torch reads: `requires_grad` of a parameter, `lr` of a param group."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each misspelt name, each key that an optimizer does not know, each thaw that selects nothing,
        and each write to what no optimizer reads."""
        groups: dict[tuple[str, bool], list[ParameterState]] = {}
        for state in audit.states:
            for name, flag in _misspelt(state):
                groups.setdefault((name, flag), []).append(state)
        for (name, flag), states in groups.items():
            effect = "unfreezes" if flag else "freezes"
            yield self.finding(
                audit,
                states,
                f"`{name} = {flag}` {effect} nothing of {audit.names(states)}",
                _written(audit, name),
                fix=f"Write `requires_grad = {flag}`, or call `requires_grad_({flag})`.",
            )
        if not groups:
            yield from self._yet_to_come(audit)
        yield from self._rates(audit)
        yield from self._thaws(audit)
        yield from self._unread(audit)
        yield from self._rebound(audit)
        yield from self._not_loaded(audit)

    def _not_loaded(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each write into what `state_dict()` gave that nobody loads."""
        ran = audit.record.ran()
        for tree, statement, model in lost_entries(audit.project_files):
            if was_passed(audit.project_files, ran, tree, statement) or comes_to(
                audit.project_files, ran, tree, statement
            ):
                yield self.finding(
                    audit,
                    (),
                    f"what is written into `{model}.state_dict()` here changes no parameter, only that mapping",
                    source_at(tree.file, statement.lineno),
                    fix=f"Load it: `{model}.load_state_dict(…)`.",
                )

    def _rebound(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each update that a loop over parameters gives its own variable."""
        for found in rebindings(audit.project_files, audit.record.ran()):
            if (found.file, found.line) in local_updates(audit.project_files):
                continue
            frozen = [s for s in audit.unexplained("frozen") if f".{found.owner}." in f".{s.name}"]
            what = f", so {audit.names(frozen, 'keeps its value', 'keep their values')}" if frozen else ""
            yield self.finding(
                audit,
                frozen,
                f"`{found.variable} = …` only rebinds the variable of the loop: no parameter is written{what}",
                source_at(found.file, found.line),
                fix=f"Write into the parameter, under `torch.no_grad()`: `{found.variable}.copy_(…)`, or `lerp_`.",
            )

    def _yet_to_come(self, audit: Audit) -> Iterator[Finding]:
        """What the program would write, where it comes to that, into what an optimizer holds frozen."""
        held = [state for state in audit.unexplained("frozen") if state.held]
        found = next((pair for file in audit.project_files for pair in _misspelt_thaws(file)), None) if held else None
        if found is not None:
            line, name = found
            yield self.finding(
                audit,
                held,
                f"`{name} = True` would unfreeze nothing of {audit.names(held)}",
                line,
                fix="Write `requires_grad = True`, or call `requires_grad_(True)`.",
            )

    def _thaws(self, audit: Audit) -> Iterator[Finding]:
        frozen = [state for state in audit.unexplained("frozen") if state.track.freezes]
        if not frozen or audit.recording.mode.is_part:
            return
        trains = bool(audit.having("trained"))
        for thaw in empty_thaws(audit):
            met = f": {thaw.seen}" if thaw.seen else ""
            yield self.finding(
                audit,
                frozen,
                f"`{thaw.text}` selects nothing to unfreeze{met}",
                thaw.source,
                related=thaw.related,
                level="note" if thaw.asks_kind and trains else None,
                fix=thaw.advice or "Print what is selected; select by a name or a place that the model has.",
                fact=f"`{thaw.text}` selects nothing{met}",
            )

    def _unread(self, audit: Audit) -> Iterator[Finding]:
        stays = any(state.facts and all(fact.lr == 0 for fact in state.facts) for state in audit.unexplained("blocked"))
        for write in unread_writes(audit):
            if write.key == "lr" and stays:
                continue  # the rate is 0 for it: FXA304 tells of both
            yield self.finding(
                audit,
                [],
                f"`{write.key}` is written into {write.into}, which no optimizer reads",
                write.source,
                related=[(write.copied, "copied here")] if write.copied is not None else [],
                fix=write.help,
            )

    def _rates(self, audit: Audit) -> Iterator[Finding]:
        for info in audit.recording.optimizers:
            if "lr" not in info.defaults:
                continue
            for key in sorted((info.keys & set(RATES)) - info.defaults):
                yield self.finding(
                    audit,
                    [],
                    f"`{info.type}` reads `lr`; `{key}` in its param group changes no rate",
                    _written(audit, key) or audit.source(info.created),
                    fix='Write the key that the optimizer reads: `group["lr"]`.',
                )

    @staticmethod
    def bad() -> Example:
        """A layer that is meant to be thawed."""
        from typing import Any

        import torch
        from torch import nn

        backbone, head = nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 1)
        parameter: Any
        for parameter in backbone.parameters():
            parameter.require_grad = True  # FXA308
        model, x = nn.Sequential(backbone, nn.Tanh(), head), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The flag by its name."""
        from typing import Any

        import torch
        from torch import nn

        backbone, head = nn.Linear(4, 4).requires_grad_(False), nn.Linear(4, 1)
        parameter: Any
        for parameter in backbone.parameters():
            parameter.requires_grad = True
        model, x = nn.Sequential(backbone, nn.Tanh(), head), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _misspelt(state: ParameterState) -> Iterator[tuple[str, bool]]:
    """(name, value) of each attribute of the tensor that is nearly `requires_grad` and says something else than it."""
    for name, value in state.track.flags.items():
        if NEARLY.match(name) and value != state.track.requires_grad:
            yield name, value


def _misspelt_thaws(file: str) -> Iterator[tuple[SourceLine, str]]:
    """(line, attribute) of each assignment of True to an attribute that is nearly `requires_grad`, of what a loop over
    parameters gives."""
    tree = tree_of(file)
    for node in tree.statements if tree is not None else ():
        match node:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id=owner), attr=name)], value=ast.Constant(value=True)
            ) if NEARLY.match(name) and name != "requires_grad" and tree is not None:
                loops = [outer for outer in tree.ancestors(node) if isinstance(outer, ast.For)]
                over = [
                    loop for loop in loops if owner in {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
                ]
                if any("parameters" in ast.unparse(loop.iter) for loop in over):
                    yield source_at(file, node.lineno), name


def _names(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _written(audit: Audit, name: str) -> SourceLine | None:
    """The line that sets the attribute, or the key; one that was seen running before one that was not."""
    ran = audit.record.ran()
    stores = [(file, line) for file in audit.project_files for line in _stores(file, name)]
    stores.sort(key=lambda place: place[1] not in ran.of(place[0]))
    return source_at(*stores[0]) if stores else None


def _stores(file: str, name: str) -> Iterator[int]:
    tree = tree_of(file)
    for node in tree.nodes if tree is not None else ():
        match node:
            case ast.Attribute(attr=attribute, ctx=ast.Store()) if attribute == name:
                yield node.lineno
            case ast.Subscript(slice=ast.Constant(value=key), ctx=ast.Store()) if key == name:
                yield node.lineno
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value=attribute), *_]) if (
                attribute == name
            ):
                yield node.lineno
