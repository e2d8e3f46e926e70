"""Where forward mentions a module or parameter that it never reached. Shared by the rules on things never used."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from fxaudit.capture.registry import ModuleInfo
from fxaudit.judge.questions.births import born_at
from fxaudit.judge.questions.left_in_evaluation import BACK_TO_TRAINING
from fxaudit.judge.questions.missing_calls import line_without
from fxaudit.judge.questions.never_set import never_set
from fxaudit.judge.questions.one_of_a_class import Turned, turned_away
from fxaudit.judge.questions.passed_down import not_passed_down
from fxaudit.judge.questions.shadowed import mode_override
from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import (
    blamed,
    decision_at,
    never_called,
    obstacles_to_entering,
    project_stack,
    registered,
    source_at,
    was_entered,
)
from fxaudit.judge.verdict import ParameterState
from fxaudit.program.birth import NOT_HEARD, Birth
from fxaudit.program.births import Births
from fxaudit.program.decisions import Decision
from fxaudit.program.loops import counting_loop, late_closures, loop_over
from fxaudit.program.ran import Ran
from fxaudit.program.source import SourceLine, is_skipped
from fxaudit.program.tree import Obstacle, Tree, attribute_mentions, obstacles, tree_of

__all__ = ["Unreached", "decided", "is_missed", "mentions", "registration", "unreached_mention"]

HOUSEKEEPING = frozenset(
    {
        "parameters", "named_parameters", "state_dict", "load_state_dict", "requires_grad_", "train", "eval",
        "zero_grad", "apply", "to", "cuda", "cpu", "half", "float", "modules", "named_modules", "children", "weight",
        "bias", "append", "extend", "data", "requires_grad", "register_forward_hook", "shape", "in_features",
        "out_features",
    }
)  # fmt: skip
MAX_MENTIONS = 8
"""Of so many mentions the branches are compared."""

Related = list[tuple[SourceLine | None, str]]


@dataclass(frozen=True, slots=True)
class Unreached:
    """Why nothing reached a module or parameter."""

    culprit: SourceLine | None
    related: Related
    condition: str = ""
    """The branch that was not taken, in words; empty where no branch explains it."""
    random: bool = False
    """Whether a random draw decides that branch."""
    advice: str = ""
    """What to do, where that is not what is to be done about every module that is never called."""


def is_missed(audit: Audit, state: ParameterState) -> bool:
    """Whether no forward reads the parameter: nothing does, or it was read before any forward alone, and a branch keeps
    the forward's own mention from running."""
    if not audit.graph.is_read(state.index):
        return True
    if state.root is None or audit.graph.is_read_in_time(state.index):
        return False
    return bool(unreached_mention(audit, state.root.index, state.local_name).condition)


