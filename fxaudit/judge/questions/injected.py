"""Parts that are put into a model by the names of its modules, adapters say, and names that no module has: nothing is
put in, and what was meant to train is not there."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.course import Sight
from fxaudit.program.name_lists import lists_of
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["Injection", "asked_for_none", "asked_in_vain", "of_the_loop", "put_in_vain"]

LISTING = frozenset({"named_modules", "named_children", "modules", "children"})
"""The methods by which a program goes through the parts of a model."""
PUTTING = frozenset({"add_module", "register_module", "set_submodule", "setattr", "__setattr__"})
"""What puts a part into another."""
CHOOSING = frozenset({"append", "add"})
"""What chooses a part to be replaced later, in the same function."""
MOST = 5
"""So many names are told."""


@dataclass(frozen=True, slots=True)
class Injection:
    """A statement that never ran, because no module has one of the names that it is for."""

    file: str
    line: int
    """Where the names are written down."""
    test: SourceLine
    """Where they are asked for."""
    texts: tuple[str, ...]
    modules: tuple[str, ...]
    """What the modules with parameters of their own are called."""

    @property
    def missing(self) -> str:
        """Which names there are not."""
        *others, last = [f"`{text}`" for text in self.texts[:MOST]]
        known = f"{', '.join(others)} or {last}" if others else last
        return f"no module is named {known}"

    @property
    def sentence(self) -> str:
        """What is wrong."""
        return f"{self.missing}, so nothing is replaced or added"

    @property
    def advice(self) -> str:
        """What to do."""
        known = ", ".join(f"`{name}`" for name in self.modules[:MOST])
        more = f" and {len(self.modules) - MOST} more" if len(self.modules) > MOST else ""
        return f"Write the names as `named_modules()` lists them: there are {known}{more}."


def put_in_vain(audit: Audit) -> Injection | None:
    """The first statement that puts parts into a model by the names of its modules and never ran, where none of these
    names is that of a module, or a part of one."""
    for file in audit.project_files:
        tree = tree_of(file)
        for statement in tree.statements if tree is not None else ():
            if tree is None or not (_puts(statement) or _called(statement) in CHOOSING):
                continue
            found = _in_vain(audit, tree, statement)
            if found is not None:
                return found
    return None


def _in_vain(audit: Audit, tree: Tree, statement: ast.stmt) -> Injection | None:
    ran = audit.record.ran().of(tree.file)
    loop = next((node for node in tree.ancestors(statement) if isinstance(node, ast.For)), None)
    if loop is None or not _lists_modules(loop.iter) or statement.lineno in ran or loop.body[0].lineno not in ran:
        return None
    scope = tree.function(statement) or tree.root
    if _called(statement) in CHOOSING and not any(_puts(node) for node in ast.walk(scope)):
        return None
    names = of_the_loop(loop)
    for outer in tree.ancestors(statement):
        if outer is loop:
            break
        if isinstance(outer, ast.If) and statement in ast.walk(outer):
            told = asked_in_vain(audit, tree, outer.test, names)
            if told is not None:
                return told
    return None


def of_the_loop(loop: ast.For) -> set[str]:
    """The variables of the loop, and what is made of them in it."""
    found = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    for node in ast.walk(loop):
        if isinstance(node, ast.Assign) and not found.isdisjoint(_names(node.value)):
            found |= {name for target in node.targets for name in _names(target)}
        if isinstance(node, ast.For) and not found.isdisjoint(_names(node.iter)):
            found |= _names(node.target)
    return found


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def asked_in_vain(
    audit: Audit, tree: Tree, test: ast.expr, names: set[str], others: Sequence[str] = ()
) -> Injection | None:
    """What the test of a branch asks of the names of modules, where none has it, nor one of the `others`; `names` are
    the variables of those that it asks."""
    names = names | _of_comprehensions(test, names)
    course, models = audit.record.course, [model.root for model in audit.recording.models]
    paths = {path: module for root in models for path, module in audit.recording.paths(root).items() if path}
    for sight in course.at(tree.file, test.lineno)[-1:]:
        for texts, line in _texts(tree, test, sight, names):
            written = [text.strip(".*") for text in texts or ()]
            known = (*paths, *others)
            if not texts or not paths or any(not text or any(text in path for path in known) for text in written):
                continue
            leaves = (path.rpartition(".")[2] for path, module in paths.items() if module.parameters)
            modules = (*dict.fromkeys(leaf for leaf in leaves if not leaf.isdigit()),)
            places = lists_of(audit.project_files, course.config_files(), texts) if line is None else [line]
            place = places[0] if len(places) == 1 else (tree.file, test.lineno)
            return Injection(*place, source_at(tree.file, test.lineno), texts, modules)
    return None


def _of_comprehensions(test: ast.expr, names: set[str]) -> set[str]:
    """The variables for parts of such a name: `any(part in wanted for part in name.split("."))`."""
    parts = (loop for node in ast.walk(test) for loop in getattr(node, "generators", ()))
    return {name for loop in parts if not names.isdisjoint(_names(loop.iter)) for name in _names(loop.target)}


def asked_for_none(audit: Audit, tree: Tree, test: ast.expr, names: set[str]) -> bool:
    """Whether the test looks the names up in what was seen to be empty: nobody wants any."""
    sights = audit.record.course.at(tree.file, test.lineno)[-1:]
    return any(texts == () for sight in sights for texts, _ in _texts(tree, test, sight, names))


def _texts(
    tree: Tree, test: ast.expr, sight: Sight, names: set[str]
) -> Iterator[tuple[tuple[str, ...] | None, tuple[str, int] | None]]:
    """(what a part of the test asks one of the `names` for, the place of a text that stands in the test itself); None
    where that is not known."""
    for part in ast.walk(test):
        if not isinstance(part, ast.Compare | ast.Call) or names.isdisjoint(_names(part)):
            continue
        match part:
            case ast.Compare(left=ast.Constant(value=str() as text), ops=[ast.In()]):
                yield (text,), (tree.file, part.lineno)
            case ast.Compare(ops=[ast.Eq()], comparators=[ast.Constant(value=str() as text)]):
                yield (text,), (tree.file, part.lineno)
            case ast.Compare(left=left, ops=[ast.In()], comparators=[held]) if not names.isdisjoint(_names(left)):
                yield _held(tree, sight, held)
            case ast.Call(func=ast.Name(id="any"), args=[ast.GeneratorExp(generators=[through])]) if names.isdisjoint(
                _names(through.iter)
            ):
                yield _held(tree, sight, through.iter)
            case ast.Call(func=ast.Attribute(attr="endswith" | "startswith"), args=[given]):
                yield _held(tree, sight, given)


def _held(tree: Tree, sight: Sight, held: ast.expr) -> tuple[tuple[str, ...] | None, tuple[str, int] | None]:
    """The texts that an expression holds, and their place where they stand there."""
    match held:
        case ast.Constant(value=str() as text):
            return (text,), (tree.file, held.lineno)
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            values = [part.value for part in parts if isinstance(part, ast.Constant)]
            texts = [value for value in values if isinstance(value, str)]
            return (*texts,) if len(texts) == len(parts) else None, (tree.file, held.lineno)
    return _members(sight, held), None


def _members(sight: Sight, held: ast.expr) -> tuple[str, ...] | None:
    chain = chain_of(held)
    seen = sight.read.get(chain.text) if chain is not None else None
    members = seen.members if seen is not None else None
    is_one = seen is not None and seen.kind == "plain" and isinstance(seen.value, str)
    found = (seen.value,) if seen is not None and is_one else members
    return tuple(map(str, found)) if found is not None and all(isinstance(one, str) for one in found) else None


def _lists_modules(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr in LISTING for part in ast.walk(node))


def _puts(statement: ast.AST) -> bool:
    """Whether the statement puts a part into a module."""
    match statement:
        case ast.Expr():
            return _called(statement) in PUTTING
        case ast.Assign(targets=[ast.Subscript(value=ast.Attribute(attr="_modules"))]):
            return True
    return False


def _called(statement: ast.stmt) -> str:
    """The name of what a statement of its own calls."""
    called = statement.value.func if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) else None
    return str(getattr(called, "attr", getattr(called, "id", "")))
