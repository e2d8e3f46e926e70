"""The names by which the program asks its objects for methods: a hook that is called otherwise never runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from fxaudit.capture.recording import Record
from fxaudit.judge.trail import methods_of, project_files, source_at
from fxaudit.program.course import Seen
from fxaudit.program.evaluation import evaluated
from fxaudit.program.plain import lineage_of
from fxaudit.program.source import SourceLine
from fxaudit.program.spelling import letters_apart
from fxaudit.program.tree import FunctionNode, Tree, tree_of

__all__ = ["called_otherwise"]

ASKING = frozenset({"getattr", "hasattr"})
SAME = {"begin": "start", "finish": "end"}
"""Words of one library's hooks, and what another one says for them."""
FAR = 2


def called_otherwise(record: Record, tree: Tree, scope: FunctionNode) -> tuple[list[str], SourceLine] | None:
    """(names, the line that asks) of what objects of the class are asked for, and have not of their own, where that is
    nearly what its method `scope` is called; None where they are asked for no such thing, or a class that it is derived
    from has the name, too."""
    owner, name = tree.parents.get(scope), getattr(scope, "name", "")
    if not isinstance(owner, ast.ClassDef) or not name:
        return None
    files = project_files(record)
    if any(name in methods_of(files, base) for base in lineage_of(files, owner.name)[1:]):
        return None
    own = {*methods_of([tree.file], owner.name), *_answered_above(files, owner.name)}
    found = {asked: where for asked, where in _asked_of(record, owner.name) if asked not in own}
    ranks = {asked: _rank(asked, name) for asked in found}
    best = min(ranks.values(), default=FAR)
    meant = [asked for asked, rank in ranks.items() if rank == best < FAR]
    return (meant, found[meant[0]]) if meant else None


def _rank(asked: str, name: str) -> int:
    """How far apart two names are: by a slip, by a word that one of them lacks, or `FAR`."""
    if letters_apart(asked, name) is not None:
        return 0
    words = ([SAME.get(word, word) for word in text.split("_")] for text in (asked, name))
    longer, shorter = sorted(words, key=len, reverse=True)
    if longer == shorter or len(shorter) < 2:
        return 1 if longer == shorter else FAR
    rests = (longer[:place] + longer[place + 1 :] for place in range(len(longer)))
    return 1 if any(rest == shorter for rest in rests) else FAR


def _answered_above(files: Sequence[str], kind: str) -> Iterator[str]:
    """The methods of the classes from which the class is derived that do something."""
    above = set(lineage_of(files, kind)[1:])
    for tree in filter(None, map(tree_of, files)):
        for node in tree.statements:
            if isinstance(node, ast.ClassDef) and node.name in above:
                methods = (part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef))
                yield from (method.name for method in methods if not all(map(_is_idle, method.body)))


def _is_idle(statement: ast.stmt) -> bool:
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()) | ast.Raise():
            return True
        case ast.Return(value=None | ast.Constant()):
            return True
    return False


def _asked_of(record: Record, kind: str) -> Iterator[tuple[str, SourceLine]]:
    """(name, line) of what objects of the class were seen to be asked for, by `getattr` or by a call of a method."""
    course = record.course
    for tree in filter(None, map(tree_of, project_files(record))):
        for call in tree.calls:
            statement = tree.statement(call)
            match call:
                case ast.Call(func=ast.Name(id=called), args=[thing, key, *_]) if called in ASKING:
                    pass
                case ast.Call(func=ast.Attribute(value=thing, attr=attribute)):
                    key = ast.Constant(attribute)
                case _:
                    continue
            for sight in course.at(tree.file, statement.lineno) if statement is not None else ():
                held, asked = evaluated(thing, sight.read), evaluated(key, sight.read)
                is_one = isinstance(held, Seen) and held.kind == "object" and str(held.value).split(".")[-1] == kind
                if is_one and isinstance(asked, str):
                    yield asked, source_at(tree.file, call.lineno)