def unreached_mention(audit: Audit, root: int, path: str) -> Unreached:
    """Why nothing reached the module or parameter at `path`.

    The culprit is the branch that keeps the mention from running, the mention itself where no branch explains it, and
    the registration where nothing mentions it.
    """
    made = registration(audit, root, path)
    ran = audit.record.ran()
    for tree, mention in _unheard_first(audit, mentions(audit, root, path), ran):
        loop = loop_over(tree, mention)
        node = loop.call if loop is not None else mention
        found = obstacles(tree, node, ran.of(tree.file))
        here = source_at(tree.file, getattr(node, "lineno", 0))
        scope = tree.function(node)
        if not found and scope is not None:
            found = obstacles_to_entering(audit.project_files, tree, scope, ran)
        if loop is None and not found:
            way = _way(audit, root, path)
            owner = way[-2] if len(way) > 1 else None
            turned = turned_away(audit, owner, tree, node) if owner is not None else None
            if turned is not None:
                return _of_this_one(turned, registration(audit, root, path.rpartition(".")[0]), here, made)
        if not found and loop is not None:
            found = loop.missed
        if not found and loop is not None and (shorter := _shorter(audit, root, path, tree, mention)) is not None:
            header = source_at(tree.file, getattr(mention, "lineno", 0))
            return Unreached(shorter, [(header, "`zip` ends with the shortest"), (made, "made here")])
        if not found and loop is not None:
            # The loop runs, but not over this one: what it goes through leaves it out.
            header = source_at(tree.file, getattr(mention, "lineno", 0))
            born = _bound_born(audit, tree, mention)
            if born is not None:
                bound, birth = born
                line, stations = born_at(birth)
                return Unreached(line, [*stations, (header, "the loop ends there"), (made, "made here")], bound)
            return Unreached(header, [(here, "called in the loop"), (made, "made here")])
        if not found:
            uncalled = _never_called_by_name(audit, tree, scope)
            if uncalled:
                return Unreached(
                    uncalled[0][0], [*uncalled[1:], (here, "the call that never runs"), (made, "made here")]
                )
            counted = counting_loop(tree, mention)
            if counted:
                return Unreached(
                    source_at(tree.file, counted), [(here, "the one that it counts to"), (made, "made here")]
                )
            return Unreached(here, [(made, "made here")])
        decisive = found[0]
        decision = decision_at(audit.record, decisive)
        kept = _kept_in_evaluation(audit, root, path, decision) if decision is not None else None
        if kept is not None:
            asked = source_at(decisive.file, decisive.line)
            words = f"{decisive.role}, as this leaves it in evaluation mode"
            more: Related = [(asked, "asked here"), (here, "the call that never runs"), (made, "made here")]
            return Unreached(kept, more, words, advice=BACK_TO_TRAINING)
        if decision is not None and "training" not in decision.operand:
            return decided(audit, decisive, decision, here, made)
        related: Related = [(here, "the call that never runs")]
        related += [
            (source, "what the branch asks for was set here") for source in _set_at(audit, root, path, decisive)
        ]
        if "training" in decisive.condition:
            related.append((_switched(audit, root, path), "puts the module in evaluation mode"))
        related.append((made, "made here"))
        culprit = source_at(decisive.file, decisive.line)
        left = _left_in_evaluation(audit, root, path, decisive)
        if left is not None:
            rest = [one for one in related if one[0] != left]
            words = f"{decisive.role}, as this leaves it in evaluation mode"
            return Unreached(left, [(culprit, "asked here"), *rest], words, advice=BACK_TO_TRAINING)
        if "training" in decisive.condition and (override := mode_override(audit, decisive.file, decisive.line)):
            words = f"{decisive.role}: {override[1]}"
            return Unreached(override[0], [(culprit, "asked here"), *related], words)
        return Unreached(culprit, related, decisive.role, any(obstacle.random for obstacle in found))
    turn = _turn_left_out(audit, root, path)
    if turn is not None:
        return Unreached(turn[0], [(turn[1], "one of them is taken here"), (made, "made here")])
    late = _late_closure(audit, path)
    if late is not None:
        return Unreached(late[0], [(made, "made here")], late[1])
    twice, beside = _siblings(audit, root, path)
    twice = twice or _twin_read_twice(audit, root, path)
    if twice is not None:
        return Unreached(twice, [(made, "made here, and never used")])
    without = line_without(audit, root, path, made, beside[0] if beside else None) if made is not None else None
    if without is not None and not without.library:
        return Unreached(without, [(made, "made here, and never used")])
    return Unreached(made, [(source, "forward runs without it here") for source in beside])


def _unheard_first(audit: Audit, found: list[tuple[Tree, ast.AST]], ran: Ran) -> list[tuple[Tree, ast.AST]]:
    """The mentions; where each of several is in a branch that nothing comes to, first the one that a setting without
    effect keeps from running: that was meant to run, and the others may be for another use of the model."""
    if len(found) < 2 or len(found) > MAX_MENTIONS:
        return found
    branches = [obstacles(tree, mention, ran.of(tree.file)) for tree, mention in found]
    if not all(branches):
        return found
    decided = [decision_at(audit.record, branch[0]) for branch in branches]
    births = [decision.birth if decision is not None else None for decision in decided]
    unheard = [one for one, birth in zip(found, births, strict=True) if birth is not None and birth.kind in NOT_HEARD]
    return [*unheard, *(one for one in found if one not in unheard)]


