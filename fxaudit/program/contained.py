"""Where a value that came out of a container had been put into it, or into what the container was made of."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from fxaudit.program.course import Course, Plain, Seen, Sight
from fxaudit.program.evaluation import evaluated, same
from fxaudit.program.given import given_to, passed_in, put_into
from fxaudit.program.plain import INNER, chain_of, readings

if TYPE_CHECKING:
    from fxaudit.program.birth import Birth, Stations
    from fxaudit.program.births import Births

__all__ = ["Contained"]

MAX_DEPTH = 8
WRAPPERS = frozenset({"enumerate", "reversed", "list", "tuple", "sorted", "iter", "set"})


class Contained:
    """Answers for one course."""

    def __init__(self, course: Course, births: Births) -> None:
        self._course = course
        self._births = births

    def birth(
        self, sight: Sight, container: ast.expr, value: Plain, stations: Stations, position: int = 0, depth: int = 0
    ) -> Birth | None:
        """The birth of a value that a loop took out of `container`; of a `zip` it is the one at `position`."""
        if depth > MAX_DEPTH:
            return None
        match container:
            case ast.Call(func=ast.Name(id="zip"), args=args) if position < len(args):
                return self.birth(sight, args[position], value, stations, 0, depth + 1)
            case ast.Call(func=ast.Name(id=name), args=[inner, *_]) if name in WRAPPERS:
                return self.birth(sight, inner, value, stations, 0, depth + 1)
            case ast.Call(func=ast.Attribute(value=inner, attr="items" | "keys" | "values"), args=[]):
                return self.birth(sight, inner, value, stations, position, depth + 1)
            case ast.Subscript(value=inner, slice=ast.Slice()):
                return self.birth(sight, inner, value, stations, 0, depth + 1)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp() | ast.DictComp():
                return self._element(sight, value, stations)
            case ast.Call():
                answered = self._births.answer(sight, container)
                return self.birth(*answered, value, stations, 0, depth + 1) if answered is not None else None
            case ast.List() | ast.Tuple() | ast.Dict() | ast.Set():
                return self._displayed(sight, container, value, stations)
        return self._put_in(sight, container, value, stations) or self._from_variable(
            sight, container, value, stations, depth
        )

    def _put_in(self, sight: Sight, container: ast.expr, value: Plain, stations: Stations) -> Birth | None:
        """Where the same function had put it in: as a key, or appended."""
        text = ast.unparse(container)
        for earlier in reversed([s for s in self._course.in_frame(sight.frame) if s.index < sight.index]):
            statement = self._births.statement(earlier)
            for given in put_into(statement, text) if statement is not None else ():
                if same(evaluated(given, earlier.read), value):
                    here = (self._course.file_of(earlier), earlier.line, f"put into `{text}` here")
                    return self._births.back(earlier, given, value, (*stations, here))
        return None

    def _from_variable(
        self, sight: Sight, container: ast.expr, value: Plain, stations: Stations, depth: int
    ) -> Birth | None:
        """From a variable that holds the container to what it was bound to, by whomever."""
        chain = chain_of(container)
        seen = sight.read.get(chain.text) if chain is not None else None
        if seen is None or seen.token < 0:
            return None
        for bound, target in self._course.made(seen.token):
            given = given_to(self._births.statement(bound), target)
            if given is not None and not isinstance(given, ast.Name | ast.Attribute):
                found = self.birth(bound, given, value, stations, 0, depth + 1)
                if found is not None:
                    return found
        return self._given(sight, seen, value, stations, depth)

    def _given(self, sight: Sight, seen: Seen, value: Plain, stations: Stations, depth: int) -> Birth | None:
        """Where the container was made right in the call that handed it over."""
        caller = self._births.caller(sight.frame)
        statement = self._births.statement(caller) if caller is not None else None
        for given in passed_in(statement):
            if caller is not None and isinstance(given, ast.List | ast.Tuple | ast.Dict | ast.ListComp):
                found = self.birth(caller, given, value, stations, 0, depth + 1)
                if found is not None:
                    return found
        return None

    def _element(self, sight: Sight, value: Plain, stations: Stations) -> Birth | None:
        """The birth of an element that a comprehension in the statement computed."""
        for number in self._course.calls_in(sight):
            frame = self._course.frames[number]
            if frame.function.rpartition(".")[2] not in INNER:
                continue
            for inner in reversed(self._course.in_frame(number)):
                element = readings(frame.file).inner_at(inner.line)
                if element is not None and same(evaluated(element, inner.read), value):
                    here = (frame.file, inner.line, "computed for the list here")
                    return self._births.back(inner, element, value, (*stations, here))
        return None

    def _displayed(self, sight: Sight, display: ast.expr, value: Plain, stations: Stations) -> Birth | None:
        """The place in the display that alone holds the value."""
        constants = [part for part in ast.walk(display) if isinstance(part, ast.Constant)]
        found = [part for part in constants if same(part.value, value)]
        return self._births.back(sight, found[0], value, stations) if len(found) == 1 else None
