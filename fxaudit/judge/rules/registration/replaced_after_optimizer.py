"""FXA204."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fxaudit.answer.finding import Finding
from fxaudit.judge.questions.listed_before import LISTED_BEFORE, listed_before
from fxaudit.judge.rule import Audit, Example, Rule
from fxaudit.judge.trail import common_frame, project_stack
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.bindings import made_at
from fxaudit.program.names import METHODS_OF_MODULES
from fxaudit.program.source import SourceLine, StackTable
from fxaudit.program.tree import sliced_statements, tree_of

if TYPE_CHECKING:
    from fxaudit.capture.registry import ModuleInfo, OptimizerInfo

__all__ = ["ReplacedAfterOptimizer"]

AGAIN = "Make one, and hand it on: the optimizer holds the one that was made first, and this line asks for another."
TRAINING = frozenset({"epoch", "fit", "iteration", "loop", "main", "run", "step", "train", "training"})
"""What is called so trains, and is no part of the preparation."""
MAX_DEPTH = 3
"""So many calls may lead from the function that builds the optimizer, or asks for it, to the line that replaces."""
SPLIT = ("g", "v", "orig")
"""What `weight_norm`, `spectral_norm` and pruning hang on the name of the parameter they split."""


class ReplacedAfterOptimizer(Rule):
    """A parameter was replaced after the optimizer had been built.

    The optimizer holds the old tensor and steps it; the model computes with the new one, which nobody updates. Swapping
    a head, resizing embeddings, pruning, weight normalisation, `load_state_dict(assign=True)`, `deepcopy` and sharding
    do it. Or it was replaced before, and the optimizer was given a list that had been made earlier still.
    """

    code, name, level = "FXA204", "replaced-after-optimizer", "error"
    asks_where_made = True
    fix = "Build the optimizer after the model has its final parameters."

    def check(self, audit: Audit) -> Iterator[Finding]:
        """One finding for each line that replaced parameters some optimizer holds."""
        stale = audit.unexplained("stale")
        if not stale:
            return
        replaced: list[tuple[int, int, ParameterState]] = []
        groups: dict[tuple[str, int], tuple[SourceLine | None, int, list[ParameterState]]] = {}
        for state in audit.unexplained("excluded", "replaced", "unreachable"):
            found = _replacement(audit, state, stale)
            if found is None:
                continue
            replaced.append((*found, state))
        calls = [
            _call_beside(audit, stack, audit.recording.optimizers[number].created) for stack, number, _ in replaced
        ]
        places = {audit.source(stack) for stack, _, _ in replaced}
        # One call that replaces in several places does what it is there for, too late.
        at_once = len(places) > 1 and len(set(calls)) == 1 and calls[0] >= 0
        again: set[SourceLine | None] = set()
        for stack, optimizer, state in replaced:
            created = audit.recording.optimizers[optimizer].created
            asked = -1 if at_once else _asked_again(audit, state, stale)
            source = audit.source(
                calls[0] if at_once else asked if asked >= 0 else _of_two_calls(audit, stack, created)
            )
            again |= {source} if asked >= 0 else set()
            key = (source.file, source.line) if source is not None else ("", stack)
            groups.setdefault(key, (source, optimizer, []))[2].append(state)
        for source, optimizer, states in groups.values():
            old = [s for s in stale if any(optimizer == index for index, _ in s.held) and not s.explained]
            built = audit.source(audit.recording.optimizers[optimizer].created)
            yield self.finding(
                audit,
                [*states, *old],
                f"{audit.names(states)} took the place of what the optimizer holds",
                source or built,
                related=[(built, "the optimizer was built before, here")],
                fix=AGAIN if source in again else None,
            )
        yield from self._listed(audit)

    def _listed(self, audit: Audit) -> Iterator[Finding]:
        """What took the place of a parameter that stands in a list, from which an optimizer was built later."""
        groups: dict[tuple[str, int], list[tuple[ParameterState, int, OptimizerInfo, ParameterState]]] = {}
        for state in audit.unexplained("excluded"):
            found = listed_before(audit, state, audit.unexplained("stale"))
            source = audit.source(_where_replaced(audit, found[0], found[1].created)) if found is not None else None
            if found is not None and source is not None:
                groups.setdefault((source.file, source.line), []).append((state, *found))
        for members in groups.values():
            _, stack, info, old = members[0]
            yield self.finding(
                audit,
                [*(state for state, *_ in members), *(before for *_, before in members)],
                f"{audit.names([state for state, *_ in members])} took the place of what stands in the list that the "
                "optimizer is given",
                audit.source(_where_replaced(audit, stack, info.created)),
                related=[
                    (audit.source(old.track.created), "what the optimizer holds is made here"),
                    (audit.source(info.created), f"the optimizer `{info.type}` is built here, from the list"),
                ],
                fix=LISTED_BEFORE,
            )

    @staticmethod
    def bad() -> Example:
        """A head that is swapped behind the optimizer's back."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)), torch.randn(8, 4)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        model[2] = nn.Linear(4, 2)  # FXA204
        return Example(model, lambda: model(x).square().mean(), optimizer)

    @staticmethod
    def good() -> Example:
        """The head is swapped first."""
        import torch
        from torch import nn

        model, x = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 3)), torch.randn(8, 4)
        model[2] = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return Example(model, lambda: model(x).square().mean(), optimizer)


