"""Every rule over its own examples, and its prose."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import fxaudit
from fxaudit.judge.rule import Rule
from fxaudit.judge.rules import RULES
from fxaudit.program.source import displayed_path
from fxaudit.report import Report

Run = Callable[..., "tuple[Report, object]"]

WITHOUT_LINE = ("FXA902",)
"""What was never there stands on no line."""

EDITED = ("FXA104", "FXA110", "FXA205", "FXA301", "FXA302", "FXA307", "FXA401")
"""Their fix comes with a diff."""

BESIDE_ITS_CAUSE = {"FXA601": ("FXA306",), "FXA602": ("FXA306",)}
"""A broken expectation comes with the finding about its cause."""

ADVICE = re.compile(
    r"\b(should|must|need|needs|try|consider|please|instead|better|recommended?|avoid|you|your)\b", re.I
)

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.code}-{rule.name}")

# PyTorch's own words on what two of the bad examples do.
pytestmark = [
    pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad=True:UserWarning"),
    pytest.mark.filterwarnings(r"ignore:.*torch\.jit:DeprecationWarning"),
]


# -- examples ----------------------------------------------------------------------------------------------------


@each_rule
def test_the_bad_example_is_found_at_its_marked_line_and_nothing_else_is(rule: type[Rule], example: Run) -> None:
    report, program = example(rule, "bad")
    [finding] = [finding for finding in report.findings if finding.code == rule.code]
    if rule.code in WITHOUT_LINE:
        assert program.marked == ()
        assert finding.culprit is None
    else:
        [marked] = program.marked
        assert finding.culprit is not None
        assert (finding.culprit.file, finding.culprit.line) == (displayed_path(str(program.file)), marked)
    others = [f for f in report.findings if f.code != rule.code and f.code not in BESIDE_ITS_CAUSE.get(rule.code, ())]
    assert [(f.code, f.message) for f in others if f.level != "note"] == []
    assert (finding.level == "note") == (rule.level == "note")


@each_rule
def test_the_good_example_is_clean(rule: type[Rule], example: Run) -> None:
    report, _ = example(rule, "good")
    assert [(f.code, f.message) for f in report.findings if f.level != "note" or f.code == rule.code] == []
    assert report.audited


@each_rule
def test_a_message_states_a_fact_about_a_named_object_in_one_line(rule: type[Rule], example: Run) -> None:
    report, _ = example(rule, "bad")
    for finding in report.findings:
        assert len(finding.message) <= 90
        assert "\n" not in finding.message
        assert re.search(r"`[^`]+`", finding.message), finding.message
        assert finding.message.count("`") % 2 == 0
        assert not ADVICE.search(finding.message), finding.message
        assert not finding.message.endswith(".")
        assert_is_imperative(finding.fix.partition("\n")[0])


@each_rule
def test_an_edit_turns_a_line_of_the_bad_example_into_one_of_the_good(rule: type[Rule], example: Run) -> None:
    report, _ = example(rule, "bad")
    [finding] = [finding for finding in report.findings if finding.code == rule.code]
    edit = finding.fix.splitlines()[1:]
    assert bool(edit) == (rule.code in EDITED), finding.fix
    bad, good = (
        [line.split("  #")[0].strip() for line in inspect.getsource(e).splitlines()] for e in (rule.bad, rule.good)
    )
    for line in edit:
        if rule.code != "FXA301":  # it is a line to add, its good example another way to the same end
            assert line[2:] in (good if line[0] == "+" else bad)


@each_rule
def test_the_examples_differ_in_little_and_only_the_bad_one_is_marked(rule: type[Rule]) -> None:
    bad, good = body(rule.bad), body(rule.good)
    assert bad != good
    assert not any("FXA" in line for line in good)
    assert sum(line.endswith(f"# {rule.code}") for line in bad) == (rule.code not in WITHOUT_LINE)
    unmarked = [line.split("  # FXA")[0] for line in bad]
    assert len(set(unmarked) ^ set(good)) <= 5
    assert max(len(line) for line in bad + good) <= 100


@each_rule
def test_a_rule_imports_torch_only_in_its_examples(rule: type[Rule]) -> None:
    source = Path(inspect.getfile(rule)).read_text()
    for node in ast.parse(source).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not any(name.split(".")[0] == "torch" for name in names)


# -- prose -------------------------------------------------------------------------------------------------------


@each_rule
def test_a_rule_has_a_code_a_kebab_name_a_title_and_a_fix(rule: type[Rule]) -> None:
    assert re.fullmatch(r"FXA[1-69]\d\d", rule.code)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert rule.level in ("error", "warning", "note")
    assert re.fullmatch(r"[A-Z`].*\.", rule.title())
    assert rule.title().count("`") % 2 == 0
    assert_is_imperative(rule.fix)


@each_rule
def test_the_rationale_says_more_than_the_title(rule: type[Rule]) -> None:
    rationale = rule.rationale()
    assert rationale.endswith(".") or (rule.code == "FXA601" and not rationale)
    assert rule.title() not in rationale


FAMILIES = {
    "1": "path",
    "2": "registration",
    "3": "optimizers",
    "4": "loop",
    "5": "values",
    "6": "expectations",
    "9": "unseen",
}


@each_rule
def test_a_rule_stands_alone_in_a_file_of_its_family_and_its_name(rule: type[Rule]) -> None:
    file = Path(inspect.getfile(rule))
    assert ast.get_docstring(ast.parse(file.read_text())) == f"{rule.code}."
    assert [r for r in RULES if inspect.getfile(r) == inspect.getfile(rule)] == [rule]
    assert (file.parents[1].name, file.parent.name) == ("rules", FAMILIES[rule.code[3]])
    assert file.stem == rule.name.replace("-", "_")
    assert rule.__name__ == "".join(word.capitalize() for word in rule.name.split("-"))


@each_rule
def test_the_page_of_a_rule_holds_title_fix_and_both_examples(rule: type[Rule]) -> None:
    page = fxaudit.explain(rule.code)
    assert page.startswith(f"# {rule.code} {rule.name}\n")
    assert rule.title() in page
    assert rule.rationale() in page
    assert rule.fix in page
    inside = "    " if rule.asks_where_made else ""
    assert "\n".join(f"{inside}{line}" if line else "" for line in body(rule.bad)[:-1]) in page
    lines = page.splitlines()
    assert all(f"{inside}{line}".rstrip() in lines or f"+{inside}{line}" in lines for line in body(rule.good)[:-1])
    assert "print(fxaudit.audit(" in page or {"    train()", "print(watching.report)"} <= set(lines)
    assert "Example(" not in page
    assert fxaudit.explain(rule.name) == page


def test_codes_and_names_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_every_rule_file_is_registered() -> None:
    folder = Path(inspect.getfile(RULES[0])).parents[1]
    with_code = {path.name for path in folder.glob("*/*.py") if re.match(r'"""FXA\d\d\d\.', path.read_text())}
    assert with_code == {Path(inspect.getfile(rule)).name for rule in RULES}


def test_structural_causes_are_looked_for_first() -> None:
    position = {rule.code: number for number, rule in enumerate(RULES)}

    def last(family: str) -> int:
        return max(number for code, number in position.items() if code.startswith(f"FXA{family}"))

    def first(family: str) -> int:
        return min(number for code, number in position.items() if code.startswith(f"FXA{family}"))

    assert last("2") < first("1")  # what was replaced is not looked for on the way to the loss
    assert last("1") < min(first(family) for family in "34569")
    assert max(last(family) for family in "12345") < first("6")
    assert last("6") < first("9")


def assert_is_imperative(fix: str) -> None:
    verb = fix.split()[0]
    assert re.fullmatch(r"[A-Z][a-z]+", verb), fix
    assert not verb.endswith(("ing", "ed")) and verb not in ("The", "It", "This", "There", "You", "A", "An", "No"), fix
    assert fix.endswith("."), fix
    assert fix.count("`") % 2 == 0, fix


def body(function: Callable[[], object]) -> list[str]:
    """The lines of an example below its docstring."""
    lines = inspect.getsource(function).splitlines()
    start = next(number for number, line in enumerate(lines) if line.lstrip().startswith('"""')) + 1
    return textwrap.dedent("\n".join(lines[start:])).splitlines()