def _bound_born(audit: Audit, tree: Tree, mention: ast.AST) -> tuple[str, Birth] | None:
    """(what it is, where somebody wrote it down) of the bound of the slice of a container that a loop goes through:
    `self.blocks[:depth]`."""
    part, births = tree.parents.get(mention), Births(audit.record.course)
    if not isinstance(part, ast.Subscript) or part.value is not mention or not isinstance(part.slice, ast.Slice):
        return None
    statement = tree.statement(part)
    for bound in (part.slice.upper, part.slice.lower):
        if statement is None or bound is None or isinstance(bound, ast.Constant):
            continue
        for number in births.numbers(tree.file, statement.lineno, bound)[-1:]:
            birth = births.of(tree.file, statement.lineno, bound, number)
            if birth is not None and birth.is_a_setting:
                return f"`{ast.unparse(bound)}` is {number:g}", birth
    return None


def _turn_left_out(audit: Audit, root: int, path: str) -> tuple[SourceLine, SourceLine] | None:
    """(what makes the key, the reading) where a member of a container is chosen by a counter, which leaves this one
    out."""
    container, _, name = path.rpartition(".")
    if not container or name.isdigit() or audit.recording.class_of(_way(audit, root, container)[-1]).defines_forward:
        return None
    ran = audit.record.ran()
    for tree, mention in mentions(audit, root, container):
        counted = counting_loop(tree, mention)
        line = getattr(mention, "lineno", 0)
        if counted and line in ran.of(tree.file):
            return source_at(tree.file, counted), source_at(tree.file, line)
    return None


def _shorter(audit: Audit, root: int, path: str, tree: Tree, mention: ast.AST) -> SourceLine | None:
    """Where a container is made that has fewer members than the one at `path`, and stands beside it in a `zip`."""
    call = tree.parents.get(mention)
    container = path.rpartition(".")[0]
    owner = container.rpartition(".")[0]
    way = _way(audit, root, container)
    if not way or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.func.id != "zip":
        return None
    for other in (n for n in call.args if n is not mention and isinstance(n, ast.Attribute)):
        sibling = audit.recording.child(way[-2] if len(way) > 1 else way[-1], other.attr)
        if sibling is not None and len(sibling.children) < len(way[-1].children):
            return registration(audit, root, f"{owner}.{other.attr}" if owner else other.attr)
    return None


def _never_called_by_name(audit: Audit, tree: Tree, scope: ast.AST | None) -> Related:
    """Where a function that never ran is registered, or begins, if nobody calls a function of that name, and a name
    nearly like it is asked for."""
    if not isinstance(scope, ast.FunctionDef) or was_entered(tree, scope, audit.record.ran()):
        return []
    found = registered(audit.project_files, tree, scope)
    if found:
        return [*found]
    uncalled = never_called(audit.record, tree, scope)
    return [*uncalled] if uncalled and uncalled[0][1].endswith(" runs") else []  # a method of nearly that name does


def decided(
    audit: Audit, decisive: Obstacle, decision: Decision, here: SourceLine, made: SourceLine | None
) -> Unreached:
    """The same where the course of the program tells what decided: a flag that was set, or else the test."""
    test = source_at(decisive.file, decisive.line)
    told = blamed(decision, [(test, "asked here"), (here, "the call that never runs")])
    (culprit, _), *related = [*(never_set(audit.record, decision) or not_passed_down(audit, decision)), *told]
    words = f"{decisive.role}: `{decision.operand}` is {decision.value!r}"
    return Unreached(culprit, [*related, (made, "made here")], words)


