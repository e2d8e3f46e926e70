"""`[tool.fxaudit]` in pyproject.toml: what holds for all audits of a project, and where each setting comes from."""

from __future__ import annotations

import difflib
import importlib
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxaudit.answer.answer import VERDICTS
from fxaudit.answer.finding import LEVELS, Level
from fxaudit.errors import FxauditError, InvalidOptionError

if TYPE_CHECKING:
    from fxaudit.judge.rule import Rule

__all__ = ["Settings", "codes_of", "nearest", "settings"]

TABLE = "tool.fxaudit"


@dataclass(frozen=True)
class Settings:
    """What a project has decided. What is left out is None or empty, and the default holds."""

    file: Path | None = None
    """The file that it was read from."""
    expect: Mapping[str, str] = field(default_factory=dict)
    """Patterns of names and the verdict expected of what they match; one that matches nothing here is for others."""
    ignore: Mapping[str, str] = field(default_factory=dict)
    """Codes of rules, or beginnings of such, and the reason why their findings are left out."""
    fail_on: Level | None = None
    """The quietest level that makes the exit status 1."""
    steps: int | None = None
    """How many training steps `fxaudit run` records."""
    outputs: tuple[Path, ...] = ()
    """The files that are written where no -o is given."""
    roots: tuple[Path, ...] = ()
    """Folders whose files count as the user's own, though they are installed."""
    baseline: Path | None = None
    """The file of the causes that are known."""


def settings(given: str | None = None) -> Settings:
    """The settings of the nearest pyproject.toml, from the working directory upwards; or those of the file `given`.

    Raises:
        InvalidOptionError: The file cannot be read, or says something that is no setting.
    """
    if given is None:
        file = next(
            (f for folder in (Path.cwd(), *Path.cwd().parents) if (f := folder / "pyproject.toml").is_file()), None
        )
        if file is None:
            return Settings()
    else:
        file = Path(given).absolute()
    data: Any = _parsed(file)
    tool = data.get("tool", {})
    table = tool.get("fxaudit", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise InvalidOptionError(f"{file}: `{TABLE}` is no table. Expected: [{TABLE}] with keys below it.")
    return _checked(table, file)


def _parsed(file: Path) -> dict[str, Any]:
    tomllib: Any = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        found: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return found
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidOptionError(f"The configuration {str(file)!r} cannot be read: {reason}.") from error
    except tomllib.TOMLDecodeError as error:
        raise InvalidOptionError(f"{file} is no TOML: {error}.") from error


def _checked(table: Mapping[str, Any], file: Path) -> Settings:
    keys: dict[str, Callable[[Any], Any]] = {
        "expect": _expect,
        "ignore": _ignore,
        "fail-on": _one_of(LEVELS),
        "steps": _steps,
        "outputs": lambda value: tuple(_output(file.parent, one) for one in _strings(value)),
        "roots": lambda value: tuple(_folder(file.parent, one) for one in _strings(value)),
        "baseline": lambda value: file.parent / _string(value),
    }
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key not in keys:
            raise InvalidOptionError(f"{file}: [{TABLE}] has the unknown key {key!r}{nearest(key, keys)}")
        try:
            found[key.replace("-", "_")] = keys[key](value)
        except FxauditError as error:
            raise InvalidOptionError(f"{file}: `{key}` in [{TABLE}]: {error}") from None
    return Settings(file=file, **found)


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or what there is."""
    every = list(known)
    near = difflib.get_close_matches(word, every, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f". Expected one of: {', '.join(every)}."


def _string(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidOptionError(f"it is {value!r}. Expected: a text that is not empty.")
    return value


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise InvalidOptionError(f"it is {value!r}. Expected: a list of texts.")
    return [_string(one) for one in value]


def _steps(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InvalidOptionError(f"it is {value!r}. Expected: a number of steps, 1 or more.")
    return value


def _one_of(known: Collection[str]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in known:
            raise InvalidOptionError(f"it is {value!r}{nearest(str(value), known)}")
        return str(value)

    return check


def _table_of_texts(value: Any, example: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise InvalidOptionError(f"it is {value!r}. Expected: a table such as {example}.")
    return dict(value)


def _expect(value: Any) -> dict[str, str]:
    found = _table_of_texts(value, '{"backbone.*" = "frozen"}')
    for pattern, verdict in found.items():
        if verdict not in VERDICTS:
            raise InvalidOptionError(f"it expects {verdict!r} of {pattern!r}{nearest(verdict, VERDICTS)}")
    return found


def _ignore(value: Any) -> dict[str, str]:
    found = _table_of_texts(value, '{FXA505 = "harmless here, because …"}')
    for code, reason in found.items():
        codes_of(code)
        if not reason.strip():
            raise InvalidOptionError(f"it gives no reason for {code}. Expected: why its findings do not matter here.")
    return found


def _output(folder: Path, name: str) -> Path:
    from fxaudit.renderers import format_of

    format_of(name)
    return folder / name


def _folder(folder: Path, name: str) -> Path:
    path = Path(os.path.abspath(folder / name))
    if not path.is_dir():
        raise InvalidOptionError(f"it names {name!r}, and there is no such folder in {str(folder)!r}.")
    return path


def codes_of(value: str) -> frozenset[str]:
    """The codes of the rules that a code, the beginning of one (`FXA5`) or a name stands for.

    Raises:
        InvalidOptionError: It stands for none; the nearest are named.
    """
    from fxaudit.judge.rules import RULES

    rules: tuple[type[Rule], ...] = RULES
    wanted = value.lower()
    named = {rule.code for rule in rules if wanted in (rule.code.lower(), rule.name)}
    found = named or {rule.code for rule in rules if len(wanted) > 3 and rule.code.lower().startswith(wanted)}
    if not found:
        known = [rule.code for rule in rules] if wanted.startswith("fx") else [rule.name for rule in rules]
        near = difflib.get_close_matches(value.upper() if wanted.startswith("fx") else wanted, known, n=1, cutoff=0.6)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise InvalidOptionError(f"{value!r} is no rule's code or name; `fxaudit rules` lists them.{hint}")
    return frozenset(found)


def told(found: Settings) -> list[tuple[str, str, str]]:
    """Every setting as (name, value, where it comes from)."""
    defaults = {"fail_on": "error", "steps": "as many as are needed"}
    rows = []
    for item in fields(Settings):
        value = getattr(found, item.name)
        if item.name == "file":
            continue
        where = str(found.file) if value else "default"
        rows.append((item.name.replace("_", "-"), _shown(value) or defaults.get(item.name, "none"), where))
    return rows


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case dict():
            return "\n".join(f"{key} = {said}" for key, said in value.items())
        case tuple():
            return "\n".join(map(str, value))
    return str(value)
