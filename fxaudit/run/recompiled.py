"""The code of live functions exchanged for that of another text of their file, in a copy of the process."""

from __future__ import annotations
import __future__

import ast
import gc
import inspect
import itertools
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import CellType, CodeType, FrameType, FunctionType
from typing import Any

__all__ = ["Exchange", "Untriable", "is_what_runs"]

Key = tuple[str, int]
"""A qualified name, and which of those that share it."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef

_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)


class Untriable(Exception):
    """The edit cannot be tried here; its text says why."""


def is_what_runs(file: str, text: str) -> bool:
    """Whether the live functions of `file` are those of `text`: each stands on its line, with the same code."""
    try:
        known = _codes(text, file)
    except (SyntaxError, ValueError):
        return False
    lines = {(code.co_firstlineno, code.co_name) for code in known.values()}
    same = set(known.values())
    for function in _live(file):
        code = function.__code__
        if (code.co_firstlineno, code.co_name) not in lines or (code not in same and not _is_rewritten(function)):
            return False
    return True


def _is_rewritten(function: FunctionType) -> bool:
    """Whether another than Python's own loader made the code, as pytest does of asserts."""
    loader = type(function.__globals__.get("__loader__"))
    return not loader.__module__.startswith(("importlib", "_frozen_importlib"))


def _live(file: str) -> list[FunctionType]:
    """The functions made from the code of a file."""
    wanted = os.path.realpath(file)
    names: dict[str, bool] = {}
    found = []
    for thing in gc.get_objects():
        if type(thing) is FunctionType:
            name = thing.__code__.co_filename
            if name not in names:
                names[name] = os.path.realpath(name) == wanted
            if names[name]:
                found.append(thing)
    return found


def _codes(text: str, file: str) -> dict[Key, CodeType]:
    """All code that a text holds, by name."""
    found: dict[Key, CodeType] = {}

    def walk(code: CodeType, prefix: str) -> None:
        for inner in code.co_consts:
            if isinstance(inner, CodeType):
                name = prefix + inner.co_name
                number = next(n for n in itertools.count() if (name, n) not in found)
                found[name, number] = inner
                walk(inner, f"{name}.<locals>." if inner.co_flags & inspect.CO_OPTIMIZED else f"{name}.")

    whole = compile(text, file, "exec", dont_inherit=True)
    found["<module>", 0] = whole
    walk(whole, "")
    return found


def _alike(one: CodeType, other: CodeType) -> bool:
    """Whether two pieces of code do the same, wherever they stand; code inside them is compared by itself."""

    def content(code: CodeType) -> tuple[object, ...]:
        constants = [("code", c.co_name) if isinstance(c, CodeType) else (type(c), c) for c in code.co_consts]
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        return code.co_code, repr(constants), names, counts

    return content(one) == content(other)


