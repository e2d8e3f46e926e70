"""Which plain expressions a statement reads and binds: names, and attributes and entries of such."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from fxaudit.program.source import of_text
from fxaudit.program.tree import tree_of

__all__ = [
    "INNER",
    "Chain",
    "Reading",
    "chain_of",
    "count_of",
    "lineage_of",
    "readings",
    "stores_of",
    "texts_of",
    "words_of",
]

INNER = frozenset({"<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
"""The names of code that is an expression of the function around it."""

Step = tuple[str, object]
"""(`attribute`, name), (`key`, constant) or (`index`, name of the variable that holds the key)."""

MAX_READS = 24
MAX_DEPTH = 6

NOT_LOOKED_INTO = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Try)


@dataclass(frozen=True, slots=True)
class Chain:
    """A plain expression: the variable it begins with, and the steps from there."""

    text: str
    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is looked at before and after one statement."""

    line: int
    end: int
    """The last line of the statement, or of its header."""
    reads: tuple[Chain, ...]
    bound: tuple[Chain, ...]


def texts_of(file: str, suffixes: tuple[str, ...]) -> list[str]:
    """The texts with one of these ends that stand in the file."""
    tree = tree_of(file)
    constants = (node.value for node in (tree.parents if tree is not None else ()) if isinstance(node, ast.Constant))
    return [value for value in constants if isinstance(value, str) and value.endswith(suffixes)]


@of_text
def words_of(file: str) -> frozenset[str]:
    """The names, attributes, keywords and texts that stand in the file."""
    tree = tree_of(file)
    found: set[str] = set()
    for node in tree.parents if tree is not None else ():
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str() as word):
                found.add(word)
            case ast.Constant(value=str() as word):
                found.add(word)
    return frozenset(found)


@of_text
def _counted(file: str) -> dict[str, int]:
    """How often each word stands in the file: as a name, an attribute, an argument, a keyword or a whole text."""
    tree = tree_of(file)
    found: dict[str, int] = {}
    for node in tree.parents if tree is not None else ():
        match node:
            case ast.Name(id=word) | ast.Attribute(attr=word) | ast.arg(arg=word) | ast.keyword(arg=str() as word):
                found[word] = found.get(word, 0) + 1
            case ast.Constant(value=str() as word):
                found[word] = found.get(word, 0) + 1
    return found


def count_of(file: str, word: str) -> int:
    """How often the word stands in the file."""
    return _counted(file).get(word, 0)


@of_text
def _bases(file: str) -> dict[str, list[str]]:
    tree = tree_of(file)
    found: dict[str, list[str]] = {}
    for node in tree.parents if tree is not None else ():
        if isinstance(node, ast.ClassDef):
            found[node.name] = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    return found


def lineage_of(files: Iterable[str], name: str) -> list[str]:
    """The class and those that it is derived from, as far as they stand in the files, the nearest first."""
    known, found = [*files], [name]
    for kind in found:
        for file in known:
            found += [base for base in _bases(file).get(kind, []) if base not in found]
    return found


