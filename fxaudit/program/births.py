"""Where a value was born: back through assignments, arguments, attributes, entries and results, as they really ran.

What only hands the value on is a station; the birth is the literal, the default, the option, the entry of a file or
the arithmetic from which it comes. Where the course of the program has a hole, nothing is said.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import replace
from functools import cached_property

from fxaudit.program.arithmetic import is_whole, is_whole_division, rounds_to_digits
from fxaudit.program.birth import Birth, Stations
from fxaudit.program.computed import Computed
from fxaudit.program.config_files import entry_of_file, entry_of_texts, texts_of_key
from fxaudit.program.contained import Contained
from fxaudit.program.course import Course, Entered, Plain, Seen, Sight
from fxaudit.program.evaluation import NOT_KNOWN, evaluated, same
from fxaudit.program.given import (
    argument_of,
    calls_in,
    crossed_with,
    default_of,
    entries_named,
    function_at,
    given_to,
    imported_from,
    is_any_text_true,
    is_display,
    key_asked_for,
    keys_of,
    last_name,
    option_default,
    passed,
    position_of,
    unpacks,
)
from fxaudit.program.plain import INNER, chain_of, lineage_of, readings, texts_of
from fxaudit.program.rounded import rounded_away
from fxaudit.program.slips import stores_the_denied
from fxaudit.program.spelling import are_opposed, letters_apart
from fxaudit.program.tree import tree_of
from fxaudit.program.unheard import Unheard

__all__ = ["Births"]

MAX_STATIONS = 24
FALLING_BACK = frozenset({"getint", "getfloat", "getboolean"})
"""The further methods of a `ConfigParser` that take a section, an option and a `fallback`."""


class Births:
    """Answers for one course."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._contained = Contained(course, self)
        self._computed = Computed(course, self)
        self._unheard = Unheard(course)

    def of(self, file: str, line: int, node: ast.expr, value: Plain) -> Birth | None:
        """The birth of the value that `node`, in the statement at `line`, was seen to have; None where it was not."""
        inside = self._course.at(file, node.lineno) if node.lineno != line else []
        is_first = True
        for sight in reversed([*self._course.at(file, line), *inside]):
            if same(evaluated(node, sight.read), value):
                found = self.back(sight, node, value, ())
                is_set = found is not None and found.is_a_setting and found.kind != "literal"
                if found is not None and (is_first or is_set):
                    return found
                is_first = False  # of an earlier pass more may have been heard: who set it
                continue
            if isinstance(node, ast.Call):
                found = self._returned_by(sight, node, value, ()) or self._held(sight, node, value)
                if found is not None:
                    return found
            if value == 0 and (found := self._held_factor(sight, node)) is not None:
                return found
        return None

    def held_factor(self, file: str, line: int, node: ast.expr) -> Birth | None:
        """The birth of the 0 that an object holds, and by which it makes the product `node` 0."""
        found = (self._held_factor(sight, node) for sight in reversed(self._course.at(file, line)))
        return next(filter(None, found), None)

    def _held_factor(self, sight: Sight, node: ast.expr) -> Birth | None:
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Mult):
            return None
        open_parts = [part for part in (node.left, node.right) if evaluated(part, sight.read) is NOT_KNOWN]
        held = (self._held(sight, part, 0) or self._held(sight, part, 0.0) for part in open_parts)
        return next(filter(None, held), None) or self._computed.factor(sight, node, 0, ())

    def _held(self, sight: Sight, call: ast.expr, value: Plain) -> Birth | None:
        """The birth of what `options.get("weight", 0.0)` gives, where that is there."""
        match call:
            case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[asked, *_]):
                chain, key = chain_of(owner), evaluated(asked, sight.read)
                seen = sight.read.get(chain.text) if chain is not None else None
                if seen is not None and seen.members is not None and isinstance(key, str) and key in seen.members:
                    return self._part(sight, seen, key, value, ())
            case ast.Subscript(value=owner, slice=ast.Constant(value=str(key))):
                chain = chain_of(owner)
                seen = sight.read.get(chain.text) if chain is not None else None
                return self._part(sight, seen, key, value, ()) if seen is not None else None
        return None

    def entry_of(self, file: str, line: int, owner: ast.expr, name: str, value: Plain) -> Birth | None:
        """The birth of the value that an entry of the dictionary `owner`, read in the statement at `line`, has."""
        chain = chain_of(owner)
        for sight in reversed(self._course.at(file, line)):
            seen = sight.read.get(chain.text) if chain is not None else None
            found = self._part(sight, seen, name, value, ()) if seen is not None else None
            if found is not None:
                return found
        return None

    def numbers(self, file: str, line: int, node: ast.expr) -> list[float]:
        """The numbers that `node`, in the statement at `line`, was seen to be."""
        inside = self._course.at(file, node.lineno) if node.lineno != line else []
        found = [evaluated(node, sight.read) for sight in (*self._course.at(file, line), *inside)]
        numbers = [value for value in found if isinstance(value, int | float) and not isinstance(value, bool)]
        return list(dict.fromkeys(numbers))

    def of_part(self, part: str, value: Plain) -> Birth | None:
        """The birth of the value where an entry or attribute of that name was last given it."""
        for sight in reversed(self._course.sights):
            for target, (_, name) in sight.owners.items():
                found = self._binding(sight, target, value, ()) if name == part else None
                if found is not None:
                    return found
        return None

    def returned(self, file: str, first_line: int, value: Plain) -> Birth | None:
        """The birth of the value that the function which begins at `first_line` returned last."""
        for number in range(len(self._course.frames) - 1, -1, -1):
            frame = self._course.frames[number]
            if (frame.file, frame.first_line) != (file, first_line):
                continue
            for sight in reversed(self._course.in_frame(number)):
                if frame.function.endswith("<lambda>"):
                    result = readings(file).inner_at(sight.line)
                else:
                    statement = self.statement(sight)
                    result = statement.value if isinstance(statement, ast.Return) else None
                if result is not None and same(evaluated(result, sight.read), value):
                    return self.back(sight, result, value, ())
                made = self._returned_by(sight, result, value, ()) if isinstance(result, ast.Call) else None
                if made is not None:
                    return made
        return None

    def answer(self, sight: Sight, node: ast.expr) -> tuple[Sight, ast.expr] | None:
        """The expression that the function called by `node`, or the property read by it, returned."""
        called = node.func if isinstance(node, ast.Call) else node
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        for frame in self._course.calls_in(sight):
            function = self._course.frames[frame].function
            is_called = isinstance(node, ast.Call) and self._calls_it(node, function, sight)
            if function.split(".")[-1] != name and not is_called:
                continue
            for inner in reversed(self._course.in_frame(frame)):
                statement = self.statement(inner)
                if isinstance(statement, ast.Return) and statement.value is not None:
                    return inner, statement.value
        return None

    def respelt(self, sight: Sight, test: ast.expr, stations: Stations = ()) -> Birth | None:
        """The birth of a text that a test compares with another in vain, where it is nearly that one, and the program
        mentions it nowhere else."""
        match test:
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() | ast.In() | ast.NotIn()], comparators=[right]):
                value = evaluated(left, sight.read)
                asked = {node.value for node in ast.walk(right) if isinstance(node, ast.Constant)}
                if value is NOT_KNOWN:
                    return self._otherwise_written(sight, test, left, asked, stations)
                if not isinstance(value, str) or value in asked:
                    return None
                near = [text for text in asked if isinstance(text, str) and letters_apart(text, value) is not None]
                if not near:
                    return None
                files, birth = self._course.files(), self.back(sight, left, value, stations)
                if birth is None or not birth.is_a_setting:
                    return None
                here = 1 if birth.file in files else 0
                written = sum(texts_of(file, (value,)).count(value) for file in files)
                return replace(birth, asked=min(near)) if written <= here else None
        return None

    def _otherwise_written(
        self, sight: Sight, test: ast.expr, left: ast.expr, asked: Collection[object], stations: Stations
    ) -> Birth | None:
        """The test that compares an entry of a configuration file, of which only the key is known, with a text that it
        is but for its capitals: `section["attention"] == "true"`, where the file has `True`."""
        key = key_asked_for(left)
        files = self._course.config_files(sight.index) if key else []
        entries = [(file, *entry) for file in files for entry in texts_of_key(file, key)]
        if len(entries) != 1 or isinstance(evaluated(left, sight.read), Seen):
            return None
        file, line, text = entries[0]
        meant = [one for one in asked if isinstance(one, str) and one != text and one.casefold() == text.casefold()]
        if not meant or text in asked:
            return None
        told = (*stations, (file, line, f"`{key}` is {text!r} here, and is compared with {meant[0]!r}"))
        return Birth(self._course.file_of(sight), test.lineno, "capitals", ast.unparse(test), text, told)

    # -- one step back -------------------------------------------------------------------------------------------

    def back(self, sight: Sight, node: ast.expr, value: Plain, stations: Stations = ()) -> Birth | None:
        """The birth of the value that `node` had in this pass; `stations` are those that led to it."""
        if len(stations) >= MAX_STATIONS:
            return None
        file = self._course.file_of(sight)
        here = Birth(file, node.lineno, "computed", ast.unparse(node), value, stations, is_whole=is_whole(node))
        match node:
            case ast.Constant():
                return replace(here, kind="literal")
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
                return replace(here, kind="literal")
            case ast.Name(id=name):
                return self._name(sight, name, value, stations)
            case ast.Attribute(value=owner, attr=name):
                return self._attribute(sight, owner, name, value, stations)
            case ast.Subscript(value=owner):
                return self._entry(sight, node, owner, value, stations)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                chosen = evaluated(test, sight.read)
                if chosen is NOT_KNOWN:
                    return None
                told = (*stations, (file, test.lineno, f"`{ast.unparse(test)}` is {bool(chosen)}"))
                found = self.respelt(sight, test, told)
                found = found or self.back(sight, body if chosen else orelse, value, stations)
                # What a function falls back to is right; the number for which it does so may not be.
                return (
                    self._bound_of(sight, test, found, told) if found and found.kind == "default" else None
                ) or found
            case ast.BoolOp(values=values):
                part = next((v for v in values if same(evaluated(v, sight.read), value)), None)
                return self.back(sight, part, value, stations) if part is not None else here
            case ast.Call(func=ast.Name(id="max" | "min"), args=[_, _, *_] as parts):
                given = [part for part in parts if not isinstance(part, ast.Constant)]
                part = next((part for part in given if same(evaluated(part, sight.read), value)), None)
                if part is None:
                    return self._computed.clamped(sight, given, stations) or here
                return self.back(sight, part, value, stations)
            case ast.Call():
                if rounds_to_digits(node) and value == 0:
                    return here  # so few digits are its own fault
                made = self._computed.counted(sight, node, value, stations)
                made = made or self._result(sight, node, value, stations)
                made = made or self._computed.shrunk(sight, node, value, stations)
                is_flag = isinstance(node.func, ast.Name) and node.func.id == "bool" and value is True
                return here if made is None and is_flag else made
        found = self._computed.factor(sight, node, value, stations) or self._computed.shrunk(
            sight, node, value, stations
        )
        if found is None:
            found = self.respelt(sight, node, (*stations, (file, node.lineno, f"`{ast.unparse(node)}` is {value!r}")))
        if found is None and value != 0 and not is_whole_division(node):  # that is to blame itself
            found = self._computed.divided_away(sight, node, stations)
        if found is None and value == 0:
            found = self._computed.complement(sight, node, stations) or self._computed.addend(sight, node, stations)
        if found is None:
            found = self._computed.counted(sight, node, value, stations)
        if found is None and _all_known(node, sight):
            return replace(here, because=self._computed.operands(sight, node, stations))
        return found

    def _bound_of(self, sight: Sight, test: ast.expr, found: Birth, stations: Stations) -> Birth | None:
        """The number, set by somebody else, with which a test compares that leads to the default of its function."""
        if not isinstance(test, ast.Compare) or len(test.comparators) != 1:
            return None
        for side in (test.comparators[0], test.left):
            number = evaluated(side, sight.read)
            if isinstance(number, int | float) and not isinstance(side, ast.Constant):
                birth = self.back(sight, side, number, stations)
                if birth is not None and birth.is_a_setting and (birth.file, birth.line) != (found.file, found.line):
                    return birth
        return None

    def _name(self, sight: Sight, name: str, value: Plain, stations: Stations) -> Birth | None:
        bound = self._course.name_bound(sight.frame, name, sight.index)
        if bound is not None:
            return self._binding(bound, name, value, stations)
        entered = self._course.frames[sight.frame]
        kind = entered.function.rpartition(".")[2]
        enclosing = self._enclosing(entered, name, sight.index, value, stations) if kind != "<genexpr>" else None
        if enclosing is not None:
            return enclosing
        if kind in INNER:
            return self._around(sight, name, value, stations)
        tree = tree_of(entered.file)
        function = function_at(tree, entered.first_line) if tree is not None else None
        argument = argument_of(function, name) if function is not None else None
        if argument is not None and isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            return self._given(sight.frame, function, name, value, stations)
        return self._module_variable(entered.file, name, sight.index, value, stations)

    def _enclosing(self, entered: Entered, name: str, before: int, value: Plain, stations: Stations) -> Birth | None:
        """From a variable of a function inside another to the other's, which may have ended: its last call."""
        outer = entered.function.rpartition(".<locals>.")[0]
        if not outer:
            return None
        for number in range(len(self._course.frames) - 1, -1, -1):
            frame = self._course.frames[number]
            if (frame.file, frame.function) != (entered.file, outer):
                continue
            bound = self._course.name_bound(number, name, before)
            if bound is not None and same(bound.bound[name], value):
                return self._binding(bound, name, value, stations)
            tree = tree_of(frame.file)
            function = function_at(tree, frame.first_line) if tree is not None else None
            if isinstance(function, ast.FunctionDef) and argument_of(function, name) is not None and bound is None:
                found = self._given(number, function, name, value, stations)
                if found is not None:
                    return found
        return None

    def _around(self, sight: Sight, name: str, value: Plain, stations: Stations) -> Birth | None:
        """From a variable of a lambda or a comprehension to what it goes through, or to the function around it."""
        caller = self.caller(sight.frame)
        if caller is None:
            return None
        tree = tree_of(self._course.file_of(sight))
        part = readings(self._course.file_of(sight)).inner_at(sight.line)
        for outer in tree.ancestors(part) if tree is not None and part is not None else ():
            for loop in getattr(outer, "generators", ()):
                if name in {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}:
                    return self._contained.birth(caller, loop.iter, value, stations, position_of(loop.target, name))
            if isinstance(outer, ast.stmt):
                break
        return self._name(caller, name, value, stations)

    def _module_variable(self, file: str, name: str, before: int, value: Plain, stations: Stations) -> Birth | None:
        for number, frame in enumerate(self._course.frames):
            if frame.file == file and frame.function == "<module>":
                bound = self._course.name_bound(number, name, before)
                if bound is not None:
                    return self._binding(bound, name, value, stations)
        imported = imported_from(file, name)
        files = {frame.file for frame in self._course.frames}
        if imported is not None:
            module, original = imported
            tail = module.rpartition(".")[2]
            for other in sorted(files):
                stem = other.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
                if (other != file and tail in (stem, "")) or (stem == "__init__" and other != file):
                    found = self._module_variable(other, original, before, value, stations)
                    if found is not None:
                        return found
        return None

    def _binding(self, bound: Sight, target: str, value: Plain, stations: Stations) -> Birth | None:
        """From the statement that bound the target to what it was bound to."""
        if not same(bound.bound[target], value):
            return None
        statement = self.statement(bound)
        if isinstance(statement, ast.For):
            return self._contained.birth(bound, statement.iter, value, stations, position_of(statement.target, target))
        given = given_to(statement, target)
        if given is None:
            return self._unpacked_from(bound, statement, target, value, stations)
        file = self._course.file_of(bound)
        station = (file, bound.line, f"`{target}` gets its value here")
        if isinstance(statement, ast.AugAssign):
            factor = evaluated(given, bound.read) if isinstance(statement.op, ast.Mult) and value == 0 else NOT_KNOWN
            if same(factor, 0) or same(factor, 0.0):
                found = self.back(bound, given, factor, (*stations, station))  # type: ignore[arg-type]
                if found is not None:
                    return found
            return Birth(file, bound.line, "computed", ast.unparse(statement), value, stations)
        found = self.back(bound, given, value, (*stations, station))
        if found is None or found.kind != "default":
            return found
        # What a branch falls back to is right; the number for which it does so may not be.
        return self._bound_of_branch(bound, found, (*stations, station)) or found

    def _bound_of_branch(self, bound: Sight, found: Birth, stations: Stations) -> Birth | None:
        """The same for the `if` in whose body the statement stands."""
        file = self._course.file_of(bound)
        tree = tree_of(file)
        statement = tree.statement_at(bound.line) if tree is not None else None
        branch = tree.parents.get(statement) if tree is not None and statement is not None else None
        if not isinstance(branch, ast.If) or statement not in branch.body:
            return None
        asked = [s for s in self._course.at(file, branch.lineno) if s.frame == bound.frame and s.index < bound.index]
        chosen = (file, branch.lineno, f"`{ast.unparse(branch.test)}` chooses it")
        return self._bound_of(asked[-1], branch.test, found, (*stations, chosen)) if asked else None

    def _unpacked_from(
        self, bound: Sight, statement: ast.stmt | None, target: str, value: Plain, stations: Stations
    ) -> Birth | None:
        """`low, high = BOUNDS`: the member of what was unpacked, or what the function returned that was."""
        match statement:
            case ast.Assign(targets=[ast.Tuple() | ast.List() as targets], value=given):
                pass
            case _:
                return None
        position = position_of(targets, target)
        here = (self._course.file_of(bound), bound.line, f"`{target}` gets its value here")
        if isinstance(given, ast.Tuple | ast.List) and len(given.elts) == len(targets.elts):
            part = given.elts[position]
            known = same(evaluated(part, bound.read), value)
            return self.back(bound, part, value, (*stations, here)) if known else None
        if isinstance(given, ast.Call):
            answered = self.answer(bound, given)
            display = answered[1] if answered is not None else None
            if answered is None or not isinstance(display, ast.Tuple) or position >= len(display.elts):
                return None
            part = display.elts[position]
            known = same(evaluated(part, answered[0].read), value)
            return self.back(answered[0], part, value, (*stations, here)) if known else None
        chain = chain_of(given)
        seen = bound.read.get(chain.text) if chain is not None else None
        return self._part(bound, seen, str(position), value, (*stations, here)) if seen is not None else None

    def _given(
        self,
        frame: int,
        function: ast.FunctionDef | ast.AsyncFunctionDef,
        name: str,
        value: Plain,
        stations: Stations,
    ) -> Birth | None:
        """From an argument to what the caller gave for it, or to its default."""
        entered = self._course.frames[frame]
        caller = self.caller(frame)
        if caller is not None:
            statement = self.statement(caller)
            for call in calls_in(statement):
                if not self._calls_it(call, entered.function, caller):
                    continue
                given = passed(call, function, name, is_method="." in entered.function)
                if given is not None:
                    here = self._course.file_of(caller)
                    told = (*stations, (here, call.lineno, f"`{name}` is given here"))
                    if value in (0, 1) and are_opposed(name, last_name(given)):
                        return Birth(here, given.lineno, "opposite", ast.unparse(given), value, told)
                    is_method = "." in entered.function
                    other = crossed_with(call, function, name, is_method=is_method)
                    instead = passed(call, function, other, is_method=is_method) if other else None
                    if instead is not None and not same(evaluated(instead, caller.read), value):
                        text = f"`{name}` and `{other}`"
                        return Birth(here, given.lineno, "crossed", text, value, told)
                    return self.back(caller, given, value, told)
                unpacked = self._unpacked(caller, call, name, value, stations) if unpacks(call) else None
                if unpacked is not None:
                    return unpacked
                default = default_of(function, name)
                if isinstance(default, ast.Name):
                    told = (*stations, (entered.file, default.lineno, f"the default of `{name}`"))
                    return self._module_variable(entered.file, default.id, caller.index, value, told)
                if default is not None and same(evaluated(default, {}), value):
                    misspelt = self._unheard.misspelt(name, value, caller.index, stations) if unpacks(call) else None
                    misspelt = misspelt or self._unheard.swallowed(function, name, value, stations)
                    if misspelt is not None:
                        return misspelt
                    return Birth(entered.file, default.lineno, "default", ast.unparse(default), value, stations)
        default = default_of(function, name)
        if default is not None and same(evaluated(default, {}), value):
            return self._unheard.swallowed(function, name, value, stations)
        calls = calls_in(self.statement(caller)) if caller is not None else ()
        if caller is not None and any(unpacks(call) for call in calls):  # another round of a comprehension, unseen
            return self._nested_display(name, caller.index, value, stations)
        return None

    def _unpacked(self, caller: Sight, call: ast.Call, name: str, value: Plain, stations: Stations) -> Birth | None:
        """`f(**options)`: the entry of that name."""
        for keyword in call.keywords:
            if keyword.arg is None:
                chain = chain_of(keyword.value)
                seen = caller.read.get(chain.text) if chain is not None else None
                if seen is not None and seen.token >= 0:
                    here = (self._course.file_of(caller), call.lineno, f"`{name}` is given here")
                    found = self._part(caller, seen, name, value, (*stations, here))
                    if found is not None:
                        return found
                if isinstance(keyword.value, ast.DictComp):
                    here = (self._course.file_of(caller), call.lineno, f"`{name}` is given here")
                    return self._only_entry(name, value, caller.index, (*stations, here))
        return None

    def _only_entry(self, name: str, value: Plain, before: int, stations: Stations) -> Birth | None:
        """The one line of a configuration file that gives the key the value: for a dictionary that is made anew of
        entries, which are not followed one by one."""
        files = self._course.config_files(before)
        found = [(file, line, text) for file in files for line, text in entry_of_file(file, name, value)]
        if len(found) != 1:
            return None
        file, line, text = found[0]
        return Birth(file, line, "entry", text, value, stations)

    def caller(self, frame: int) -> Sight | None:
        """The pass of the calling statement from which the frame was entered."""
        entered = self._course.frames[frame]
        if entered.caller < 0:
            return None
        before = [s for s in self._course.in_frame(entered.caller) if s.index < entered.after]
        return before[-1] if before and before[-1].line <= entered.line else None

    def _calls_it(self, call: ast.Call, qualified: str, caller: Sight) -> bool:
        """Whether the call is one of the function: by its name, its class's, or the class of what is called."""
        parts = [part for part in qualified.split(".") if part != "<locals>"]
        wanted = {parts[-1]}
        if parts[-1] in ("__init__", "__new__", "__post_init__", "__call__", "forward") and len(parts) > 1:
            wanted.add(parts[-2])
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in wanted:
            return True
        if name == "apply" and parts[-1] == "forward" and last_name(call.func.value) == parts[-2]:  # type: ignore[attr-defined]
            return True
        chain = chain_of(call.func)
        seen = caller.read.get(chain.text) if chain is not None else None
        if seen is None:
            return isinstance(call.func, ast.Subscript | ast.Call) and parts[-1] == "__init__"
        if seen.kind == "callable":
            return str(seen.value).split(".")[-1] in wanted or seen.value == qualified
        return parts[-1] in ("__call__", "forward") and str(seen.value).split(".")[-1] in wanted

    def _attribute(self, sight: Sight, owner: ast.expr, name: str, value: Plain, stations: Stations) -> Birth | None:
        chain = chain_of(owner)
        seen = sight.read.get(chain.text) if chain is not None else None
        if seen is None:
            return None
        if seen.kind == "module":
            return self._module_variable(str(seen.value), name, sight.index, value, stations)
        found = self._part(sight, seen, name, value, stations)
        if found is None and str(seen.value).endswith(
            "Backward"
        ):  # the context of a custom function, as forward left it
            found = self.of_part(name, value)
        found = found or self._made_for(sight, owner, name, value, stations)
        return found or self._read(sight, owner, name, value, stations)

    def _read(self, sight: Sight, owner: ast.expr, name: str, value: Plain, stations: Stations) -> Birth | None:
        """From the reading of a property to what it returned."""
        answered = self.answer(sight, ast.Attribute(value=owner, attr=name, ctx=ast.Load()))
        if answered is None or not same(evaluated(answered[1], answered[0].read), value):
            return None
        here = (self._course.file_of(answered[0]), answered[1].lineno, f"`{name}` is computed here")
        return self.back(answered[0], answered[1], value, (*stations, here))

    def _entry(
        self,
        sight: Sight,
        node: ast.Subscript,
        owner: ast.expr,
        value: Plain,
        stations: Stations,
    ) -> Birth | None:
        chain = chain_of(owner)
        seen = sight.read.get(chain.text) if chain is not None else None
        key = evaluated(node.slice, sight.read)
        if seen is None:
            return None
        found = self._part(sight, seen, str(key), value, stations) if isinstance(key, str | int) else None
        if found is None and seen.kind == "list":
            found = self._contained.birth(sight, owner, value, stations)
        return found

    def _part(self, sight: Sight, owner: Seen, name: str, value: Plain, stations: Stations) -> Birth | None:
        """The birth of an attribute or an entry of an object."""
        bound = self._course.part_bound(owner.token, name, sight.index)
        if bound is not None:
            target = next(t for t, o in bound.owners.items() if o == (owner.token, name))
            found = self._binding(bound, target, value, stations)
            if found is not None:
                return found
        return (
            self._in_construction(owner, name, sight.index, value, stations)
            or self._unheard.misspelt(name, value, sight.index, stations)
            or self._class_default(owner, name, value, stations)
            or self._option(owner, name, value, stations)
            or self._in_file(name, value, sight.index, stations)
            or rounded_away(self._course, owner, name, value, sight.index, stations)
        )

    def _in_construction(self, owner: Seen, name: str, before: int, value: Plain, stations: Stations) -> Birth | None:
        """Where the object was made of keywords or of a display: `Config(weight=0.0)`, `{"weight": 0.0}`."""
        for sight, target in self._course.made(owner.token):
            if sight.index >= before:
                break
            given = given_to(self.statement(sight), target)
            if given is None:
                continue
            entry = self._entry_given(sight, given, name, value, stations)
            if entry is not None:
                return entry
        return self._nested_display(name, before, value, stations)

    def _entry_given(self, sight: Sight, given: ast.expr, name: str, value: Plain, stations: Stations) -> Birth | None:
        """The birth of an entry of a display, or of an object made of keywords; or of what a function returns."""
        answered = self.answer(sight, given) if isinstance(given, ast.Call) else None
        for place, display in ((sight, given), *([answered] if answered is not None else [])):
            for part in entries_named(display, name):
                found = evaluated(part, place.read)
                here = (self._course.file_of(place), part.lineno, f"`{name}` gets its value here")
                if same(found, value):
                    return self.back(place, part, value, (*stations, here))
                respelt = self.respelt(place, part, (*stations, here)) if found is NOT_KNOWN else None
                if respelt is not None:
                    return respelt
        return None

    def _made_for(self, sight: Sight, owner: ast.expr, name: str, value: Plain, stations: Stations) -> Birth | None:
        """From an argument to the call that made it for this one: `Net(read())`."""
        entered = self._course.frames[sight.frame]
        tree, caller = tree_of(entered.file), self.caller(sight.frame)
        function = function_at(tree, entered.first_line) if tree is not None else None
        if not isinstance(owner, ast.Name) or not isinstance(function, ast.FunctionDef) or caller is None:
            return None
        for call in calls_in(self.statement(caller)):
            if self._calls_it(call, entered.function, caller):
                given = passed(call, function, owner.id, is_method="." in entered.function)
                return self._entry_given(caller, given, name, value, stations) if given is not None else None
        return None

    def _nested_display(self, name: str, before: int, value: Plain, stations: Stations) -> Birth | None:
        """An entry of a display within a display, where only one of that name holds the value."""
        found: dict[tuple[str, int], tuple[Sight, ast.expr]] = {}
        for file, line, display in self._displays.get(name, ()):
            passes = [sight for sight in self._course.at(file, line) if sight.index < before]
            for part in entries_named(display, name):
                held = [sight for sight in passes if same(evaluated(part, sight.read), value)]
                if held:
                    found[file, part.lineno] = (held[-1], part)
        if len(found) != 1:
            return None
        ((file, line), (sight, part)) = next(iter(found.items()))
        birth = self.back(sight, part, value, (*stations, (file, line, f"`{name}` gets its value here")))
        defaults = {seen.token for seen in sight.bound.values() if seen.kind == "dict"} - {-1}
        return (self._unheard.overruled_by(birth, name, defaults, before) if birth is not None else None) or birth

    @cached_property
    def _displays(self) -> dict[str, list[tuple[str, int, ast.expr]]]:
        """Key → the displays that have it, each with the file and the first line of its statement."""
        found: dict[str, list[tuple[str, int, ast.expr]]] = {}
        for sight in self._course.last_passes():
            statement = self.statement(sight)
            is_entry = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Subscript)
            if is_entry or any(seen.kind in ("dict", "list", "object") for seen in sight.bound.values()):
                nodes = ast.walk(statement) if isinstance(statement, ast.Assign | ast.AnnAssign) else ()
                for display in filter(is_display, nodes):
                    for key in keys_of(display):
                        found.setdefault(key, []).append((self._course.file_of(sight), sight.line, display))
        return found

    def _class_default(self, owner: Seen, name: str, value: Plain, stations: Stations) -> Birth | None:
        """What the body of the class, or of one that it is derived from, gives the attribute."""
        if owner.kind not in ("object", "callable", "dict"):
            return None
        for kind in lineage_of(self._course.files(), str(owner.value)):
            for number in self._bodies.get(kind, ()):
                bound = self._course.name_bound(number, name, len(self._course.sights))
                if bound is None:
                    continue
                if same(bound.bound[name], value):
                    misspelt = self._unheard.written_in_vain(name, value, stations)
                    found = misspelt or self._binding(bound, name, value, stations)
                    return replace(found, kind="default") if found is not None and misspelt is None else found
                statement = self.statement(bound)
                for part in ast.walk(statement) if statement is not None else ():
                    if not isinstance(part, ast.keyword) or part.arg != "default":  # `field(default=…)`
                        continue
                    if same(evaluated(part.value, bound.read), value):
                        file = self._course.file_of(bound)
                        return Birth(file, part.value.lineno, "default", ast.unparse(part.value), value, stations)
        return None

    @cached_property
    def _bodies(self) -> dict[str, list[int]]:
        """Qualified name → the calls of that name: of a class, its body."""
        found: dict[str, list[int]] = {}
        for number, frame in enumerate(self._course.frames):
            found.setdefault(frame.function, []).append(number)
        return found

    def _option(self, owner: Seen, name: str, value: Plain, stations: Stations) -> Birth | None:
        """The option of a command line by which the attribute got its default."""
        if owner.value not in ("Namespace", None) and owner.kind != "dict":
            return None
        for file in self._course.files():
            tree = tree_of(file)
            for node in tree.parents if tree is not None else ():
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("add_argument", "option"):
                    flags = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                    named = {flag.lstrip("-").replace("-", "_").split("/")[0] for flag in flags}
                    named |= {str(k.value.value) for k in node.keywords if k.arg == "dest" and _is_constant(k.value)}  # type: ignore[attr-defined]
                    taken = value is True and (is_any_text_true(node) or stores_the_denied(node))
                    if name in named and (taken or same(option_default(node), value)):
                        return Birth(file, node.lineno, "option", ast.unparse(node), value, stations)
        return None

    def _in_file(self, name: str, value: Plain, before: int, stations: Stations) -> Birth | None:
        """The entry of a configuration file that the program has named."""
        found = [
            (file, line, text)
            for file in self._course.config_files(before)
            for line, text in entry_of_file(file, name, value)
        ]
        found += [
            (file, line, text) for file in self._course.files() for line, text in entry_of_texts(file, name, value)
        ]
        if len({(file, line) for file, line, _ in found}) != 1:
            return None
        file, line, text = found[0]
        birth = Birth(file, line, "entry", text, value, stations)
        return self._unheard.overruled(birth, name, before) or self._unheard.beside(birth, name, before) or birth

    def _result(self, sight: Sight, call: ast.Call, value: Plain, stations: Stations) -> Birth | None:
        """From a call to what it returned, or to what it converts."""
        file = self._course.file_of(sight)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        returned = self._returned_by(sight, call, value, stations)
        if returned is not None:
            return returned
        if name in ("float", "int", "bool", "str") and len(call.args) == 1:
            inner_value = evaluated(call.args[0], sight.read)
            if _is_plain(inner_value) and inner_value == value:
                return self.back(sight, call.args[0], inner_value, stations)
        if name in ("get", "getattr", "pop", "setdefault", *FALLING_BACK):
            return self._looked_up(sight, call, name, value, stations)
        is_length = name == "len" and len(call.args) == 1 and isinstance(value, int)  # of an object of the user's
        if _all_known(call, sight) or is_length:
            return Birth(file, call.lineno, "computed", ast.unparse(call), value, stations, is_whole=is_whole(call))
        return None

    def _returned_by(self, sight: Sight, call: ast.Call, value: Plain, stations: Stations) -> Birth | None:
        """From a call of a function of the user's to the expression that it returned."""
        answered = self.answer(sight, call)
        if answered is None:
            return None
        inner, returned = answered
        if not isinstance(returned, ast.Call) and not same(evaluated(returned, inner.read), value):
            return None
        here = (self._course.file_of(inner), inner.line, f"`{ast.unparse(call.func)}` returns it")
        return self.back(inner, returned, value, (*stations, here))

    def _looked_up(self, sight: Sight, call: ast.Call, name: str, value: Plain, stations: Stations) -> Birth | None:
        """`options.get("weight", 0.0)`, `getattr(options, "weight", 0.0)`: what is held, else the default."""
        if name == "getattr":
            owner, rest = (call.args[0], call.args[1:]) if call.args else (None, [])
        else:
            owner, rest = (call.func.value if isinstance(call.func, ast.Attribute) else None), call.args
        default = next((k.value for k in call.keywords if k.arg == "fallback"), None)
        if default is not None:
            rest = rest[1:]  # the section comes first
        elif len(rest) > 1:
            default = rest[1]
        chain = chain_of(owner) if owner is not None else None
        seen = sight.read.get(chain.text) if chain is not None else None
        key = evaluated(rest[0], sight.read) if rest else None
        if seen is None or not isinstance(key, str):
            return None
        file = self._course.file_of(sight)
        is_taken = default is not None and same(evaluated(default, sight.read), value)
        told = (*stations, (file, call.lineno, f"`{key}` is not there, and `{value!r}` is taken"))
        if is_taken and seen.members and key not in seen.members:
            meant = self._unheard.near_member(seen, key, value, sight.index, told)
            meant = meant or self._unheard.unasked(sight, call, value, told)
            if meant is not None:
                return meant
        found = self._part(sight, seen, key, value, stations)
        if found is None and default is not None and is_taken:
            elsewhere = self._unheard.misplaced(key, value, sight.index, told)
            elsewhere = elsewhere or self._unheard.written_in_vain(key, value, told)
            function = self._function_of(sight)
            if function is not None and function.args.kwarg is not None and chain is not None:
                is_rest = chain.text == function.args.kwarg.arg
                elsewhere = elsewhere or (self._unheard.swallowed(function, key, value, told) if is_rest else None)
            return elsewhere or self._default_given(sight, call, default, value, stations)
        return found

    def _default_given(
        self, sight: Sight, call: ast.Call, default: ast.expr, value: Plain, stations: Stations
    ) -> Birth:
        """Where the default of a lookup is written: there, or where the function was called that only passes it on."""
        file = self._course.file_of(sight)
        function = self._function_of(sight)
        if isinstance(default, ast.Name) and function is not None and argument_of(function, default.id) is not None:
            found = self.back(sight, default, value, (*stations, (file, call.lineno, "and is looked up here")))
            if found is not None and found.kind == "literal":
                return replace(found, kind="default")
            if found is not None:
                return found
        return Birth(file, default.lineno, "default", ast.unparse(call), value, stations)

    def _function_of(self, sight: Sight) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function that a pass belongs to."""
        entered = self._course.frames[sight.frame]
        tree = tree_of(entered.file)
        found = function_at(tree, entered.first_line) if tree is not None else None
        return found if isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef) else None

    def bound_by(self, sight: Sight, name: str) -> tuple[Sight, ast.expr] | None:
        """The expression that a variable was bound to last, with the pass of that statement: in the same call, else in
        the module."""
        file, frames = self._course.file_of(sight), self._course.frames
        modules = [n for n, frame in enumerate(frames) if frame.file == file and frame.function == "<module>"]
        found = (self._course.name_bound(frame, name, sight.index) for frame in (sight.frame, *modules))
        bound = next(filter(None, found), None)
        given = given_to(self.statement(bound), name) if bound is not None else None
        return (bound, given) if bound is not None and given is not None else None

    def statement(self, sight: Sight) -> ast.stmt | None:
        """The statement that ran."""
        return readings(self._course.file_of(sight)).statement(sight.line)


# -- reading syntax ----------------------------------------------------------------------------------------------


def _is_plain(value: object) -> bool:
    return value is not NOT_KNOWN and not isinstance(value, Seen)


def _all_known(node: ast.AST, sight: Sight) -> bool:
    return isinstance(node, ast.expr) and evaluated(node, sight.read) is not NOT_KNOWN


def _is_constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant)