@dataclass
class Exchange:
    """Texts put in the place of what runs. `with` it, the functions that it changed are seen running.

    It cannot be undone: it is for a forked copy.
    """

    missing: dict[int, str] = field(default_factory=dict)
    """The changed code that has not run yet, by identity: what it is called."""
    spelled: dict[str, str] = field(default_factory=dict)
    """The files whose text was exchanged, as Python calls them, and their new text."""
    _kept: list[object] = field(default_factory=list)

    def put(self, file: str, old: str, new: str) -> None:
        """Give the functions of `file`, whose text is `old`, the code that `new` has for them.

        Raises:
            Untriable: Something changed that has run already, or cannot be exchanged.
        """
        redefined = _redefined(old, new, os.path.basename(file))
        live = _live(file)
        file = live[0].__code__.co_filename if live else file
        self.spelled[file] = new
        before, after = _codes(old, file), _codes(new, file)
        self._exchange(live, before, after)
        for key, code in after.items():
            if code.co_flags & inspect.CO_OPTIMIZED and (key not in before or not _alike(before[key], code)):
                self._expect(code, key[0])
        for definition, names in redefined:
            self._define(file, definition, names, after)

    def _exchange(self, live: list[FunctionType], before: dict[Key, CodeType], after: dict[Key, CodeType]) -> None:
        keys = {code: key for key, code in before.items()}
        places = {(code.co_firstlineno, code.co_name): key for key, code in before.items()}
        were, are = Counter(name for name, _ in before), Counter(name for name, _ in after)
        for function in live:
            code = function.__code__
            key = keys.get(code) or places.get((code.co_firstlineno, code.co_name))
            if key is None or not are[key[0]]:
                continue
            if were[key[0]] != are[key[0]]:
                raise Untriable(f"which `{_plainly(key[0])}` becomes which is not known")
            try:
                function.__code__ = after[key]
            except ValueError:
                raise Untriable(f"`{_plainly(key[0])}` needs variables that it had not when it was made") from None

    def _expect(self, code: CodeType, name: str) -> None:
        self.missing[id(code)] = f"`{_plainly(name)}`"
        self._kept.append(code)

    def _define(
        self, file: str, definition: Definition | ast.ClassDef, names: list[str], after: Mapping[Key, CodeType]
    ) -> None:
        """Run one definition again in its module, and put what came of it in the place of what was there."""
        namespace = _namespace(file, definition.name)
        old = namespace[definition.name]
        flags = after["<module>", 0].co_flags & _FUTURES
        code = compile(ast.Module([definition], []), file, "exec", flags=flags, dont_inherit=True)
        try:
            exec(code, namespace)  # the user's own definition, in a copy of the user's own process
            new = namespace[definition.name]
        finally:
            namespace[definition.name] = old
        if isinstance(definition, ast.ClassDef):
            for name in names:
                self._take_over(old, vars(new)[name], name, after[f"{definition.name}.{name}", 0])
        else:
            _replace_everywhere(old, new)
            self._made(_functions(new), after[definition.name, 0], definition.name)

    def _take_over(self, owner: Any, member: Any, name: str, code: CodeType) -> None:
        made = _functions(member)
        for function in made:
            for cell, variable in zip(function.__closure__ or (), function.__code__.co_freevars, strict=True):
                if variable == "__class__":
                    cell.cell_contents = owner
        setattr(owner, name, member)
        self._made(made, code, f"{owner.__name__}.{name}")

    def _made(self, functions: list[FunctionType], code: CodeType, name: str) -> None:
        if functions:
            functions[-1].__code__ = code
        self._expect(code, name)

    def __enter__(self) -> Exchange:
        if self.missing:
            sys.setprofile(self._called)
        return self

    def __exit__(self, *error: object) -> None:
        sys.setprofile(None)

    def _called(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and self.missing.pop(id(frame.f_code), "") and not self.missing:
            sys.setprofile(None)


def _plainly(name: str) -> str:
    return name.replace(".<locals>", "")


def _functions(member: Any) -> list[FunctionType]:
    """The functions of a member of a class: what decorators made of it, and what they wrapped, the outermost first."""
    found: list[FunctionType] = []
    thing = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    thing = thing.fget if isinstance(thing, property) else thing
    while isinstance(thing, FunctionType) and thing not in found:
        found.append(thing)
        thing = getattr(thing, "__wrapped__", None)
    return found


def _namespace(file: str, name: str) -> dict[str, Any]:
    """The namespace of the module that a file is, where `name` is defined in it."""
    wanted = os.path.realpath(file)
    for module in list(sys.modules.values()):
        own = getattr(module, "__file__", None)
        if isinstance(own, str) and os.path.realpath(own) == wanted and name in vars(module):
            return vars(module)
    for function in _live(file):
        if name in function.__globals__:
            return function.__globals__
    raise Untriable(f"`{name}` is not to be found in its module")


def _replace_everywhere(old: object, new: object) -> None:
    # No inner function may close over `old`: its cell would be one of those that are given another content.
    for holder in gc.get_referrers(old):
        if isinstance(holder, dict):
            for key, value in list(holder.items()):
                if value is old:
                    holder[key] = new
        elif isinstance(holder, CellType) and holder.cell_contents is old:
            holder.cell_contents = new


def _redefined(old: str, new: str, file: str) -> list[tuple[Definition | ast.ClassDef, list[str]]]:
    """The definitions at the top of a module to run again, each with the functions in it that differ in their
    decorators or defaults.

    Raises:
        Untriable: Anything else differs that ran when the module was loaded, or a class was made.
    """
    before, after = ast.parse(old), ast.parse(new)
    if _frame(before) != _frame(after):
        raise Untriable(f"the top of {file} ran before the audit")
    classes = dict(_classes(before))
    found: list[tuple[Definition | ast.ClassDef, list[str]]] = []
    for name, node in _classes(after):
        if name not in classes or _frame(classes[name]) != _frame(node):
            raise Untriable(f"the body of `{name}` ran before the audit")
        differing = _differing(classes[name], node)
        if differing and (node not in after.body or len(set(differing)) < len(differing)):
            raise Untriable(f"the body of `{name}` ran before the audit")
        if differing:
            found.append((node, differing))
    changed = _differing(before, after)
    return found + [(node, []) for node in after.body if isinstance(node, Definition) and node.name in changed]


def _differing(before: ast.Module | ast.ClassDef, after: ast.Module | ast.ClassDef) -> list[str]:
    """The functions in two bodies with the same names whose decorators or defaults differ."""
    pairs = zip(_heads(before), _heads(after), strict=True)
    return [name for (_, was), (name, now) in pairs if was != now]


def _classes(tree: ast.Module) -> Iterator[tuple[str, ast.ClassDef]]:
    """All classes, with the names of what they stand in."""
    queue: list[tuple[str, ast.AST]] = [("", tree)]
    while queue:
        prefix, node = queue.pop(0)
        for child in ast.iter_child_nodes(node):
            is_named = isinstance(child, ast.ClassDef | Definition)
            name = f"{prefix}{child.name}" if is_named else prefix  # type: ignore[attr-defined]
            if isinstance(child, ast.ClassDef):
                yield name, child
            queue.append((f"{name}." if is_named else prefix, child))


def _frame(node: ast.Module | ast.ClassDef) -> list[str]:
    """What a module or class is besides its functions and classes, whose names alone count."""
    own = [inner.name if isinstance(inner, Definition | ast.ClassDef) else ast.dump(inner) for inner in node.body]
    if isinstance(node, ast.Module):
        return own
    return [*map(ast.dump, (*node.bases, *node.keywords, *node.decorator_list)), *own]


def _heads(node: ast.Module | ast.ClassDef) -> list[tuple[str, str]]:
    return [(inner.name, _head(inner)) for inner in node.body if isinstance(inner, Definition)]


def _head(node: Definition) -> str:
    return " ".join(map(ast.dump, (*node.decorator_list, node.args)))
