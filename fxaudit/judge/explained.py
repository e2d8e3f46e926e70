"""A rule's page, by its code or name."""

from __future__ import annotations

from fxaudit.errors import UnknownRuleError
from fxaudit.judge.rule_page import rule_page
from fxaudit.judge.rules import RULES

__all__ = ["explain"]


def explain(code: str) -> str:
    """The page of a rule as Markdown: what it means, why it matters, how to fix it, and an example.

    Args:
        code: The rule's code or name, such as "FXA104" or "detached-path", in any case.

    Raises:
        UnknownRuleError: There is no such rule.

    Example:
        >>> import fxaudit
        >>> print(fxaudit.explain("FXA104").splitlines()[0])
        # FXA104 detached-path
    """
    wanted = code.strip().lower()
    for rule in RULES:
        if wanted in (rule.code.lower(), rule.name, rule.code[3:]):
            return rule_page(rule)
    near = [rule.code for rule in RULES if rule.code.lower().startswith(wanted[:4])][:4] or [r.code for r in RULES[:4]]
    raise UnknownRuleError(f"There is no rule {code!r}. Near it: {', '.join(near)}; `fxaudit rules` lists all.")