def _call_beside(audit: Audit, replaced: int, built: int) -> int:
    """The call by which the function that builds the optimizer itself replaces parameters further down; -1 for none."""
    stacks = audit.record.stacks
    if replaced < 0 or built < 0:
        return -1
    one, other = project_stack(stacks, replaced), project_stack(stacks, built)
    above = common_frame(stacks, one, other)
    is_its_own = stacks.codes[above] is stacks.codes[other] and above != one
    return above if is_its_own and stacks.line(above) != stacks.line(other) else -1


def _asked_again(audit: Audit, state: ParameterState, stale: list[ParameterState]) -> int:
    """The frame that asked for another one, where a helper of the program made both, the one that the optimizer holds
    and this, and was asked from different functions; -1 where it is not so."""
    stacks = audit.record.stacks
    old = next((other for other in stale if _took_place(state, [other])), None)
    if old is None or state.track.created < 0 or old.track.created < 0:
        return -1
    one, other = (stacks.chain(project_stack(stacks, track.created)) for track in (state.track, old.track))
    for depth, (new, before) in enumerate(zip(one, other, strict=False)):
        if (stacks.codes[new], stacks.lasti[new]) != (stacks.codes[before], stacks.lasti[before]):
            return new if depth and stacks.codes[new] is not stacks.codes[before] else -1
    return -1


def _of_two_calls(audit: Audit, replaced: int, built: int) -> int:
    """The frame of the function that makes the two calls, in the wrong order, of which one replaces and one builds;
    `replaced` itself where one of the two stands in that function."""
    stacks = audit.record.stacks
    if replaced < 0 or built < 0:
        return replaced
    one, other = project_stack(stacks, replaced), project_stack(stacks, built)
    asking = _who_lets_it_grow(stacks, one)
    if asking >= 0:
        return asking
    above, beside = common_frame(stacks, one, other), common_frame(stacks, other, one)
    chain = stacks.chain(one)
    depth = chain.index(above) if above in chain else 0
    if 1 < depth <= MAX_DEPTH and stacks.line(above) != stacks.line(beside):
        # Functions that only change the model that they are given are right, and called too late.
        between = chain[:depth]
        names = [stacks.codes[frame].co_name for frame in between]
        are_known = any(name in METHODS_OF_MODULES or _trains(name) for name in names)
        if not are_known and all(_only_changes(stacks.file(frame), stacks.line(frame)) for frame in between):
            return above
    is_below = above in chain[1:2]  # a deeper call that replaces is wrong by itself
    if not is_below or stacks.line(above) == stacks.line(beside):
        return replaced
    if _assigns(stacks.file(above), stacks.line(above), stacks.codes[chain[0]].co_name):
        return above  # a property that makes new parameters: assigned too late
    if beside == other:
        # A function that only changes the model that it is given is right, and called too late.
        is_its_call = _calls(stacks.file(above), stacks.line(above), chain[0], stacks)
        is_known = stacks.codes[chain[0]].co_name in METHODS_OF_MODULES
        is_right = is_its_call and not is_known and _only_changes(stacks.file(chain[0]), stacks.line(chain[0]))
        return above if is_right else replaced
    # Who calls a method by which nobody expects a layer to be replaced did nothing wrong.
    is_its_call = _calls(stacks.file(above), stacks.line(above), chain[0], stacks)
    return above if is_its_call and stacks.codes[chain[0]].co_name not in METHODS_OF_MODULES else replaced