def _of_this_one(turned: Turned, owner: SourceLine | None, here: SourceLine, made: SourceLine | None) -> Unreached:
    """The same where others of the class went there: the setting of this one, what made it without any, or else the
    test; `owner` is the line that made it."""
    birth = turned.decision.birth
    tree = tree_of(birth.file) if birth is not None else None
    statement = tree.statement_at(birth.line) if tree is not None and birth is not None else None
    is_chosen = isinstance(getattr(statement, "value", None), ast.IfExp)  # by what this module is
    if birth is None or not birth.is_a_setting or is_chosen:
        return Unreached(turned.line, [(here, "the call that never runs"), (made, "made here")], turned.words)
    line, stations = born_at(birth)
    told: Related = [(turned.line, "asked here"), *stations, (here, "the call that never runs"), (made, "made here")]
    if birth.kind == "default" and owner is not None and not owner.library:
        return Unreached(owner, [(line, "the default that is taken"), *told], turned.words)
    return Unreached(line, told, turned.words)


def _set_at(audit: Audit, root: int, path: str, branch: Obstacle) -> list[SourceLine | None]:
    """Where the attributes that the branch asks for got their values, if the program gave them more than one."""
    found: list[SourceLine | None] = []
    tests = re.findall(r"\bself\.(\w+)", branch.condition)
    for module in _way(audit, root, path):
        attributes = module.attributes
        entries = [attributes[name] for name in tests if len(attributes.get(name, ())) > 1]
        found += [audit.source(entry[-1][1]) for entry in entries]
    return found[:1]


def _late_closure(audit: Audit, path: str) -> tuple[SourceLine, str] | None:
    """For a member of a list: the line that makes a function for each member, all of which see the last one."""
    if not any(part.isdigit() for part in path.split(".")):
        return None
    ran = audit.record.ran()
    for file in audit.project_files:
        tree = tree_of(file)
        for line, name in late_closures(tree) if tree is not None else ():
            if line in ran.of(file):
                return source_at(file, line), f"each function made here reads `{name}` when it is called, the last one"
    return None


def _siblings(audit: Audit, root: int, path: str) -> tuple[SourceLine | None, list[SourceLine]]:
    """(the second line that calls a sibling of the same type, the last lines of the owner's forward that call
    siblings).

    A copy-and-paste slip calls one module twice and leaves out its twin.
    """
    model = audit.recording.model_of(root)
    if model is None:
        return None, []
    modules = audit.recording.paths(model.root)
    parts = path.split(".")
    own = modules.get(path)
    owner_path = next(
        (
            ".".join(parts[:depth])
            for depth in range(len(parts) - 1, -1, -1)
            if ".".join(parts[:depth]) in modules and modules[".".join(parts[:depth])].calls
        ),
        None,
    )
    if owner_path is None:
        return None, []
    owner = modules[owner_path].index
    record = audit.record
    owner_calls = [call.index for call in record.calls if call.module == owner]
    if not owner_calls:
        return None, []
    inside = [call for call in record.calls if call.parent == owner_calls[0]]
    lines: dict[int, list[int]] = {}
    for call in inside:
        lines.setdefault(call.module, []).append(call.stack)
    twice = None
    for index, stacks in lines.items():
        sibling = audit.recording.modules[index]
        distinct = dict.fromkeys(record.stacks.line(stack) for stack in stacks)
        if own is not None and sibling.kind == own.kind and len(distinct) > 1:
            twice = audit.source(stacks[-1])
    beside = dict.fromkeys(call.stack for call in reversed(inside))
    if not beside:
        track = dict(model.parameters).get(path)
        own_shape = record.tracks[track].shape if track is not None else ()
        ops = [op for op in audit.graph.ops if op.module == owner_calls[0]]
        alike = [
            op for op in ops if any(record.values[v].shape == own_shape and record.values[v].op < 0 for v in op.inputs)
        ]
        beside = dict.fromkeys(op.stack for op in (alike or [*ops[:1], *ops[-1:]]))
    found = [source for stack in list(beside)[:2] if (source := audit.source(stack)) is not None]
    return twice, found


