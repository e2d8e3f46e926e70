"""FXA503."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.births import born_at, text_born
from fxaudit.judge.questions.rates import given_rate
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import source_at
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import tree_of

__all__ = ["LostToRounding"]


class LostToRounding(Rule):
    """The update is lost to rounding.

    Learning rate times gradient is less than half a unit in the last place of the parameter, so adding it gives the
    same number. bfloat16 has eight bits of precision, float16 eleven.
    """

    code, name, level = "FXA503", "lost-to-rounding", "error"
    needs_a_run = True
    fix = "Keep the parameters in float32 (use autocast for the computation), or raise the learning rate."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each optimizer whose finite updates leave the value as it is."""
        groups: dict[int, list[ParameterState]] = {}
        rising = [
            state
            for state in audit.unexplained("unknown")
            if state.arrived == "finite" and audit.judge.is_rising(state)
        ]
        for state in [*audit.unexplained("blocked"), *rising]:
            facts = [f for f in state.facts if f.gradient == "finite"]
            if facts and not any(f.changed for f in facts) and any(f.lr for f in facts):
                tiny = all((f.lr or 0) * f.norm < 1e-6 * math.sqrt(state.track.numel) for f in facts)
                if tiny or _is_coarse(state):
                    groups.setdefault(facts[-1].optimizer, []).append(state)
        for optimizer, states in groups.items():
            info = audit.recording.optimizers[optimizer]
            fact = next(f for f in reversed(states[0].facts) if f.gradient == "finite")
            built = audit.source(info.created)
            warming = all(audit.judge.is_rising(state) for state in states)
            # What is coarse cannot take small updates; elsewhere it is the rate that is too small.
            rate = None if warming or _is_coarse(states[0]) else given_rate(audit, info)
            culprit, behind = rate.explanation(audit) if rate is not None else (built, [])
            cast = _cast(audit, states) if not warming and _is_coarse(states[0]) else None
            culprit = cast or culprit
            if warming and info.schedulers:
                culprit = audit.source(info.schedulers[-1][0]) or built
            yield self.finding(
                audit,
                states,
                f"the updates of {audit.names(states)} ({states[0].track.dtype}, lr {fact.lr:g}) are lost to rounding",
                culprit,
                related=[
                    *behind[:2],
                    (audit.source(audit.record.events[fact.event].stack), "the step that changes nothing"),
                    (built, "the optimizer is built here"),
                ],
                level="note" if warming else None,
                fix="Look again when the warm-up is over: the rate is still rising." if warming else None,
            )

    @staticmethod
    def bad() -> Example:
        """Parameters in bfloat16, and a small learning rate."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1, bias=False, dtype=torch.bfloat16), torch.ones(8, 4)
            nn.init.ones_(model.weight)
            optimizer = torch.optim.SGD(model.parameters(), lr=1e-5)  # FXA503
            for _ in range(3):
                optimizer.zero_grad()
                model(x.to(model.weight.dtype)).square().mean().backward()
                optimizer.step()

        return Example(train=train)

    @staticmethod
    def good() -> Example:
        """Parameters in float32."""
        import torch
        from torch import nn

        def train() -> None:
            model, x = nn.Linear(4, 1, bias=False), torch.ones(8, 4)
            nn.init.ones_(model.weight)
            optimizer = torch.optim.SGD(model.parameters(), lr=1e-5)
            for _ in range(3):
                optimizer.zero_grad()
                model(x.to(model.weight.dtype)).square().mean().backward()
                optimizer.step()

        return Example(train=train)


def _cast(audit: Audit, states: list[ParameterState]) -> SourceLine | None:
    """The one statement that gives the model its coarse type, or the setting by which it does: `model =
    Net().to(dtype)`, `model.half()`, `self.to(…)` in the model's own class."""
    variable = audit.model_variable(states).rpartition(".")[2]
    kinds = {state.root.type.rpartition(".")[2] for state in states if state.root is not None}
    found = []
    for file in audit.project_files:
        tree, ran = tree_of(file), audit.record.ran().of(file)
        for call in tree.calls if tree is not None else ():
            if not isinstance(call.func, ast.Attribute) or call.lineno not in ran or tree is None:
                continue
            given = [*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "dtype")]
            texts = [ast.unparse(part) for part in given]
            is_type = any("type" in text or "float16" in text or "getattr(torch," in text for text in texts)
            if not (call.func.attr in ("half", "bfloat16") or (call.func.attr == "to" and is_type)):
                continue
            statement = tree.statement(call)
            bound = statement.targets if isinstance(statement, ast.Assign) and statement.value is call else []
            names = {getattr(part, "attr", getattr(part, "id", "")) for part in (*bound, call.func.value)}
            owner = next((outer for outer in tree.ancestors(call) if isinstance(outer, ast.ClassDef)), None)
            is_own = getattr(call.func.value, "id", "") == "self" and owner is not None and owner.name in kinds
            if is_own or (variable and variable in names):
                born = text_born(audit.record, file, call, states[0].track.dtype)
                found.append(source_at(file, call.lineno) if born is None else born_at(born)[0])
    return found[0] if len(found) == 1 else None


def _is_coarse(state: ParameterState) -> bool:
    return state.track.dtype in ("float16", "bfloat16") or "float8" in state.track.dtype