def _where_replaced(audit: Audit, replaced: int, built: int) -> int:
    """The frame that replaces; or that of its call, where the function that makes the list itself calls it too late."""
    stacks, course = audit.record.stacks, audit.record.course
    one, other = project_stack(stacks, replaced), project_stack(stacks, built)
    above, beside = common_frame(stacks, one, other), common_frame(stacks, other, one)
    file, called = stacks.file(above), stacks.line(above)
    made = [line for at, line, _ in sliced_statements(stacks.file(beside), stacks.line(beside)) if at == file]
    lists = [line for line in made if any(s.kind == "list" for o in course.at(file, line) for s in o.bound.values())]
    is_between = any(line < called < stacks.line(beside) for line in lists)
    return _of_two_calls(audit, replaced, built) if is_between else one


def _trains(name: str) -> bool:
    """Whether a function is called as what trains is; `on_fit_start` is called on the way there."""
    words = name.split("_")
    return words[0] != "on" and not TRAINING.isdisjoint(words)


def _who_lets_it_grow(stacks: StackTable, replaced: int) -> int:
    """The frame that calls a method by which a model replaces a layer of its own, where that frame's function knows the
    optimizer: it was to see to it that the optimizer gets to know. -1 where it is not so."""
    chain = stacks.chain(replaced)[:2]
    if len(chain) < 2 or stacks.codes[chain[0]].co_name in METHODS_OF_MODULES:
        return -1
    file, line = stacks.file(chain[0]), stacks.line(chain[0])
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    match statement:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"))]):
            owner = next((o for o in tree.ancestors(statement) if isinstance(o, ast.ClassDef)), None) if tree else None
        case _:
            return -1
    methods = {part.name for part in owner.body if isinstance(part, ast.FunctionDef)} if owner is not None else set()
    above = (stacks.file(chain[1]), stacks.line(chain[1]))
    is_its_own = "forward" in methods and _only_changes(file, line) and _calls(*above, chain[0], stacks)
    return chain[1] if is_its_own and _knows_the_optimizer(*above) else -1


def _knows_the_optimizer(file: str, line: int) -> bool:
    """Whether the function around the line has to do with an optimizer, and does not train itself."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    function = tree.function(statement) if tree is not None and statement is not None else None
    nodes = [*ast.walk(function)] if isinstance(function, ast.FunctionDef) else []
    named = {getattr(n, "id", getattr(n, "attr", "")) or "" for n in nodes}
    return any("opt" in name.lower() for name in named) and named.isdisjoint({"backward", "step"})


def _calls(file: str, line: int, frame: int, stacks: StackTable) -> bool:
    """Whether the statement calls the function of the frame by its name."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    calls = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)] if statement is not None else []
    return stacks.codes[frame].co_name in {getattr(called, "attr", getattr(called, "id", "")) for called in calls}