@of_text
def stores_of(file: str) -> tuple[tuple[str, int, str], ...]:
    """(name, line, text) of what the file gives an attribute, a name in the body of a class, or a key of a display."""
    tree = tree_of(file)
    found: list[tuple[str, int, str]] = []
    for node in tree.parents if tree is not None else ():
        match node:
            case ast.Attribute(attr=name, ctx=ast.Store()):
                found.append((name, node.lineno, ast.unparse(node)))
            case ast.ClassDef(body=body):
                for statement in body:
                    targets = (
                        statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
                    )
                    names = [target for target in targets if isinstance(target, ast.Name)]
                    found += [(target.id, statement.lineno, ast.unparse(statement)) for target in names]
            case ast.Dict(keys=keys, values=values):
                for key, value in zip(keys, values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        found.append((key.value, key.lineno, f"{ast.unparse(key)}: {ast.unparse(value)}"))
    return tuple(found)


class Readings:
    """What is looked at in the statements of one file; of several that begin on one line, in the last that looks at
    anything: in the test of `if done: continue`."""

    def __init__(self, file: str) -> None:
        tree = tree_of(file)
        self._nodes: dict[int, ast.stmt | ast.expr] = {}
        self._inner: dict[int, tuple[ast.expr, tuple[ast.expr, ...]]] = {}
        """The bodies of lambdas, and the elements of comprehensions with their tests: they run in their own frames."""
        for node in tree.parents if tree is not None else ():
            for part, others in _inner_parts(node):
                self._inner.setdefault(part.lineno, (part, others))
        for statement in tree.statements if tree is not None else ():
            if not isinstance(statement, NOT_LOOKED_INTO) and not (
                statement.lineno in self._nodes and _is_bare(statement)
            ):
                self._nodes[statement.lineno] = statement
        self._known: dict[int, Reading] = {}

        self._lines, self._inner_lines = sorted(self._nodes), sorted(self._inner)

    def statement(self, line: int) -> ast.stmt | None:
        """The statement that begins there, if it is looked at."""
        found = self._nodes.get(line)
        return found if isinstance(found, ast.stmt) else None

    def lines_between(self, first: int, last: int, *, inner: bool) -> list[int]:
        """The lines on which something begins that is looked at; with `inner`, those on which the body of a lambda, or
        the element of a comprehension, begins."""
        lines = self._inner_lines if inner else self._lines
        return lines[bisect_left(lines, first) : bisect_right(lines, last)]

    def inner(self, line: int) -> Reading:
        """What is looked at in the body or element that begins there."""
        part, tests = self._inner[line]
        return _reading(ast.Expr(ast.Tuple([part, *tests], ast.Load(), lineno=line)), line)

    def inner_at(self, line: int) -> ast.expr | None:
        """That body or element itself."""
        return self._inner[line][0] if line in self._inner else None

    def nodes_at(self, line: int) -> list[ast.AST]:
        """What is looked at there: a statement, of a compound one its header, or the body of a lambda or element."""
        statement = self._nodes.get(line)
        found = [*_own_parts(statement)] if statement is not None else [self.inner_at(line)]
        return [node for node in found if node is not None]

    def tests_at(self, line: int) -> tuple[ast.expr, ...]:
        """The tests of the comprehension whose element begins there."""
        return self._inner[line][1] if line in self._inner else ()

    def at(self, line: int) -> Reading:
        """What is looked at in the statement that begins there."""
        known = self._known.get(line)
        if known is None:
            known = self._known[line] = _reading(self._nodes[line])
        return known


def _is_bare(statement: ast.stmt) -> bool:
    """Whether nothing can be looked at in it."""
    return isinstance(statement, ast.Continue | ast.Break | ast.Pass) or (
        isinstance(statement, ast.Return) and statement.value is None
    )


@of_text
def readings(file: str) -> Readings:
    """What is looked at in the file."""
    return Readings(file)


def _inner_parts(node: ast.AST) -> Iterator[tuple[ast.expr, tuple[ast.expr, ...]]]:
    """What runs in a frame of its own: the body or element, and the tests beside it."""
    match node:
        case ast.Lambda(body=body):
            yield body, ()
        case (
            ast.ListComp(elt=element, generators=parts)
            | ast.SetComp(elt=element, generators=parts)
            | ast.GeneratorExp(elt=element, generators=parts)
            | ast.DictComp(value=element, generators=parts)
        ):
            tests = tuple(test for part in parts for test in part.ifs)
            yield element, tests
            yield from ((test, tests) for test in tests)


def _reading(statement: ast.stmt | ast.expr, line: int = 0) -> Reading:
    parts = list(_own_parts(statement))
    line = line or statement.lineno
    reads: dict[str, Chain] = {}
    for part in parts:
        for node in _plain_reads(part):
            for chain in _prefixes(node):
                reads.setdefault(chain.text, chain)
    bound = [found for target in _targets(statement) if (found := chain_of(target)) is not None]
    for given in bound:
        owner = _owner(given)
        if owner is not None:
            reads.setdefault(owner.text, owner)
    ends = [getattr(part, "end_lineno", None) or 0 for part in parts]
    end = max([line, *(end for end in ends if not isinstance(statement, ast.Expr) or end >= line)])
    return Reading(line, end, tuple(reads.values())[:MAX_READS], tuple(bound))


def _own_parts(statement: ast.stmt | ast.expr) -> Iterator[ast.AST]:
    """The statement itself; of a compound one what stands in its header."""
    match statement:
        case ast.If(test=test) | ast.While(test=test):
            yield test
        case ast.For(target=target, iter=given) | ast.AsyncFor(target=target, iter=given):
            yield from (target, given)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                yield item.context_expr
        case ast.Match(subject=subject):
            yield subject
        case ast.expr():
            yield statement
        case _:
            yield from (child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.expr))


