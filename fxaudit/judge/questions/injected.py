"""Parts that are put into a model by the names of its modules, adapters say, and names that no module has: nothing is
put in, and what was meant to train is not there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from fxaudit.judge.rule import Audit
from fxaudit.judge.trail import source_at
from fxaudit.program.course import Course, Sight
from fxaudit.program.name_lists import lists_of
from fxaudit.program.plain import chain_of
from fxaudit.program.source import SourceLine
from fxaudit.program.tree import Tree, tree_of

__all__ = ["Injection", "put_in_vain"]

LISTING = frozenset({"named_modules", "named_children", "modules", "children"})
"""The methods by which a program goes through the parts of a model."""
PUTTING = frozenset({"add_module", "register_module", "set_submodule", "setattr", "__setattr__", "append", "add"})
"""What puts a part into another, or chooses it to be replaced later."""
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
    """What the modules with parameters are called."""

    @property
    def sentence(self) -> str:
        """What is wrong."""
        *others, last = [f"`{text}`" for text in self.texts[:MOST]]
        known = f"{', '.join(others)} or {last}" if others else last
        return f"no module is called {known}, so nothing is put in there"

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
            if tree is None or not _puts(statement):
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
    for outer in tree.ancestors(statement):
        if outer is loop:
            break
        if isinstance(outer, ast.If) and statement in ast.walk(outer):
            told = _asked(audit, tree, outer)
            if told is not None:
                return told
    return None


def _asked(audit: Audit, tree: Tree, branch: ast.If) -> Injection | None:
    """What the test of the branch asks of the names of modules, where none has it."""
    course, names = audit.record.course, [state.local_name for state in audit.states]
    for sight in course.at(tree.file, branch.lineno)[-1:]:
        for texts, line in _texts(course, tree, branch, sight):
            written = [text.strip(".*") for text in texts]
            if not texts or any(not text or _is_part(text, names) for text in written):
                continue
            places = lists_of(audit.project_files, course.config_files(), texts) if line is None else [line]
            place = places[0] if len(places) == 1 else (tree.file, branch.lineno)
            return Injection(*place, source_at(tree.file, branch.lineno), texts, _modules(names))
    return None


def _is_part(text: str, names: list[str]) -> bool:
    """Whether the text stands in the name of some module."""
    return any(text in name.rpartition(".")[0] for name in names)


def _modules(names: list[str]) -> tuple[str, ...]:
    """What the modules are called to which the parameters of these names belong, without numbers."""
    owners = (name.rpartition(".")[0].rpartition(".")[2] for name in names)
    return (*dict.fromkeys(owner for owner in owners if owner and not owner.isdigit()),)


def _texts(
    course: Course, tree: Tree, branch: ast.If, sight: Sight
) -> Iterator[tuple[tuple[str, ...], tuple[str, int] | None]]:
    """(what a part of the test asks for, the place of a text that stands in the test itself)."""
    for part in ast.walk(branch.test):
        match part:
            case ast.Compare(left=ast.Constant(value=str() as text), ops=[ast.In()]):
                yield (text,), (tree.file, part.lineno)
            case ast.Compare(ops=[ast.Eq()], comparators=[ast.Constant(value=str() as text)]):
                yield (text,), (tree.file, part.lineno)
            case ast.Compare(ops=[ast.In()], comparators=[ast.Name() | ast.Attribute() | ast.Subscript() as held]):
                yield _members(sight, held), None
            case ast.Compare(ops=[ast.In()], comparators=[ast.Tuple() | ast.List() | ast.Set() as display]):
                yield _constants(display), (tree.file, part.lineno)
            case ast.comprehension(iter=ast.Name() | ast.Attribute() | ast.Subscript() as held):
                yield _members(sight, held), None
            case ast.comprehension(iter=ast.Tuple() | ast.List() | ast.Set() as display):
                yield _constants(display), (tree.file, display.lineno)
            case ast.Call(func=ast.Attribute(attr="endswith" | "startswith"), args=[given]):
                if isinstance(given, ast.Constant) and isinstance(given.value, str):
                    yield (given.value,), (tree.file, part.lineno)
                else:
                    yield _members(sight, given), None


def _members(sight: Sight, held: ast.expr) -> tuple[str, ...]:
    chain = chain_of(held)
    seen = sight.read.get(chain.text) if chain is not None else None
    members = seen.members if seen is not None else None
    is_one = seen is not None and seen.kind == "plain" and isinstance(seen.value, str)
    found = (seen.value,) if seen is not None and is_one else members or ()
    return tuple(str(one) for one in found) if all(isinstance(one, str) for one in found) else ()


def _constants(display: ast.Tuple | ast.List | ast.Set) -> tuple[str, ...]:
    values = [part.value for part in display.elts if isinstance(part, ast.Constant)]
    texts = [value for value in values if isinstance(value, str)]
    return (*texts,) if len(texts) == len(display.elts) else ()


def _lists_modules(node: ast.expr) -> bool:
    return any(isinstance(part, ast.Attribute) and part.attr in LISTING for part in ast.walk(node))


def _puts(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=called)):
            return getattr(called, "attr", getattr(called, "id", "")) in PUTTING
        case ast.Assign(targets=[ast.Subscript(value=ast.Attribute(attr="_modules"))]):
            return True
    return False
