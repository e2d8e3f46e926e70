"""Where a number that was computed comes from: the operand that makes it 0, cuts it off, or leaves nothing of it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from fxaudit.program.arithmetic import is_whole, is_whole_division
from fxaudit.program.birth import Birth, Stations
from fxaudit.program.course import Course, Plain, Sight
from fxaudit.program.evaluation import NOT_KNOWN, evaluated, same
from fxaudit.program.samples import counted_samples

if TYPE_CHECKING:
    from fxaudit.program.births import Births

__all__ = ["Computed"]

MIN_COUNTED = 2
"""What had so many values is a counter."""


class Computed:
    """Answers for one course."""

    def __init__(self, course: Course, births: Births) -> None:
        self._course = course
        self._births = births

    def operands(self, sight: Sight, node: ast.expr, stations: Stations) -> Stations:
        """Where the plain operands of an arithmetic come from."""
        found: dict[tuple[str, int], tuple[str, int, str]] = {}
        for part in ast.walk(node):
            if not isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
                continue
            value = evaluated(part, sight.read)
            if not isinstance(value, bool | int | float | str):
                continue
            birth = self._births.back(sight, part, value, (*stations, ("", 0, "")))
            if birth is not None:
                said = (birth.file, birth.line, f"`{ast.unparse(part)}` is {value!r}, from here")
                found.setdefault((birth.file, birth.line), said)
        return tuple(found.values())

    def counted(self, sight: Sight, node: ast.expr, value: Plain, stations: Stations) -> Birth | None:
        """The count of samples from which a number of steps is computed, where a loader makes batches of them."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        file = self._course.file_of(sight)
        own = counted_samples(self._course.files(), file, node, stations)
        if own is not None:
            told = (own.file, own.line, f"batches are made of them here, and `{own.text}` counts them one by one")
            return Birth(file, node.lineno, "samples", ast.unparse(node), value, (*stations, told))
        here = (*stations, (file, node.lineno, f"`{ast.unparse(node)}` is {value!r}"))
        for part in ast.walk(node):
            number = evaluated(part, sight.read) if isinstance(part, ast.Name | ast.Attribute) else NOT_KNOWN
            if isinstance(number, int | float) and not isinstance(number, bool):
                birth = self._births.back(sight, part, number, here)  # type: ignore[arg-type]
                if birth is not None and birth.kind == "samples":
                    return birth
        return None

    def complement(self, sight: Sight, node: ast.expr, stations: Stations) -> Birth | None:
        """The setting that leaves nothing for another share: `1 - share` is 0 where somebody set 1."""
        match node:
            case (
                ast.BinOp(left=ast.Constant(), op=ast.Sub(), right=share)
                | ast.BinOp(left=share, op=ast.Sub(), right=ast.Constant())
            ):
                set_to = evaluated(share, sight.read)
                if not isinstance(set_to, int | float):
                    return None
                told = (self._course.file_of(sight), node.lineno, f"`{ast.unparse(node)}` is 0")
                birth = self._births.back(sight, share, set_to, (*stations, told))
                return birth if birth is not None and birth.is_a_setting else None
        return None

    def divided_away(self, sight: Sight, node: ast.expr, stations: Stations) -> Birth | None:
        """The setting by which a counter is divided, `epoch // every`, where the counter never comes that far."""
        file = self._course.file_of(sight)
        for part in ast.walk(node):
            match part:
                case ast.BinOp(left=left, op=ast.FloorDiv(), right=right):
                    passes = self._course.at(file, sight.line)
                    counted = {held for one in passes if isinstance(held := evaluated(left, one.read), int)}
                    divisor = evaluated(right, sight.read)
                    if len(counted) < MIN_COUNTED or not isinstance(divisor, int) or max(counted) >= divisor:
                        continue
                    words = f"`{ast.unparse(part)}` is 0 as long as `{ast.unparse(left)}` is below {divisor}"
                    told = (*stations, (file, part.lineno, words))
                    birth = self._births.back(sight, right, divisor, told)
                    return birth if birth is not None and birth.is_a_setting else None
        return None

    def shrunk(self, sight: Sight, node: ast.expr, value: Plain, stations: Stations) -> Birth | None:
        """The share that somebody set, by which a number is multiplied that is cut off to 0: `int(share * size)`."""
        if value != 0 or not is_whole(node):
            return None
        if is_whole_division(node):
            return None  # it is itself to blame for what it cuts off
        for part in ast.walk(node):
            if not isinstance(part, ast.BinOp) or not isinstance(part.op, ast.Mult):
                continue
            for operand in (part.left, part.right):
                share = evaluated(operand, sight.read)
                if isinstance(share, float) and 0 < share < 1:
                    here = (self._course.file_of(sight), node.lineno, f"`{ast.unparse(node)}` is 0")
                    birth = self._births.back(sight, operand, share, (*stations, here))
                    if birth is not None and birth.is_a_setting:
                        return birth
        return None

    def clamped(self, sight: Sight, parts: list[ast.expr], stations: Stations) -> Birth | None:
        """The integer division of which `min` or `max` lets only a bound through: a share of whole numbers has no
        middle."""
        if len(parts) != 1:
            return None
        number = evaluated(parts[0], sight.read)
        if not isinstance(number, int) or isinstance(number, bool):
            return None
        birth = self._births.back(sight, parts[0], number, stations)
        return birth if birth is not None and birth.kind == "computed" and birth.is_whole else None

    def addend(self, sight: Sight, node: ast.expr, stations: Stations) -> Birth | None:
        """The setting that is one of two addends which are both 0: `start + (end - start) * share`."""
        match node:
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                worths = [(part, evaluated(part, sight.read)) for part in (left, right)]
                if not all(same(worth, 0) or same(worth, 0.0) for _, worth in worths):
                    return None
                told = (self._course.file_of(sight), node.lineno, f"`{ast.unparse(node)}` is 0")
                births = (self._births.back(sight, part, worth, (*stations, told)) for part, worth in worths)  # type: ignore[arg-type]
                return next((birth for birth in births if birth is not None and birth.is_a_setting), None)
        return None

    def factor(self, sight: Sight, node: ast.expr, value: Plain, stations: Stations) -> Birth | None:
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
            if same(found, 0) or same(found, 0.0):
                return self._births.back(sight, operand, found, stations)  # type: ignore[arg-type]
        unknown = (operand for operand in operands if evaluated(operand, sight.read) is NOT_KNOWN)
        inner = (self.factor(sight, operand, value, stations) for operand in unknown)
        return next(filter(None, inner), None)