def _plain_reads(part: ast.AST) -> Iterator[ast.expr]:
    """The longest plain expressions in an expression, those in functions and comprehensions left out."""
    queue: list[ast.AST] = [part]
    while queue:
        node = queue.pop(0)
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            queue += [node.func.value, *node.args, *node.keywords]
            continue
        if _is_plain_read(node):
            yield node
            queue += [node.slice] if isinstance(node, ast.Subscript) else []
            continue
        queue.extend(ast.iter_child_nodes(node))


def _is_plain_read(node: ast.AST) -> TypeGuard[ast.expr]:
    is_read = isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Load)
    return is_read and chain_of(node) is not None  # type: ignore[arg-type]


def _prefixes(node: ast.expr) -> Iterator[Chain]:
    """The expression, and what it is a part of."""
    current: ast.expr | None = node
    while current is not None:
        chain = chain_of(current)
        if chain is not None:
            yield chain
        current = current.value if isinstance(current, ast.Attribute | ast.Subscript) else None


def chain_of(node: ast.expr) -> Chain | None:
    """A plain expression as a chain; None where something has to be called to have its value."""
    steps: list[Step] = []
    current = node
    while len(steps) <= MAX_DEPTH:
        match current:
            case ast.Name(id=name):
                return _chain(name, tuple(reversed(steps)))
            case ast.Attribute(value=inner, attr=name):
                steps.append(("attribute", name))
                current = inner
            case ast.Subscript(value=inner, slice=ast.Constant(value=str() | int() as key)):
                steps.append(("key", key))
                current = inner
            case ast.Subscript(value=inner, slice=ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as key))):
                steps.append(("key", -key))
                current = inner
            case ast.Subscript(value=inner, slice=ast.Name(id=key)):
                steps.append(("index", key))
                current = inner
            case _:
                return None
    return None


def _chain(name: str, steps: tuple[Step, ...]) -> Chain:
    parts = (f".{key}" if kind == "attribute" else f"[{key!r}]" if kind == "key" else f"[{key}]" for kind, key in steps)
    return Chain(name + "".join(parts), name, steps)


def _owner(chain: Chain) -> Chain | None:
    """What a target is an attribute or an entry of."""
    return _chain(chain.name, chain.steps[:-1]) if chain.steps else None


def _targets(statement: ast.stmt | ast.expr) -> Iterator[ast.expr]:
    match statement:
        case ast.Assign(targets=targets):
            for target in targets:
                yield from _flat(target)
        case ast.AnnAssign(target=target, value=ast.expr()) | ast.AugAssign(target=target):
            yield target
        case ast.For(target=target) | ast.AsyncFor(target=target):
            yield from _flat(target)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            for item in items:
                if item.optional_vars is not None:
                    yield from _flat(item.optional_vars)
    if isinstance(statement, ast.If | ast.While | ast.Expr | ast.Assign | ast.Return):
        for part in _own_parts(statement):
            yield from (node.target for node in ast.walk(part) if isinstance(node, ast.NamedExpr))


def _flat(target: ast.expr) -> Iterator[ast.expr]:
    match target:
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            for part in parts:
                yield from _flat(part)
        case ast.Starred(value=value):
            yield from _flat(value)
        case _:
            yield target
