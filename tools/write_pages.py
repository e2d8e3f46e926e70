"""Writes what pages in docs/ can be told by the program itself: the command line, the limits, and what examples print.

    python -m tools.write_pages

docs/cli.md comes from the commands, docs/limits.md from the README, docs/promises.md from tools/promises.py,
docs/pictures/screen.svg from a report in reports/. In the other pages a `text` block behind a line `<!-- fxaudit run
-->` holds what that says of the `python` block before it, and behind `<!-- python -->` what that block prints. A test
fails while what is committed differs from what this would write.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI as SCREEN

from fxaudit.cli import commands as command_line
from fxaudit.renderers import RENDERERS
from fxaudit.renderers.text.terminal import render
from fxaudit.report import Report
from tools.promises import promises_page

__all__ = ["DOCS", "filled", "generated", "main", "with_outputs"]

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
NOTICE = "<!-- Written by tools/write_pages.py. -->"
SHOWN = re.compile(
    r"^```python\n(?P<code>(?:(?!^```).)*)^```\n\n<!-- (?P<how>fxaudit run|python) -->\n\n"
    r"^```text\n(?P<output>(?:(?!^```).)*)^```$",
    flags=re.DOTALL | re.MULTILINE,
)
WIDTH = 80
ORDER = ("run", "check", "trace", "render", "diff", "judge", "config", "rules", "explain")
COMPLETION = """## Completion in a shell

Commands, options and their values are completed where this line stands in the shell's own settings:

```bash
eval "$(_FXAUDIT_COMPLETE=bash_source fxaudit)"   # ~/.bashrc
eval "$(_FXAUDIT_COMPLETE=zsh_source fxaudit)"    # ~/.zshrc
_FXAUDIT_COMPLETE=fish_source fxaudit | source    # ~/.config/fish/completions/fxaudit.fish
```
"""
STATUS = """## Exit status

| exit status | meaning |
| --- | --- |
| 0 | nothing at or above `--fail-on` (default: error) was found |
| 1 | something was found |
| 2 | wrong usage: one line on stderr says what was expected |
| 3 | nothing could be audited, and there is no finding either |

Where the audit has no status of its own, the script's is passed on: a healthy script that ends with 7 still ends with
7.

A script that is ended by SIGTERM (a scheduler's limit of time, `timeout`), SIGHUP or SIGXCPU, and has no handler of
its own, gets its report first and dies of the signal then (a shell shows 143, 129 or 152). `os._exit` tells first,
too, and counts as `sys.exit`. With `--to-end` the files are written when the recording ends, and again at the end:
something is there if the script is killed.
"""


def generated() -> dict[Path, str]:
    """The pages that are written whole, with their texts."""
    screen = DOCS / "pictures" / "screen.svg"
    return {
        DOCS / "cli.md": command_page(),
        DOCS / "limits.md": limits_page(),
        DOCS / "promises.md": f"{NOTICE}\n\n{promises_page()}",
        screen: screen_picture(),
    }


def with_outputs() -> list[Path]:
    """The pages that show what their examples print."""
    return [path for path in sorted(DOCS.glob("*.md")) if SHOWN.search(path.read_text(encoding="utf-8"))]


def filled(text: str) -> str:
    """A page with what its examples print today."""

    def anew(found: re.Match[str]) -> str:
        start, end = found.start("output") - found.start(), found.end("output") - found.start()
        printed = said_of(found["code"]) if found["how"] == "fxaudit run" else printed_by(found["code"])
        return found[0][:start] + printed.rstrip() + "\n" + found[0][end:]

    return SHOWN.sub(anew, text)


def said_of(code: str) -> str:
    """What `fxaudit run train.py` says of a program up to its causes; the tables after them are left out."""
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder, "report.json")
        _python(code, folder, "-m", "fxaudit", "run", "--quiet", "-o", saved.name, "train.py")
        report = Report.from_json(saved.read_text(encoding="utf-8"))
    return render(report, width=WIDTH).partition("\nParameters\n")[0]


def printed_by(code: str) -> str:
    """What a program prints."""
    with tempfile.TemporaryDirectory() as folder:
        return _python(code, folder, "-W", "ignore", "train.py")


def _python(code: str, folder: str, *arguments: str) -> str:
    Path(folder, "train.py").write_text(code, encoding="utf-8")
    environment = {"PATH": "", "PYTHONPATH": str(ROOT), "HOME": folder, "OMP_NUM_THREADS": "1", "COLUMNS": str(WIDTH)}
    process = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if "fxaudit" not in arguments and process.returncode:
        raise RuntimeError(process.stderr)
    return process.stdout


def screen_picture() -> str:
    """What `fxaudit run` of the first example looks like in a terminal, without the fonts of anybody's server."""
    report = Report.from_json((ROOT / "reports" / "train_translation.json").read_text(encoding="utf-8"))
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(report)
    drawn = console.export_svg(title="fxaudit run examples/train_translation.py", unique_id="screen", theme=SCREEN)
    plain = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    return plain.replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, monospace")


def limits_page() -> str:
    """The README's section on limits as a page."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("<!-- limits -->")[2].partition("\n## ")[0].strip()
    return f"{NOTICE}\n\n# Limits\n\n{section.replace('](docs/', '](')}\n"


def command_page() -> str:
    """The page on the command line."""
    group = command_line.commands
    lines = [NOTICE, "", "# The command line", "", "| command | what it does |", "| --- | --- |"]
    lines += [f"| [`fxaudit {name}`](#fxaudit-{name}) | {_first(group.commands[name])} |" for name in _names(group)]
    lines += ["", STATUS, "## Formats", "", *_formats(), "", COMPLETION]
    for name in _names(group):
        lines += _command(name, group.commands[name])
    return "\n".join(lines).rstrip() + "\n"


def _names(group: click.Group) -> list[str]:
    return sorted(group.commands, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))


def _first(command: click.Command) -> str:
    return _cell(command.get_short_help_str(limit=200))


def _formats() -> Iterable[str]:
    yield "The suffix of `-o FILE` picks the format; `--format` picks that of stdout."
    yield ""
    yield "| format | suffixes |"
    yield "| --- | --- |"
    for renderer in RENDERERS:
        yield f"| {renderer.name} | {' '.join(f'`{suffix}`' for suffix in renderer.suffixes) or '–'} |"


def _command(name: str, command: click.Command) -> list[str]:
    with click.Context(command, info_name=f"fxaudit {name}", help_option_names=["-h", "--help"]) as context:
        usage = command.get_usage(context).removeprefix("Usage: ")
        paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
        options = [
            found
            for found in (part.get_help_record(context) for part in command.get_params(context))
            if found and found[1]
        ]
    lines = [f"## fxaudit {name}", "", "```text", usage, "```", ""]
    lines += [line for paragraph in paragraphs for line in (paragraph, "")]
    lines += ["| option | meaning |", "| --- | --- |"]
    return [*lines, *(f"| {_option(given)} | {_cell(meaning)} |" for given, meaning in options), ""]


def _option(given: str) -> str:
    return f"`{given}`".replace("|", "\\|")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("*", "\\*")


def main() -> None:
    """Write what differs."""
    pages = generated()
    pages.update({path: filled(path.read_text(encoding="utf-8")) for path in with_outputs()})
    for path, text in pages.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT).as_posix())


if __name__ == "__main__":
    main()
