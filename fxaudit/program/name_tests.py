"""Tests of parameters' names in the user's program, and the names that they ask for in vain."""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fxaudit.program.spelling import letters_apart, plain
from fxaudit.program.tree import Tree
from fxaudit.program.values import sources

__all__ = ["AS_LISTED", "InVain", "asked_in_vain", "nearest_part", "parts_of", "tests_around"]

AS_LISTED = "Write the name as `named_parameters()` lists it."
MIN_LENGTH = 3
CONTAINED = 4
HANDED = 4
"""So many assignments lie between a test and the texts that it asks for."""


@dataclass(frozen=True, slots=True)
class InVain:
    """A text for which a test asks although no name has it, and the nearest part of a name there is."""

    file: str
    line: int
    text: str
    nearest: str
    distance: int
    """How many letters differ; 0 where only case, dots and underscores do."""
    named: tuple[str, ...]
    """The names that would pass if it were written so."""
    before: str = ""
    """What stands before it in the names, where the test asks how they begin."""

    @property
    def advice(self) -> str:
        """What to do."""
        return AS_LISTED

    @property
    def sentence(self) -> str:
        """What is wrong with it."""
        if self.before:
            return f"no name begins with `{self.text}`: `{self.before}` stands before it"
        if not self.nearest:
            return f"no name contains `{self.text}`"
        if not self.distance:
            return f"no name contains `{self.text}`; `{self.nearest}` is written otherwise"
        away = "one letter" if self.distance == 1 else f"{self.distance} letters"
        return f"no name contains `{self.text}`; `{self.nearest}` is {away} away"


def tests_around(tree: Tree, line: int) -> list[tuple[ast.expr, bool]]:
    """(test, what it has to give so that the statement at `line` does something for a name) of the tests that stand in
    the statement and around it; the flag that a statement such as `p.requires_grad = False` sets counts too.

    Only tests that mention what is gone through there count, or what a function that goes through nothing is given: a
    `mode == "adapters"` around the loop asks for no name of a parameter.
    """
    statement = tree.statement_at(line)
    if statement is None:
        return []
    variables = _gone_through(tree, statement)
    return [
        (part, wanted)
        for test, passing in _around(tree, statement)
        for part, wanted in parts_of(test, passing)
        if not variables.isdisjoint(_names(part))
    ]


def _around(tree: Tree, statement: ast.stmt) -> list[tuple[ast.expr, bool]]:
    gives = not _takes_away(statement)
    found = [(test, True) for test in _tests_in(statement)]
    if isinstance(statement, ast.If):
        found.append((statement.test, True))
    inner: ast.AST = statement
    for outer in tree.ancestors(statement):
        if isinstance(outer, ast.If):
            found.append((outer.test, (inner in outer.body) is gives))
        if isinstance(outer, ast.For):
            found += [(test, not gives) for test in _left_before(outer, statement)]
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            break
        inner = outer
    return found


