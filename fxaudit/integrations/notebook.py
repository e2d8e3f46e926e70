"""`%load_ext fxaudit`: the magics `%fxaudit model loss optimizer` and `%%fxaudit`."""

from __future__ import annotations

import ast
import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import TYPE_CHECKING, Any

from fxaudit.answer.answer import VERDICTS
from fxaudit.errors import FxauditError, InvalidOptionError
from fxaudit.program.source import cell_name

if TYPE_CHECKING:
    from fxaudit.report import Report

__all__ = ["load_ipython_extension"]

USAGE = """Expected one of:
  %fxaudit model [loss [optimizer …]]   what audit(model, loss, optimizer) says; a loss such as criterion(model(x), y)
  %%fxaudit [model [optimizer …]]       what happens in the cell; without a model, of all that the cell uses
Options: -o FILE (repeatable), --expect PATTERN=VERDICT (repeatable), --steps N, --fix"""


def load_ipython_extension(shell: Any) -> None:
    """Called by `%load_ext fxaudit`."""

    def fxaudit(line: str, cell: str | None = None) -> Report | None:
        """Say which parameters training will change, and what stops the others."""
        try:
            asked = _Asked.of(line)
            report = _of_line(shell, asked) if cell is None else _of_cell(shell, asked, cell)
            for name in asked.outputs if report is not None else ():
                report.save(name)  # type: ignore[union-attr]
        except FxauditError as error:
            print(f"fxaudit: {error}", file=sys.stderr)
            return None
        return report

    shell.register_magic_function(fxaudit, magic_kind="line_cell", magic_name="fxaudit")


@dataclass
class _Asked:
    """What stands behind the magic: expressions, and options."""

    expressions: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, line: str) -> _Asked:
        """Read the line.

        Raises:
            InvalidOptionError: It is not as the usage says.
        """
        found = cls()
        words = iter(_split(line))
        for word in words:
            if not word.startswith("-"):
                found.expressions.append(word)
                continue
            if word == "--fix":
                found.options["fix"] = True
                continue
            if word not in ("-o", "--expect", "--steps"):
                raise InvalidOptionError(f"there is no option {word}.\n{USAGE}")
            value = "".join(shlex.split(next(words, "")))
            if word == "-o":
                from fxaudit.renderers import format_of

                format_of(value)
                found.outputs.append(value)
            elif word == "--steps" and value.isdecimal() and int(value):
                found.options["steps"] = int(value)
            elif word == "--expect" and value.rpartition("=")[2] in VERDICTS:
                pattern, _, verdict = value.rpartition("=")
                found.options.setdefault("expect", {})[pattern] = verdict
            else:
                raise InvalidOptionError(f"{word} cannot be {value!r}.\n{USAGE}")
        return found


def _split(line: str) -> list[str]:
    """The words of the line; blanks within brackets and quotes part none.

    Example:
        >>> _split("net criterion(net(x), y) opt -o 'a b.html'")
        ['net', 'criterion(net(x), y)', 'opt', '-o', "'a b.html'"]
    """
    words, depth, quote = [""], 0, ""
    for character in line:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character.isspace() and not depth:
            words.append("")
            continue
        words[-1] += character
    return [word for word in words if word]


def _of_line(shell: Any, asked: _Asked) -> Report:
    from fxaudit.api import audit

    if not asked.expressions:
        raise InvalidOptionError(f"no model is given.\n{USAGE}")
    model, *rest = asked.expressions
    loss = _loss(shell, rest[0]) if rest else None
    optimizers = [_value(shell, one) for one in rest[1:]]
    module = _value(shell, model)
    return _among_variables(shell, lambda: audit(module, loss, optimizers or None, **asked.options))


def _of_cell(shell: Any, asked: _Asked, cell: str) -> Report | None:
    from fxaudit.api import watch

    model, *optimizers = [_value(shell, one) for one in asked.expressions] or [None]
    with _as_this_cell(shell), watch(model, *optimizers, **asked.options) as watching:
        # The magic's own line keeps its place, so that lines count as they are seen.
        result = shell.run_cell(f"# %%fxaudit\n{cell}", store_history=False)
    # What the cell raised was shown by the shell; it has a report all the same, if anything was seen.
    return watching.report if len(watching.report) or result.success else None


@contextlib.contextmanager
def _as_this_cell(shell: Any) -> Iterator[None]:
    """A cell that is run inside has the number of the one that runs the magic, and leaves it its result."""
    counted, outer = shell.execution_count, shell.displayhook.exec_result
    number = cell_name(_place()[0]).partition("[")[2].rstrip("]")
    try:
        shell.execution_count = int(number) if number.isdecimal() else counted
        yield
    finally:
        shell.execution_count, shell.displayhook.exec_result = counted, outer


def _loss(shell: Any, text: str) -> Any:
    """The loss: a function or a tensor that has a name; anything else is computed when the audit asks for it."""
    if isinstance(_parsed(text), ast.Name | ast.Attribute | ast.Lambda):
        return _value(shell, text)
    return _function(shell, text)


def _value(shell: Any, text: str) -> Any:
    _parsed(text)
    try:
        return _function(shell, text)()
    except NameError as error:
        raise InvalidOptionError(f"{error}.") from None


def _function(shell: Any, text: str) -> Callable[[], Any]:
    """A function without arguments that computes `text` among the user's variables, at the magic's line of the cell."""
    made: Callable[[], Any] = eval(_compiled(f"lambda: ({text})"), shell.user_ns)
    return made


def _among_variables(shell: Any, call: Callable[[], Report]) -> Report:
    """What `call` returns, called at the magic's line by code that has the user's variables: they give names."""
    found: Report = eval(_compiled("__fxaudit__()"), shell.user_ns, {**shell.user_ns, "__fxaudit__": call})
    return found


def _compiled(text: str) -> CodeType:
    file, line = _place()
    tree = ast.parse(text, file, mode="eval")
    ast.increment_lineno(tree, line - 1)
    return compile(tree, file, "eval")


def _parsed(text: str) -> ast.expr:
    """The expression.

    Raises:
        InvalidOptionError: It is none.
    """
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        raise InvalidOptionError(f"{text!r} is no expression.\n{USAGE}") from None


def _place() -> tuple[str, int]:
    """File and line of the cell that runs the magic."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
