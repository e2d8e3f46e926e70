"""Writes the pages in docs/rules from the rules themselves.

    python -m tools.write_rule_pages

A test fails while what is committed differs from what this would write.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import fxaudit
from fxaudit.judge.rule import Rule
from fxaudit.judge.rules import RULES

ROOT = Path(__file__).resolve().parents[1]
NOTICE = "<!-- Written by tools/write_rule_pages.py from the rule's own file. -->"

FAMILIES = {
    "1": "The path to the loss",
    "2": "Registration and replacement",
    "3": "Optimizers",
    "4": "The loop",
    "5": "Gradient values",
    "6": "Expectations",
    "9": "What could not be seen",
}

INTRODUCTION = (
    "A rule tells why parameters have the verdict that they have, and which line is to blame. Each has a page with an",
    "example and its repair, which the tests run; `fxaudit explain FXA104` prints it, `fxaudit rules` lists them all.",
    "An error makes the exit status 1, a warning may be meant, a note asks for nothing.",
)


def pages() -> dict[Path, str]:
    """Every file that is written here, with its text."""
    folder = ROOT / "docs" / "rules"
    found = {folder / f"{rule.code}.md": f"{NOTICE}\n\n{fxaudit.explain(rule.code).rstrip()}\n" for rule in RULES}
    found[folder / "index.md"] = index()
    return found


def stale_pages() -> list[Path]:
    """Files in docs/rules that no rule stands behind any more."""
    wanted = pages()
    return [path for path in sorted((ROOT / "docs" / "rules").glob("*")) if path not in wanted]


def index() -> str:
    """The page that lists the rules, one family after the other."""
    lines = [NOTICE, "", "# The rules", "", *INTRODUCTION, ""]
    for digit, title in FAMILIES.items():
        members = [rule for rule in by_code() if rule.code[3] == digit]
        lines += [f"## FXA{digit}: {title}", "", *table(members), ""]
    return "\n".join(lines).rstrip() + "\n"


def table(rules: Iterable[type[Rule]]) -> list[str]:
    """The rules as a Markdown table, each code a link to its page."""
    rows = [f"| [{rule.code}]({rule.code}.md) | {rule.name} | {rule.level} | {_cell(rule.title())} |" for rule in rules]
    return ["| code | name | level | what is wrong |", "| --- | --- | --- | --- |", *rows]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def by_code() -> list[type[Rule]]:
    """The rules in the order of their codes."""
    return sorted(RULES, key=lambda rule: rule.code)


def main() -> None:
    """Write what differs, and take away pages of rules that are gone."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT).as_posix())
    for path in stale_pages():
        path.unlink()
        print(f"{path.relative_to(ROOT).as_posix()} (removed)")


if __name__ == "__main__":
    main()
