"""Statements and tests of the user's program that do not do what they seem to."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from fxaudit.program.course import Seen
from fxaudit.program.given import is_any_text_true
from fxaudit.program.tree import Tree, tree_of

__all__ = [
    "NO",
    "flag_of_text",
    "flags_read_late",
    "inverted_option",
    "lone_text",
    "made_flags",
    "only_compared",
    "shallow_copies",
    "stores_the_denied",
]

NO = frozenset({"0", "false", "no", "off", "none", "n", "f"})
"""Texts that mean no, and are true."""
STORE_TRUE = 'Write `action="store_true"`, or name it `--no-…`.'
STORE_FALSE = 'Write `action="store_false"`.'
NEGATIVE = ("no", "dont", "do-not", "without", "disable", "skip", "un", "exclude", "ignore")
"""How the name of an option begins that rightly switches something off."""


def lone_text(test: ast.AST) -> str | None:
    """The text that is an operand of `or` by itself, as in `"a" in name or "b"`: the test is always true."""
    for node in ast.walk(test):
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            for value in node.values:
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                    return value.value
    return None


def only_compared(tree: Tree, attribute: str) -> Iterator[ast.Expr]:
    """The statements that compare the attribute with something, and drop the answer: `p.requires_grad == True`."""
    for node in tree.statements:
        match node:
            case ast.Expr(value=ast.Compare(left=ast.Attribute(attr=name), ops=[ast.Eq()])) if name == attribute:
                yield node


def flag_of_text(file: str, line: int, read: Mapping[str, Seen]) -> str | None:
    """The text that the statement at `line` takes for a flag although it means no: `bool("0")` is true.

    `read` is what the expressions of the statement were seen to hold. Of an option of the command line with
    `type=bool` any text is such a one, and "a text" is said.
    """
    tree = tree_of(file)
    statement = tree.statement_at(line) if tree is not None else None
    for node in ast.walk(statement) if statement is not None else ():
        match node:
            case ast.Call(func=ast.Name(id="bool"), args=[given]):
                texts = {n.value for n in ast.walk(given) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
                texts |= {
                    seen.value
                    for n in ast.walk(given)
                    if isinstance(n, ast.expr) and (seen := read.get(ast.unparse(n))) is not None
                    if isinstance(seen.value, str) and seen.is_plain
                }
                found = next((text for text in sorted(texts) if text.strip().lower() in NO), None)
                if found is not None:
                    return found
            case ast.Call(func=ast.Attribute(attr="add_argument")) if is_any_text_true(node):
                return "a text"
    return None


def inverted_option(statement: ast.stmt) -> tuple[str, str] | None:
    """(what is wrong with it, how to write it) of the option of a command line that does the opposite of what it is
    called: `--freeze` with `store_false`, or `--no-freeze` that stores True as `freeze`."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            action = given.get("action")
            named = action.value if isinstance(action, ast.Constant) else ""
            option = next((name for name in _flags(node) if name.startswith("--")), "")
            is_off = named == "store_false" and "dest" not in given
            if is_off and option and not option.lstrip("-").startswith(NEGATIVE):
                return f"`{option}` is on unless it is given: it is `store_false`", STORE_TRUE
            if stores_the_denied(node):
                return f"`{option}` is `store_true`, and leaves `{_dest(node)}` on where it is given", STORE_FALSE
    return None


def stores_the_denied(call: ast.Call) -> bool:
    """Whether an option that is called after what it switches off, `--no-freeze`, stores True under that name."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    action, dest = given.get("action"), _dest(call)
    is_on = isinstance(action, ast.Constant) and action.value == "store_true"
    return is_on and any(flag.lstrip("-") in {f"{no}-{dest}" for no in NEGATIVE} for flag in _flags(call) if dest)


def _dest(call: ast.Call) -> str:
    """The name under which an option is stored, where it is given, with hyphens."""
    dest = next((keyword.value for keyword in call.keywords if keyword.arg == "dest"), None)
    return str(dest.value).replace("_", "-") if isinstance(dest, ast.Constant) else ""


def _flags(call: ast.Call) -> list[str]:
    return [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]


def flags_read_late(tree: Tree, statement: ast.stmt) -> tuple[ast.stmt, ast.stmt] | None:
    """(what reads `requires_grad`, what had switched it off before) in the function in which `statement` puts back the
    flags that were read."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="requires_grad_"), args=[ast.Name()])):
            pass
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=ast.Name()):
            pass
        case _:
            return None
    scope = tree.function(statement)
    owner = tree.parents.get(scope) if scope is not None else None
    is_exit = isinstance(owner, ast.ClassDef) and getattr(scope, "name", "") == "__exit__"
    outer = owner if is_exit else scope
    own = [
        s for s in tree.statements if outer is not None and outer in tree.ancestors(s) and s.lineno < statement.lineno
    ]
    reads = [s for s in own if isinstance(s, ast.Assign) and _reads_flag(s.value)]
    switched = [s for s in own if not isinstance(s, ast.Assign) or not _reads_flag(s.value)]
    off = [s for s in switched if _switches_off(s)]
    # A generator reads them when it is gone through, and that is later.
    is_lazy = len(reads) == 1 and isinstance(reads[0].value, ast.GeneratorExp)
    if len(reads) == 1 and off and (is_lazy or off[0].lineno < reads[0].lineno):
        return reads[0], off[0]
    return None


def _reads_flag(value: ast.expr) -> bool:
    return any(isinstance(n, ast.Attribute) and n.attr == "requires_grad" for n in ast.walk(value))


def _switches_off(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="requires_grad_"), args=[ast.Constant(value=False)])):
            return True
        case ast.Assign(targets=[ast.Attribute(attr="requires_grad")], value=ast.Constant(value=False)):
            return True
    return False


def made_flags(files: Iterable[str], name: str) -> list[tuple[str, int]]:
    """(file, line) of the calls of `bool` by which something of that name gets its value: as an argument or an
    attribute, at once or by a function that returns it."""
    found: dict[tuple[str, int], None] = {}
    for file in files:
        tree = tree_of(file)
        for node in tree.parents if tree is not None else ():
            match node:
                case ast.keyword(arg=given, value=value) if given == name:
                    pass
                case ast.Assign(targets=[ast.Name(id=given) | ast.Attribute(attr=given)], value=value) if given == name:
                    pass
                case _:
                    continue
            for made in (value, *_returned(tree, value)):
                match made:
                    case ast.Call(func=ast.Name(id="bool")):
                        found.setdefault((file, made.lineno))
    return list(found)


def _returned(tree: Tree | None, call: ast.expr) -> Iterator[ast.expr]:
    """What a function of the same file returns, where it is called by its name."""
    match call:
        case ast.Call(func=ast.Name(id=name)) if tree is not None:
            for node in tree.statements:
                if isinstance(node, ast.FunctionDef) and node.name == name:
                    yield from (n.value for n in ast.walk(node) if isinstance(n, ast.Return) and n.value is not None)


def shallow_copies(files: Iterable[str]) -> Iterator[tuple[Tree, ast.Assign, str]]:
    """(tree, statement, target) of what is given a `copy.copy(…)`: of a module it shares every parameter."""
    for file in files:
        tree = tree_of(file)
        for node in tree.statements if tree is not None else ():
            match node:
                case ast.Assign(targets=[target], value=ast.Call(func=function, args=[_])) if tree is not None:
                    if ast.unparse(function) in ("copy.copy", "copy"):
                        yield tree, node, ast.unparse(target)