def _twin_read_twice(audit: Audit, root: int, path: str) -> SourceLine | None:
    """The second reading of a twin's attribute in one function: of a module of the same class, shapes and owner, which
    is called. It may hand the module on instead of calling it."""
    owner, _, name = path.rpartition(".")
    way = _way(audit, root, owner) if owner else _way(audit, root, path)[:1]
    own = audit.recording.child(way[-1], name) if way else None
    if own is None:
        return None
    twins = [
        twin
        for twin in way[-1].children
        if twin != name
        and (sibling := audit.recording.child(way[-1], twin)) is not None
        and sibling.kind == own.kind
        and _shapes(audit, sibling) == _shapes(audit, own)
    ]
    for twin in sorted(twins, key=lambda other: -_alike(name, other)):
        found = _read_twice(audit, root, f"{owner}.{twin}" if owner else twin)
        if found is not None:
            return found
    return None


def _alike(one: str, other: str) -> int:
    """How many letters two names begin with together."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _read_twice(audit: Audit, root: int, path: str) -> SourceLine | None:
    """The last line of a function that reads the attribute more than once, as far as it ran."""
    ran = audit.record.ran()
    lines: dict[ast.AST, list[tuple[Tree, int]]] = {}
    for tree, node in mentions(audit, root, path):
        scope, statement = tree.function(node), tree.statement(node)
        if scope is not None and statement is not None and statement.lineno in ran.of(tree.file):
            lines.setdefault(scope, []).append((tree, getattr(node, "lineno", statement.lineno)))
    for found in lines.values():
        if len(found) > 1:
            return source_at(found[-1][0].file, max(line for _, line in found))
    return None


def _shapes(audit: Audit, module: ModuleInfo) -> list[tuple[int, ...]]:
    """The shapes of all parameters of a module."""
    parts = audit.recording.paths(module).values()
    return [audit.record.tracks[track].shape for part in parts for track in part.parameters.values()]


def _is_something_else(audit: Audit, tree: Tree, node: ast.AST) -> bool:
    """Whether the course of the program saw that what is read here is no module, and no parameter: a number, say."""
    statement = tree.statement(node)
    passes = audit.record.course.at(tree.file, statement.lineno) if statement is not None else []
    seen = [sight.read[text] for sight in passes if (text := tree.text(node)) in sight.read]
    return bool(seen) and all(one.is_plain and one.value is not None for one in seen)


def mentions(audit: Audit, root: int, path: str) -> list[tuple[Tree, ast.AST]]:
    """Reads of the attribute inside functions, constructors and housekeeping left out; those in forward first."""
    attribute = next((part for part in reversed(path.split(".")) if not part.isdigit()), path)
    classes = _owner_classes(audit, root, path, attribute)
    owners = {name for name, _, _ in classes}
    files = dict.fromkeys([*audit.project_files, *(file for _, _, file in classes)])
    found = []
    for tree, node in attribute_mentions([file for file in files if file and not is_skipped(file)], attribute):
        scope = tree.function(node)
        if scope is None or getattr(scope, "name", "") in ("__init__", "__repr__", "extra_repr"):
            continue
        outer = tree.parents.get(node)
        if isinstance(outer, ast.Attribute) and outer.attr in HOUSEKEEPING:
            continue
        if owners and isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            owner = next((outer for outer in tree.ancestors(node) if isinstance(outer, ast.ClassDef)), None)
            if owner is not None and owner.name not in owners:
                continue  # another class has an attribute of that name
        if _is_something_else(audit, tree, node):
            continue
        found.append((tree, node))
    ran = audit.record.ran()
    return sorted(found, key=lambda pair: _rank(pair[0], pair[1], ran))


def _rank(tree: Tree, node: ast.AST, ran: Ran) -> tuple[bool, bool]:
    """What stands in forward comes first, then what stands in a function that was entered."""
    scope = tree.function(node)
    return getattr(scope, "name", "") != "forward", scope is None or not was_entered(tree, scope, ran)


def _owner_classes(audit: Audit, root: int, path: str, attribute: str) -> tuple[tuple[str, str, str], ...]:
    """The classes of the module that has `attribute` on the way to `path`; none if it is not found."""
    parts = path.split(".")
    above = parts[: len(parts) - 1 - parts[::-1].index(attribute)] if attribute in parts else []
    way = _way(audit, root, ".".join(above))
    return audit.recording.class_of(way[-1]).bases if len(way) == len(above) + 1 else ()


def _way(audit: Audit, root: int, path: str) -> list[ModuleInfo]:
    """The modules of a model from its root down along `path`; none where it is not judged."""
    model = audit.recording.model_of(root)
    return audit.recording.way(model.root, path) if model is not None else []


def registration(audit: Audit, root: int, path: str) -> SourceLine | None:
    """The line that put the module or parameter into its owner, where it was watched or can be read from the class."""
    model = audit.recording.model_of(root)
    if model is None:
        return None
    info = model.root
    parts = path.split(".")
    found: SourceLine | None = None
    for part in parts:
        assignments = info.attributes.get(part)
        if assignments:
            found = audit.source(assignments[-1][1]) or found
        elif info.defined_in and not is_skipped(info.defined_in) and not part.isdigit():
            found = _assignment_in_class(info.defined_in, info.type, part) or found
        child = audit.recording.child(info, part)
        if child is None:
            break
        info = child
    return found


def _assignment_in_class(file: str, kind: str, attribute: str) -> SourceLine | None:
    tree = tree_of(file)
    if tree is None:
        return None
    for node in tree.nodes:
        if isinstance(node, ast.ClassDef) and node.name == kind:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Assign):
                    for target in inner.targets:
                        if isinstance(target, ast.Attribute) and target.attr == attribute:
                            return source_at(file, inner.lineno)
    return None


def _left_in_evaluation(audit: Audit, root: int, path: str, branch: Obstacle) -> SourceLine | None:
    """The line that put the module in evaluation mode for good, where the branch wants it in training mode."""
    against = branch.gave is None or branch.gave is ("not self.training" in branch.condition)
    if "self.training" not in branch.condition or not against:
        return None
    modes = [mode for module in _way(audit, root, path) for mode in module.modes]
    _, training, stack = max(modes, default=(0, True, -1))
    return audit.source(stack) if not training else None


def _kept_in_evaluation(audit: Audit, root: int, path: str, decision: Decision) -> SourceLine | None:
    """The line that put the module in evaluation mode for good, where a `train` of its own writes what the test asks
    for, as by merging adapters; None where something else wrote it."""
    birth = decision.birth
    tree = tree_of(birth.file) if birth is not None else None
    statement = tree.statement_at(birth.line) if tree is not None and birth is not None else None
    writer = tree.function(statement) if tree is not None and statement is not None else None
    if tree is None or getattr(writer, "name", "") not in ("train", "eval"):
        return None
    for module in _way(audit, root, path):
        _, training, stack = max(module.modes, default=(0, True, -1))
        line = audit.source(project_stack(audit.record.stacks, stack)) if not training else None
        if line is not None and not line.library and line.function.rpartition(".")[2] not in ("train", "eval"):
            return line
    return None


def _switched(audit: Audit, root: int, path: str) -> SourceLine | None:
    """The last line that put the module, or one above it, in evaluation mode."""
    best: tuple[int, int] | None = None
    for module in _way(audit, root, path):
        for time, training, stack in module.modes:
            if not training and (best is None or time >= best[0]):
                best = (time, stack)
    return audit.source(best[1]) if best is not None else None