def _only_changes(file: str, line: int) -> bool:
    """Whether the line stands in a function that knows nothing of an optimizer and does not train."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    function = tree.function(statement) if tree is not None and statement is not None else None
    if not isinstance(function, ast.FunctionDef):
        return False
    named = {getattr(n, "id", getattr(n, "attr", getattr(n, "arg", ""))) or "" for n in ast.walk(function)}
    return named.isdisjoint({"backward", "step", "forward"}) and not any("opt" in name.lower() for name in named)


def _assigns(file: str, line: int, name: str) -> bool:
    """Whether the statement assigns to an attribute of that name."""
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(target, ast.Attribute) and target.attr == name for target in targets)


def _replacement(audit: Audit, state: ParameterState, stale: list[ParameterState]) -> tuple[int, int] | None:
    """(stack, optimizer) of the replacement by which `state` took the place of a stale tensor."""
    optimizers = {index for other in stale for index, _ in other.held}
    for index in sorted(optimizers):
        info = audit.recording.optimizers[index]
        related = _took_place(state, [s for s in stale if any(o == index for o, _ in s.held)])
        if not related:
            continue
        # Time counts operations: at the very moment of the optimizer, what it was given then decides.
        first = info.created_time + (1 if state.index in info.names_then else 0)
        registered = [r for r in state.track.registered or _stood_before(audit, state) if r[0] >= first]
        root = state.root
        if root is not None and root.created >= 0 and root.index >= info.modules_then > 0:
            return made_at(
                audit.record.stacks, root.created
            ), index  # no part of it was swapped: the whole model was made anew
        swapped = _module_swap(audit, state, info)
        if swapped >= 0:
            return swapped, index
        if registered:
            return registered[0][3], index
        if state.track.created >= 0 and state.track.created_time >= first:
            return state.track.created, index
        if state.track.index not in info.names_then:
            return info.created, index
    return None


def _stood_before(audit: Audit, state: ParameterState) -> list[tuple[int, int, str, int, bool]]:
    """How those were registered that stood in the parameter's place before, where nobody saw how it came there."""
    history = audit.recording.history.get((state.root.index, state.local_name), ()) if state.root is not None else ()
    before = [audit.record.tracks[track] for _, track in history if track != state.index]
    return [registered for track in before for registered in track.registered]


def _took_place(state: ParameterState, stale: list[ParameterState]) -> bool:
    """Whether a stale tensor stood where the parameter stands now: same name, or the name it was split from."""
    for other in stale:
        old = other.local_name
        if old and (state.local_name == old or state.name.endswith("." + old) or old.endswith("." + state.local_name)):
            return True
        owner, _, leaf = old.rpartition(".")
        prefix = f"{owner}." if owner else ""
        if leaf and state.local_name.startswith((f"{prefix}parametrizations.{leaf}.", f"{prefix}{leaf}_")):
            return True
        if owner and state.local_name.startswith(f"{owner}."):
            return True
        # And the other way round: a parametrization that was taken off again leaves the parameter it was put on.
        own, _, slot = state.local_name.rpartition(".")
        place = f"{own}." if own else ""
        if old.startswith(f"{place}parametrizations.{slot}.") or old in (f"{place}{slot}_{end}" for end in SPLIT):
            return True
    return False


def _module_swap(audit: Audit, state: ParameterState, optimizer: OptimizerInfo) -> int:
    """The stack of the assignment that put a new module above the parameter into its place after the optimizer was
    built, -1 if there was none."""
    if state.root is None:
        return -1
    module: ModuleInfo | None = state.root
    for part in state.local_name.split(".")[:-1]:
        if module is None:
            return -1
        info = module
        child = audit.recording.child(module, part)
        # Time counts operations: at the very moment of the optimizer, whether the module is younger decides.
        new = child is not None and child.index >= optimizer.modules_then
        first = optimizer.created_time + (0 if new else 1)
        late = [entry for entry in info.attributes.get(part, ()) if entry[0] >= first and entry[2] == "module"]
        if late:
            return late[-1][1]
        module = child
    return -1