def parts_of(test: ast.expr, passing: bool) -> Iterator[tuple[ast.expr, bool]]:
    """The tests of which a test is made up, and what each has to give."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            yield from parts_of(inner, not passing)
        case ast.BoolOp(values=values):
            for value in values:
                yield from parts_of(value, passing)
        case ast.Call(func=ast.Name(id="bool"), args=[inner]):
            yield from parts_of(inner, passing)
        case ast.Compare(left=inner, ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=None)]):
            yield from parts_of(inner, passing is isinstance(op, ast.IsNot))
        case _:
            yield test, passing


def _gone_through(tree: Tree, statement: ast.stmt) -> set[str]:
    """The variables of the loops around a statement and of the comprehensions in it, and what is made of them; where
    there is no loop, what its function is given."""
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.comprehension | ast.For):
            found |= _names(node.target)
        if isinstance(node, ast.arg):
            found.add(node.arg)
    in_a_loop = bool(found)
    for outer in tree.ancestors(statement):
        if isinstance(outer, ast.For | ast.AsyncFor):
            in_a_loop = True
            found |= _names(outer.target)
            for node in ast.walk(outer):
                if isinstance(node, ast.Assign) and not found.isdisjoint(_names(node.value)):
                    found |= {name for target in node.targets for name in _names(target)}
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            every = (*outer.args.posonlyargs, *outer.args.args, *outer.args.kwonlyargs)
            found |= set() if in_a_loop else {argument.arg for argument in every}
            break
    return found - {"self", "cls"}


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _takes_away(statement: ast.stmt) -> bool:
    """Whether it freezes."""
    match statement:
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=ast.Constant(value=False)):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="requires_grad_"), args=[ast.Constant(value=False)])):
            return True
    return False


def _tests_in(statement: ast.stmt) -> Iterator[ast.expr]:
    """The filters in a statement, and the value that it assigns, where that is a test."""
    for node in ast.walk(statement):
        match node:
            case ast.comprehension(ifs=tests):
                yield from tests
            case ast.Assign(value=ast.Compare() | ast.BoolOp() | ast.Call() | ast.UnaryOp() as value):
                yield value
            case ast.Call(func=ast.Name(id="filter"), args=[ast.Lambda(body=body), _]):
                yield body
            case ast.Call(func=ast.Attribute(attr="requires_grad_"), args=[given]):
                yield given


def _left_before(loop: ast.For, statement: ast.stmt) -> Iterator[ast.expr]:
    """The tests in the loop that go on to its next round before the statement."""
    for node in loop.body:
        if isinstance(node, ast.If) and node.lineno < statement.lineno and isinstance(node.body[-1], ast.Continue):
            yield node.test


def asked_in_vain(
    files: Sequence[str],
    tree: Tree,
    tests: Iterable[tuple[ast.expr, bool]],
    names: Sequence[str],
    wanted: Sequence[str],
) -> list[InVain]:
    """The texts in `tests` that none of `names` has: those that one of the `wanted` names nearly has, the nearest
    first; else the only one that there is."""
    found: dict[tuple[str, int, str], InVain] = {}
    idle: dict[tuple[str, int, str], InVain] = {}
    for test, passing in tests:
        for place, node, text, how in _asked(files, tree, test, passing):
            bare = text.strip("._*")
            if not bare or any(_holds(how, text, name) for name in names):
                continue
            key = (place, node.lineno, text)
            idle[key] = InVain(*key, "", 0, tuple(wanted))
            near = nearest_part(text, wanted) if len(bare) >= MIN_LENGTH else None
            if near is not None:
                part, distance = near
                named = tuple(name for name in wanted if part in name)
                found.setdefault(key, InVain(*key, part, distance, named))
    return sorted(found.values(), key=lambda vain: vain.distance) or ([*idle.values()] if len(idle) == 1 else [])


# -- what a test asks for ----------------------------------------------------------------------------------------


def _asked(files: Sequence[str], tree: Tree, test: ast.AST, passing: bool) -> Iterator[tuple[str, ast.expr, str, str]]:
    """(file, place, text, how) of each text that a name has to have so that the test gives what lets it pass."""
    match test:
        case ast.Compare(ops=[ast.NotIn() | ast.NotEq()]):
            passing = not passing
        case ast.Call(func=ast.Name(id="any" | "all"), args=[ast.GeneratorExp(elt=elt, generators=[part])]):
            yield from _in_turn(files, tree, elt, part, passing)
            return
    if passing:
        yield from _asked_by(files, tree, test)


def _in_turn(
    files: Sequence[str], tree: Tree, elt: ast.expr, part: ast.comprehension, passing: bool
) -> Iterator[tuple[str, ast.expr, str, str]]:
    """`any(text in name for text in texts)`, also negated inside."""
    while isinstance(elt, ast.UnaryOp) and isinstance(elt.op, ast.Not):
        elt, passing = elt.operand, not passing
    if isinstance(elt, ast.Compare) and isinstance(elt.ops[0], ast.NotIn | ast.NotEq):
        passing = not passing
    if passing:
        how = "equals a part" if isinstance(elt, ast.Compare) and isinstance(elt.ops[0], ast.Eq) else "contains"
        yield from _texts(files, tree, part.iter, how, deep=True)


def _asked_by(files: Sequence[str], tree: Tree, test: ast.AST) -> Iterator[tuple[str, ast.expr, str, str]]:
    match test:
        case ast.Compare(left=left, ops=[ast.In() | ast.NotIn()], comparators=[right]):
            yield from _texts(files, tree, left, "contains")
            if not isinstance(left, ast.Constant):
                yield from _texts(files, tree, right, "equals a part", deep=True)
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
            for side in (left, right):
                yield from _texts(files, tree, side, "equals a part")
        case ast.Call(func=ast.Attribute(attr="startswith" | "endswith"), args=[given]):
            yield from _texts(files, tree, given, "contains", deep=True)
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id="re"), attr="search" | "match" | "fullmatch"), args=[given, _]
        ):
            yield from _texts(files, tree, given, "expression")
        case ast.Call(func=ast.Attribute(value=ast.Name() as owner, attr="search" | "match" | "fullmatch"), args=[_]):
            for where, origin in sources(files, tree, owner):
                match origin.value:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr="compile"), args=[given, *_]):
                        yield from _texts(files, where, given, "expression")
        case ast.Call(func=ast.Attribute(attr="fnmatch" | "fnmatchcase") | ast.Name(id="fnmatch"), args=[_, given]):
            yield from _texts(files, tree, given, "pattern")


def _texts(
    files: Sequence[str], tree: Tree, node: ast.AST, how: str, depth: int = 0, *, deep: bool = False
) -> Iterator[tuple[str, ast.expr, str, str]]:
    match node:
        case ast.Constant(value=str() as text):
            yield tree.file, node, text, how
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) if deep:
            for part in parts:
                yield from _texts(files, tree, part, how, depth, deep=True)
        case ast.Call(func=ast.Name(id="tuple" | "list" | "set" | "frozenset"), args=[inner]):
            yield from _texts(files, tree, inner, how, depth, deep=deep)
        case ast.Call(func=ast.Attribute(value=inner, attr="split"), args=[] | [ast.Constant(value=str())] as given):
            separator = given[0].value if given and isinstance(given[0], ast.Constant) else None
            for file, place, text, _ in _texts(files, tree, inner, how, depth):
                for word in text.split(str(separator) if separator is not None else None):
                    yield file, place, word.strip(), how
        case ast.Name() | ast.Attribute() | ast.Subscript() if depth < HANDED:
            for where, origin in sources(files, tree, node):
                if origin.value is not None:
                    yield from _texts(files, where, origin.value, how, depth + 1, deep=deep)
        case ast.Call(func=ast.Attribute(value=inner, attr="items" | "keys"), args=[]):
            yield from _texts(files, tree, inner, how, depth, deep=deep)
        case ast.Dict(keys=keys):
            for key in keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield tree.file, key, key.value, how
        case ast.Call(func=ast.Name(id="dict"), keywords=[_, *_] as named):
            for keyword in named:
                if keyword.arg is not None:
                    yield tree.file, keyword.value, keyword.arg, how
        case ast.Call(func=ast.Name(id="field"), keywords=keywords):
            for keyword in keywords:
                body = keyword.value.body if isinstance(keyword.value, ast.Lambda) else keyword.value
                yield from _texts(files, tree, body, how, depth, deep=deep)


def _holds(how: str, text: str, name: str) -> bool:
    if how == "equals a part":
        # A part of a name, or a beginning or end of one.
        return f".{text}." in f".{name}."
    if how == "pattern":
        return fnmatch.fnmatchcase(name, text)
    if how == "expression":
        try:
            return re.search(text, name) is not None
        except re.error:
            return True
    return text in name


# -- near names --------------------------------------------------------------------------------------------------


def nearest_part(text: str, names: Sequence[str]) -> tuple[str, int] | None:
    """The part of a name that is so near to the text that it was meant, and how many letters differ."""
    bare = text.strip("._*^$\\")
    depth = bare.count(".") + 1
    parts: dict[str, None] = {}
    for name in names:
        pieces = name.split(".")
        for length in (depth, depth + 1):
            for start in range(len(pieces) - length + 1):
                parts.setdefault(".".join(pieces[start : start + length]))
    best: tuple[str, int] | None = None
    for part in parts:
        apart = letters_apart(part, bare)
        if len(bare) >= CONTAINED and plain(bare) in plain(part):
            apart = 0  # what stands around it does not fit: a dot, a capital letter
        if apart is not None and (best is None or apart < best[1]):
            best = (part, apart)
    return best
