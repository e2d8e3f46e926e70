"""A rule's page in Markdown."""

from __future__ import annotations

import difflib
import inspect
from typing import Any

from fxaudit.judge.rule import Rule

__all__ = ["rule_page"]


def rule_page(rule: type[Rule]) -> str:
    """The rule's page in Markdown, with its example before and after the fix."""
    bad, good = _example(rule, rule.bad), _example(rule, rule.good)
    lines = [f"# {rule.code} {rule.name}", "", rule.title(), "", f"Level: {rule.level}", ""]
    if rule.rationale():
        lines += [rule.rationale(), ""]
    lines += ["## Fix", "", rule.fix, "", "## Example", "", "```python", *bad, "```", ""]
    changed = list(difflib.unified_diff(bad, good, "bad", "good", lineterm="", n=2))
    if changed:
        lines += ["## Repaired", "", "```diff", *changed, "```", ""]
    return "\n".join(lines)


def _example(rule: type[Rule], function: Any) -> list[str]:
    """The body of an example as a program of its own."""
    source = inspect.getsource(function).splitlines()
    start = next(i for i, line in enumerate(source) if line.lstrip().startswith("def ")) + 1
    while start < len(source) and source[start - 1].rstrip().endswith((",", "(")):
        start += 1
    body = inspect.cleandoc("\n".join(["", *source[start:]])).splitlines()
    if body and body[0].startswith('"""'):
        end = next(
            (i for i, line in enumerate(body) if line.rstrip().endswith('"""') and (i or line.count('"""') == 2)), 0
        )
        body = body[end + 1 :]
    if not body:
        return []
    body = [*body[:-1], *_asked(body[-1])]
    if rule.asks_where_made:
        body = ["with fxaudit.watch():", *(f"    {line}" if line else "" for line in body)]
    return ["import fxaudit", *body]


def _asked(line: str) -> list[str]:
    """`return Example(…)`, as somebody would write it who wants to see the report."""
    call = line.strip().removeprefix("return ")
    if call.startswith("Example(train="):
        name = call.removeprefix("Example(train=").removesuffix(")")
        return ["with fxaudit.watch() as watching:", f"    {name}()", "print(watching.report)"]
    return [f"print({call.replace('Example(', 'fxaudit.audit(', 1)})"] if call.startswith("Example(") else [line]
