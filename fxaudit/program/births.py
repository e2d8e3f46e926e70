"""Where a value was born: back through assignments, arguments, attributes, entries and results, as they really ran.

What only hands the value on is a station; the birth is the literal, the default, the option, the entry of a file or
the arithmetic from which it comes. Where the course of the program has a hole, nothing is said.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from fxaudit.program.config_files import entry_of_file
from fxaudit.program.course import Course, Plain, Seen, Sight
from fxaudit.program.evaluation import NOT_KNOWN, evaluated
from fxaudit.program.plain import chain_of, readings
from fxaudit.program.tree import Tree, tree_of

__all__ = ["Birth", "Births", "Decision"]

MAX_STATIONS = 24

Kind = Literal["literal", "default", "option", "entry", "computed", "result"]


@dataclass(frozen=True, slots=True)
class Birth:
    """The place from which a value comes: the line to edit."""

    file: str
    line: int
    kind: Kind
    text: str
    """What stands there, as it is written."""
    value: Plain
    stations: tuple[tuple[str, int, str], ...] = ()
    """(file, line, what hands it on there), from the effect towards the birth."""
    because: tuple[tuple[str, int, str], ...] = ()
    """Where an arithmetic has its operands from: (file, line, what is from there)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a test went the way it did: the operand that decided, what it was, and where that comes from."""

    text: str
    """The part of the test that decided."""
    operand: str
    value: Plain
    birth: Birth | None
    is_compared: bool = False
    """Whether it is compared with something; else its truth alone decides."""

    @property
    def is_a_setting(self) -> bool:
        """Whether a flag decides that was set somewhere: that is what one would edit, not the test."""
        known = self.birth is not None and self.birth.kind in ("literal", "default", "option", "entry")
        return known and not self.is_compared


class Births:
    """Answers for one course."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def of(self, file: str, line: int, node: ast.expr, value: Plain) -> Birth | None:
        """The birth of the value that `node`, in the statement at `line`, was seen to have; None where it was not."""
        for sight in reversed(self._course.at(file, line)):
            if _same(evaluated(node, sight.read), value):
                return self._back(sight, node, value, ())
            if isinstance(node, ast.Call):
                found = self._returned_by(sight, node, value, ())
                if found is not None:
                    return found
        return None

    def of_part(self, part: str, value: Plain) -> Birth | None:
        """The birth of the value that some entry or attribute of that name was last given, where that was this one."""
        for sight in reversed(self._course.sights):
            for target, (_, name) in sight.owners.items():
                if name == part:
                    return self._binding(sight, target, value, ())
        return None

    def returned(self, file: str, first_line: int, value: Plain) -> Birth | None:
        """The birth of the value that the function which begins at `first_line` returned last."""
        for number in range(len(self._course.frames) - 1, -1, -1):
            frame = self._course.frames[number]
            if (frame.file, frame.first_line) != (file, first_line):
                continue
            for sight in reversed(self._course.in_frame(number)):
                if frame.function.endswith("<lambda>"):
                    result = readings(file).lambda_at(sight.line)
                else:
                    statement = self._statement(sight)
                    result = statement.value if isinstance(statement, ast.Return) else None
                if result is not None and _same(evaluated(result, sight.read), value):
                    return self._back(sight, result, value, ())
        return None

    def values_at(self, file: str, line: int, node: ast.expr) -> list[Plain]:
        """What `node` was worth in each pass through the statement at `line` in which that is known."""
        found = [evaluated(node, sight.read) for sight in self._course.at(file, line)]
        return [value for value in found if not isinstance(value, Seen) and value is not NOT_KNOWN]  # type: ignore[misc]

    def decision(self, file: str, line: int, test: ast.expr, outcome: bool) -> Decision | None:
        """Why `test` gave `outcome` whenever it was seen; None where it was not seen, or gave the other as well."""
        sights = self._course.at(file, line)
        results = [evaluated(test, sight.read) for sight in sights]
        if not sights or any(isinstance(r, Seen) or r is NOT_KNOWN or bool(r) != outcome for r in results):
            part = _deciding_part(test, sights, outcome)
            if part is None:
                return None
            test, outcome = part
        return self._decided(sights[-1], test, outcome)

    def _decided(self, sight: Sight, test: ast.expr, outcome: bool) -> Decision | None:
        match test:
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                return self._decided(sight, inner, not outcome)
            case ast.BoolOp(op=op, values=values):
                stops = isinstance(op, ast.Or)  # what ends `or` is true, what ends `and` is false
                if outcome != stops:
                    part = next((v for v in values if _truth(v, sight) is outcome), None)
                    return self._decided(sight, part, outcome) if part is not None else None
                part = next((v for v in values if _truth(v, sight) is outcome), None)
                return self._decided(sight, part, outcome) if part is not None else None
            case ast.Compare(left=left, comparators=[right]):
                for one in (left, right):
                    value = evaluated(one, sight.read)
                    if not isinstance(one, ast.Constant) and _is_plain(value):
                        birth = self._back(sight, one, value, ())  # type: ignore[arg-type]
                        return Decision(ast.unparse(test), ast.unparse(one), value, birth, True)  # type: ignore[arg-type]
                return None
        value = evaluated(test, sight.read)
        if not _is_plain(value):
            return None
        return Decision(ast.unparse(test), ast.unparse(test), value, self._back(sight, test, value, ()))  # type: ignore[arg-type]

    # -- one step back -------------------------------------------------------------------------------------------

    def _back(
        self, sight: Sight, node: ast.expr, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        if len(stations) >= MAX_STATIONS:
            return None
        file = self._course.file_of(sight)
        here = Birth(file, node.lineno, "computed", ast.unparse(node), value, stations)
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
                return self._back(sight, body if chosen else orelse, value, stations)
            case ast.BoolOp(values=values):
                part = next((v for v in values if _same(evaluated(v, sight.read), value)), None)
                return self._back(sight, part, value, stations) if part is not None else here
            case ast.Call():
                return self._result(sight, node, value, stations)
        found = self._factor(sight, node, value, stations)
        if found is None and _all_known(node, sight):
            return replace(here, because=self._operands(sight, node, stations))
        return found

    def _operands(
        self, sight: Sight, node: ast.expr, stations: tuple[tuple[str, int, str], ...]
    ) -> tuple[tuple[str, int, str], ...]:
        """Where the plain operands of an arithmetic come from."""
        found: dict[tuple[str, int], tuple[str, int, str]] = {}
        for part in ast.walk(node):
            value = evaluated(part, sight.read) if isinstance(part, ast.Name | ast.Attribute | ast.Subscript) else None
            if value is None or not _is_plain(value):
                continue
            birth = self._back(sight, part, value, (*stations, ("", 0, "")))  # type: ignore[arg-type]
            if birth is not None:
                said = (birth.file, birth.line, f"`{ast.unparse(part)}` is {value!r}, from here")
                found.setdefault((birth.file, birth.line), said)
        return tuple(found.values())

    def _factor(
        self, sight: Sight, node: ast.expr, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """The operand that makes an arithmetic 0, where one is 0 by itself."""
        match node:
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                operands = [left, right]
            case ast.BinOp(left=left, op=ast.Div() | ast.FloorDiv() | ast.Mod() | ast.Pow()):
                operands = [left]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                operands = [operand]
            case _:
                return None
        if value != 0:
            return None
        for operand in operands:
            found = evaluated(operand, sight.read)
            if _same(found, 0) or _same(found, 0.0):
                return self._back(sight, operand, found, stations)  # type: ignore[arg-type]
        return None

    def _name(self, sight: Sight, name: str, value: Plain, stations: tuple[tuple[str, int, str], ...]) -> Birth | None:
        bound = self._course.name_bound(sight.frame, name, sight.index)
        if bound is not None:
            return self._binding(bound, name, value, stations)
        entered = self._course.frames[sight.frame]
        tree = tree_of(entered.file)
        function = _function_at(tree, entered.first_line) if tree is not None else None
        argument = _argument(function, name) if function is not None else None
        if argument is not None and isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            return self._given(sight.frame, function, name, value, stations)
        return self._module_variable(entered.file, name, sight.index, value, stations)

    def _module_variable(
        self, file: str, name: str, before: int, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        for number, frame in enumerate(self._course.frames):
            if frame.file == file and frame.function == "<module>":
                bound = self._course.name_bound(number, name, before)
                if bound is not None:
                    return self._binding(bound, name, value, stations)
        imported = _imported_from(file, name)
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

    def _binding(
        self, bound: Sight, target: str, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """From the statement that bound the target to what it was bound to."""
        if not _same(bound.bound[target], value):
            return None
        statement = self._statement(bound)
        given = _given_to(statement, target)
        if given is None:
            return None
        file = self._course.file_of(bound)
        station = (file, bound.line, f"`{target}` gets its value here")
        if isinstance(statement, ast.AugAssign):
            return Birth(file, bound.line, "computed", ast.unparse(statement), value, stations)
        return self._back(bound, given, value, (*stations, station))

    def _given(
        self,
        frame: int,
        function: ast.FunctionDef | ast.AsyncFunctionDef,
        name: str,
        value: Plain,
        stations: tuple[tuple[str, int, str], ...],
    ) -> Birth | None:
        """From an argument to what the caller gave for it, or to its default."""
        entered = self._course.frames[frame]
        caller = self._caller(frame)
        if caller is not None:
            statement = self._statement(caller)
            for call in _calls(statement):
                if not self._calls_it(call, entered.function, caller):
                    continue
                given = _passed(call, function, name, is_method="." in entered.function)
                if given is not None:
                    here = self._course.file_of(caller)
                    return self._back(caller, given, value, (*stations, (here, call.lineno, f"`{name}` is given here")))
                if _unpacks(call):
                    return self._unpacked(caller, call, name, value, stations)
                default = _default(function, name)
                if default is not None and _same(evaluated(default, {}), value):
                    return Birth(entered.file, default.lineno, "default", ast.unparse(default), value, stations)
        return None

    def _unpacked(
        self, caller: Sight, call: ast.Call, name: str, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
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
        return None

    def _caller(self, frame: int) -> Sight | None:
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
        chain = chain_of(call.func)
        seen = caller.read.get(chain.text) if chain is not None else None
        if seen is None:
            return isinstance(call.func, ast.Subscript | ast.Call) and parts[-1] == "__init__"
        if seen.kind == "callable":
            return str(seen.value).split(".")[-1] in wanted or seen.value == qualified
        return parts[-1] in ("__call__", "forward") and str(seen.value).split(".")[-1] in wanted

    def _attribute(
        self, sight: Sight, owner: ast.expr, name: str, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        chain = chain_of(owner)
        seen = sight.read.get(chain.text) if chain is not None else None
        if seen is None:
            return None
        if seen.kind == "module":
            return self._module_variable(str(seen.value), name, sight.index, value, stations)
        return self._part(sight, seen, name, value, stations)

    def _entry(
        self,
        sight: Sight,
        node: ast.Subscript,
        owner: ast.expr,
        value: Plain,
        stations: tuple[tuple[str, int, str], ...],
    ) -> Birth | None:
        chain = chain_of(owner)
        seen = sight.read.get(chain.text) if chain is not None else None
        key = evaluated(node.slice, sight.read)
        if seen is None or not isinstance(key, str | int):
            return None
        return self._part(sight, seen, str(key), value, stations)

    def _part(
        self, sight: Sight, owner: Seen, name: str, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """The birth of an attribute or an entry of an object."""
        bound = self._course.part_bound(owner.token, name, sight.index)
        if bound is not None:
            target = next(t for t, o in bound.owners.items() if o == (owner.token, name))
            found = self._binding(bound, target, value, stations)
            if found is not None:
                return found
        return (
            self._in_construction(owner, name, sight.index, value, stations)
            or self._class_default(owner, name, value, stations)
            or self._option(owner, name, value, stations)
            or self._in_file(name, value, sight.index, stations)
        )

    def _in_construction(
        self, owner: Seen, name: str, before: int, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """Where the object was made of keywords or of a display: `Config(weight=0.0)`, `{"weight": 0.0}`."""
        for sight, target in self._course.made(owner.token):
            if sight.index >= before:
                break
            given = _given_to(self._statement(sight), target)
            if given is None:
                continue
            for part in _entries_named(given, name):
                found = evaluated(part, sight.read)
                if _same(found, value):
                    here = (self._course.file_of(sight), part.lineno, f"`{name}` gets its value here")
                    return self._back(sight, part, value, (*stations, here))
        return self._nested_display(name, before, value, stations)

    def _nested_display(
        self, name: str, before: int, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """An entry of a display within a display, where only one of that name holds the value."""
        found: dict[tuple[str, int], tuple[Sight, ast.expr]] = {}
        for sight in self._course.sights[:before]:
            if not any(seen.kind in ("dict", "list", "object") for seen in sight.bound.values()):
                continue
            statement = self._statement(sight)
            for node in ast.walk(statement) if isinstance(statement, ast.Assign | ast.AnnAssign) else ():
                if isinstance(node, ast.Dict):
                    for part in _entries_named(node, name):
                        if _same(evaluated(part, sight.read), value):
                            found[self._course.file_of(sight), part.lineno] = (sight, part)
        if len(found) != 1:
            return None
        ((file, line), (sight, part)) = next(iter(found.items()))
        return self._back(sight, part, value, (*stations, (file, line, f"`{name}` gets its value here")))

    def _class_default(
        self, owner: Seen, name: str, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """What the class body gives the attribute."""
        if owner.kind not in ("object", "callable", "dict"):
            return None
        for number, frame in enumerate(self._course.frames):
            if frame.function == owner.value:
                bound = self._course.name_bound(number, name, len(self._course.sights))
                if bound is None:
                    continue
                if _same(bound.bound[name], value):
                    found = self._binding(bound, name, value, stations)
                    return replace(found, kind="default") if found is not None else None
                statement = self._statement(bound)
                for part in ast.walk(statement) if statement is not None else ():
                    if not isinstance(part, ast.keyword) or part.arg != "default":  # `field(default=…)`
                        continue
                    if _same(evaluated(part.value, bound.read), value):
                        file = self._course.file_of(bound)
                        return Birth(file, part.value.lineno, "default", ast.unparse(part.value), value, stations)
        return None

    def _option(self, owner: Seen, name: str, value: Plain, stations: tuple[tuple[str, int, str], ...]) -> Birth | None:
        """The option of a command line by which the attribute got its default."""
        if owner.value not in ("Namespace", None) and owner.kind != "dict":
            return None
        for file in dict.fromkeys(frame.file for frame in self._course.frames):
            tree = tree_of(file)
            for node in tree.parents if tree is not None else ():
                if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("add_argument", "option"):
                    flags = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                    named = {flag.lstrip("-").replace("-", "_").split("/")[0] for flag in flags}
                    named |= {str(k.value.value) for k in node.keywords if k.arg == "dest" and _is_constant(k.value)}  # type: ignore[attr-defined]
                    if name in named and _same(_option_default(node), value):
                        return Birth(file, node.lineno, "option", ast.unparse(node), value, stations)
        return None

    def _in_file(
        self, name: str, value: Plain, before: int, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """The entry of a configuration file that the program has named."""
        found = [
            (file, line, text)
            for file in self._course.config_files(before)
            for line, text in entry_of_file(file, name, value)
        ]
        if len({(file, line) for file, line, _ in found}) != 1:
            return None
        file, line, text = found[0]
        return Birth(file, line, "entry", text, value, stations)

    def _result(
        self, sight: Sight, call: ast.Call, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """From a call to what it returned, or to what it converts."""
        file = self._course.file_of(sight)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        returned = self._returned_by(sight, call, value, stations)
        if returned is not None:
            return returned
        if name in ("float", "int", "bool", "str") and len(call.args) == 1:
            inner_value = evaluated(call.args[0], sight.read)
            if _is_plain(inner_value) and inner_value == value:
                return self._back(sight, call.args[0], inner_value, stations)
        if name in ("get", "getattr", "pop", "setdefault"):
            return self._looked_up(sight, call, name, value, stations)
        if _all_known(call, sight):
            return Birth(file, call.lineno, "computed", ast.unparse(call), value, stations)
        return None

    def _returned_by(
        self, sight: Sight, call: ast.Call, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """From a call of a function of the user's to the expression that it returned."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        for frame in self._course.calls_in(sight):
            if self._course.frames[frame].function.split(".")[-1] != name:
                continue
            for inner in reversed(self._course.in_frame(frame)):
                statement = self._statement(inner)
                if not isinstance(statement, ast.Return) or statement.value is None:
                    continue
                is_call = isinstance(statement.value, ast.Call)
                if is_call or _same(evaluated(statement.value, inner.read), value):
                    here = (self._course.file_of(inner), inner.line, f"`{name}` returns it")
                    return self._back(inner, statement.value, value, (*stations, here))
        return None

    def _looked_up(
        self, sight: Sight, call: ast.Call, name: str, value: Plain, stations: tuple[tuple[str, int, str], ...]
    ) -> Birth | None:
        """`options.get("weight", 0.0)`, `getattr(options, "weight", 0.0)`: what is held, else the default."""
        if name == "getattr":
            owner, rest = (call.args[0], call.args[1:]) if call.args else (None, [])
        else:
            owner, rest = (call.func.value if isinstance(call.func, ast.Attribute) else None), call.args
        chain = chain_of(owner) if owner is not None else None
        seen = sight.read.get(chain.text) if chain is not None else None
        key = evaluated(rest[0], sight.read) if rest else None
        if seen is None or not isinstance(key, str):
            return None
        found = self._part(sight, seen, key, value, stations)
        default = rest[1] if len(rest) > 1 else None
        if found is None and default is not None and _same(evaluated(default, sight.read), value):
            file = self._course.file_of(sight)
            return Birth(file, default.lineno, "default", ast.unparse(call), value, stations)
        return found

    def _statement(self, sight: Sight) -> ast.stmt | None:
        tree = tree_of(self._course.file_of(sight))
        found = [s for s in tree.statements if s.lineno == sight.line] if tree is not None else []
        return found[-1] if found else None


# -- reading syntax ----------------------------------------------------------------------------------------------


def _deciding_part(test: ast.expr, sights: list[Sight], outcome: bool) -> tuple[ast.expr, bool] | None:
    """Of a test that is not known as a whole: the operand that decides alone, in every pass."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            found = _deciding_part(inner, sights, not outcome)
            return found
        case ast.BoolOp(op=op, values=values) if isinstance(op, ast.Or) == outcome:
            for part in values:
                if sights and all(_truth(part, sight) is outcome for sight in sights):
                    return part, outcome
    return None


def _truth(node: ast.expr, sight: Sight) -> bool | None:
    found = evaluated(node, sight.read)
    if found is NOT_KNOWN:
        return None
    if isinstance(found, Seen):
        return bool(found.value) if found.kind in ("list", "dict") else None
    return bool(found)


def _is_plain(value: object) -> bool:
    return value is not NOT_KNOWN and not isinstance(value, Seen)


def _same(one: object, other: object) -> bool:
    """Whether both are the same plain value; True is not 1, and 0 is 0.0."""
    one = one.value if isinstance(one, Seen) and one.is_plain else one
    if one is NOT_KNOWN or isinstance(one, Seen):
        return False
    return one == other and (isinstance(one, bool) == isinstance(other, bool)) and (one is None) == (other is None)


def _all_known(node: ast.AST, sight: Sight) -> bool:
    return isinstance(node, ast.expr) and evaluated(node, sight.read) is not NOT_KNOWN


def _is_constant(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant)


def _function_at(tree: Tree, line: int) -> ast.AST | None:
    for node in tree.parents:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first == line:
                return node
    return None


def _argument(function: ast.AST, name: str) -> ast.arg | None:
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return next((argument for argument in every if argument.arg == name), None)


def _passed(
    call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, *, is_method: bool
) -> ast.expr | None:
    by_keyword = next((k.value for k in call.keywords if k.arg == name), None)
    if by_keyword is not None:
        return by_keyword
    places = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    if is_method and places[:1] in (["self"], ["cls"]):
        places = places[1:]
    if name in places and places.index(name) < len(call.args):
        given = call.args[: places.index(name) + 1]
        return None if any(isinstance(g, ast.Starred) for g in given) else given[-1]
    return None


def _unpacks(call: ast.Call) -> bool:
    return any(k.arg is None for k in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args)


def _default(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.expr | None:
    plain = [*function.args.posonlyargs, *function.args.args]
    with_default = plain[len(plain) - len(function.args.defaults) :]
    pairs = [(a.arg, d) for a, d in zip(with_default, function.args.defaults, strict=True)]
    pairs += [(a.arg, d) for a, d in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True) if d]
    return dict(pairs).get(name)


def _calls(statement: ast.stmt | None) -> Iterator[ast.Call]:
    if statement is not None:
        yield from (node for node in ast.walk(statement) if isinstance(node, ast.Call))


def _given_to(statement: ast.stmt | None, target: str) -> ast.expr | None:
    """The expression that the statement binds the target to."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for one in targets:
                if isinstance(one, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
                    if len(one.elts) == len(value.elts):
                        for part, given in zip(one.elts, value.elts, strict=True):
                            if _text(part) == target:
                                return given
                elif _text(one) == target:
                    return value
        case ast.AnnAssign(target=one, value=ast.expr() as value) if _text(one) == target:
            return value
        case ast.AugAssign(target=one, value=value) if _text(one) == target:
            return value
    return None


def _text(target: ast.expr) -> str:
    chain = chain_of(target)
    return chain.text if chain is not None else ""


def _entries_named(given: ast.expr, name: str) -> Iterator[ast.expr]:
    """The values that a display, or a call with keywords, gives for the name or key."""
    match given:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and str(key.value) == name:
                    yield value
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            if name.lstrip("-").isdigit() and -len(parts) <= int(name) < len(parts):
                yield parts[int(name)]
        case ast.Call(args=args, keywords=keywords):
            yield from (keyword.value for keyword in keywords if keyword.arg == name)
            for argument in args:
                if isinstance(argument, ast.Dict):
                    yield from _entries_named(argument, name)


def _imported_from(file: str, name: str) -> tuple[str, str] | None:
    """(module, name there) from which the file imports the name."""
    tree = tree_of(file)
    for statement in tree.statements if tree is not None else ():
        if isinstance(statement, ast.ImportFrom):
            for alias in statement.names:
                if (alias.asname or alias.name) == name:
                    return statement.module or "", alias.name
    return None


def _option_default(call: ast.Call) -> object:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    if "default" in keywords:
        return evaluated(keywords["default"], {})
    action = keywords.get("action")
    named = action.value if isinstance(action, ast.Constant) else ""
    if named == "store_true" or "is_flag" in keywords:
        return False
    return True if named == "store_false" else None
