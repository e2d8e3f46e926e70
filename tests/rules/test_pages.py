"""The pages on the rules are what the rules say."""

from __future__ import annotations

import pytest

from fxaudit.judge.rules import RULES
from tools import write_rule_pages

REMEDY = "`python -m tools.write_rule_pages` writes it anew."


@pytest.mark.parametrize("path", write_rule_pages.pages(), ids=lambda path: path.name)
def test_the_committed_page_is_what_the_rules_say(path) -> None:
    assert path.exists(), f"{path.name} is missing. {REMEDY}"
    assert path.read_text(encoding="utf-8") == write_rule_pages.pages()[path], f"{path.name} is stale. {REMEDY}"


def test_no_page_is_left_of_a_rule_that_is_gone() -> None:
    assert write_rule_pages.stale_pages() == []


def test_every_rule_has_a_family_and_a_line_in_the_list() -> None:
    listed = write_rule_pages.index()
    for rule in RULES:
        assert rule.code[3] in write_rule_pages.FAMILIES
        assert f"[{rule.code}]({rule.code}.md)" in listed
        assert rule.title() in listed
