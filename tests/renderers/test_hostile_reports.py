"""A report that somebody else wrote or bent: refused in one sentence or shown, and no text in it does anything."""

from __future__ import annotations

import copy
import functools
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import fxaudit
from fxaudit import cli
from fxaudit.answer import typed
from fxaudit.errors import FxauditError, InvalidReportError
from fxaudit.renderers import render
from fxaudit.report import Report
from tests import sample_reports

DOCUMENT: dict[str, Any] = json.loads(sample_reports.hostile().to_json())
BROKEN: dict[str, Any] = json.loads(sample_reports.broken().to_json())
TEXTS = ("terminal", "brief", "markdown", "json", "github", "sarif", "junit")
Place = tuple[str | int, ...]


def places(part: Any, so_far: Place = ()) -> Iterator[Place]:
    """Where something stands in a document; of a long list only the beginning."""
    if so_far:
        yield so_far
    entries = part.items() if isinstance(part, dict) else enumerate(part[:3]) if isinstance(part, list) else ()
    for key, value in entries:
        yield from places(value, (*so_far, key))


def at(document: Any, place: Place) -> Any:
    for key in place:
        document = document[key]
    return document


def bent(document: Any, place: Place, value: Any) -> Any:
    """`document` with `value` in that place."""
    made = copy.deepcopy(document)
    at(made, place[:-1])[place[-1]] = value
    return made


PLACES = list(places(BROKEN))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)


@given(st.sampled_from(PLACES), anything)
@settings(max_examples=400)
@pytest.mark.slow
def test_a_bent_report_is_refused_or_shown(place: Place, value: Any) -> None:
    try:
        report = Report.from_json(json.dumps(bent(BROKEN, place, value)))
    except InvalidReportError as error:
        assert str(error).startswith(
            ("The report is damaged: ", "This is no fxaudit report: ", "The report has schema")
        )
        return
    for form in TEXTS:
        assert render(report, form) is not None
    assert report.summary is not None


@given(st.sampled_from(PLACES))
@settings(max_examples=200)
@pytest.mark.slow
def test_a_part_that_is_missing_is_damage_or_not_needed(place: Place) -> None:
    made = copy.deepcopy(BROKEN)
    del at(made, place[:-1])[place[-1]]
    try:
        report = Report.from_json(json.dumps(made))
    except InvalidReportError:
        return
    for form in TEXTS:
        assert render(report, form) is not None


@pytest.mark.parametrize("command", ["render", "diff"])
def test_the_command_line_says_one_sentence_and_ends_with_2(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(BROKEN), encoding="utf-8")
    bad.write_text(json.dumps(bent(BROKEN, ("findings", 0, "fix"), 7)), encoding="utf-8")
    line = [command, str(bad)] if command == "render" else [command, str(good), str(bad)]
    assert cli.main(line) == 2
    told = capsys.readouterr().err
    assert "The report is damaged: findings[0].fix: expected a text, found a whole number." in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("parameters", 0, "numel"), -1, "parameters[0].numel: expected at least 0"),
        (("parameters", 0, "numel"), 10**400, "parameters[0].numel: the number is too large"),
        (("notes",), ["x" * (typed.MAX_CHARACTERS + 1)], "notes[0]: the text has more than 1,000,000 characters"),
        (("parameters", 0, "gradient", "state"), "big", "parameters[0].gradient.state: expected one of "),
        (("graph", "edges"), [[0, 10**6, "data", False]], "graph.edges[0]: there is no entry 1000000"),
        (("graph", "modules"), [["a", "A", 0, True]], "graph.modules[0]: its parent does not come before it"),
        (("graph", "autograd_nodes"), [["a"]], "graph.autograd_nodes[0]: expected 2 entries, found 1"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(place: Place, value: Any, said: str) -> None:
    made = bent(BROKEN, place, value)
    if place == ("graph", "modules"):  # nothing else shall refer to what is gone
        made["graph"]["nodes"], made["graph"]["edges"] = [], []
        made["graph"]["traced"], made["graph"]["autograd_roots"] = [], []
        made["graph"]["autograd_nodes"] = [[name, -1] for name, _ in made["graph"]["autograd_nodes"]]
    problem = typed.misfit(made)
    if place[-1] != "autograd_nodes":
        with pytest.raises(InvalidReportError):
            Report.from_json(json.dumps(made))
    assert problem.startswith(said)


def test_a_list_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "MAX_ENTRIES", 50)
    with pytest.raises(InvalidReportError, match=r"notes: the list has more than 50 entries"):
        Report.from_json(json.dumps(bent(BROKEN, ("notes",), ["x"] * 60)))


def test_a_text_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fxaudit.answer.document.MAX_TEXT", 100)
    with pytest.raises(InvalidReportError, match=r"^The report is too large: more than 100 characters\.$"):
        Report.from_json(json.dumps(BROKEN))


# -- what a text could do --------------------------------------------------------------------------------------------

EVIL = {
    "a tag": "<img src=x onerror=pwned()><script>pwned()</script>",
    "the end of a script": "</script></style></title><b>pwned",
    "an escape sequence": "\x1b[31mpwned\x1b]0;pwned\x07\x9b31m",
    "a turned text": "\u202epwned\u2066",
    "a command of a workflow": "x\n::error::pwned\r\n::set-output name=a::b%0A::error::pwned",
    "markdown": "`pwned` ](javascript:pwned()) ![x](http://evil) | a | b |\n# pwned\n```\n<details>",
    "dot": '"]; pwned [URL="javascript:pwned()"]; {<b>x</b>} \\N \\G',
    "xml": "]]><!-- &pwned; <?xml version='1.0'?>",
    "markup of rich": "[red]pwned[/] [link=http://evil]x[/link]",
    "nothing that can be encoded": "\ud800pwned\x00\u2028",
}


def strings(document: Any) -> list[Place]:
    """Where the document has a text that is no word of the schema: any of them may be somebody else's."""
    found = []
    for place in places(document):
        value = at(document, place)
        if isinstance(value, str) and place[0] not in ("tool", "schema_version"):
            try:
                Report.from_json(json.dumps(bent(document, place, "\x1b<x>")))
            except InvalidReportError:
                continue
            found.append(place)
    return found


@functools.cache
def fields() -> tuple[Place, ...]:
    """All of them; one by one is tried whether the report is taken, so that it is not asked before a test runs."""
    return tuple(strings(BROKEN))


def full_of(evil: str) -> Report:
    """A report in which every text is evil, each in another way, so that names stay apart."""
    made = copy.deepcopy(BROKEN)
    for number, place in enumerate(fields()):
        at(made, place[:-1])[place[-1]] = f"{evil}{number}"
    return Report.from_json(json.dumps(made))


def test_the_fields_that_are_tried_are_many() -> None:
    assert len(fields()) > 80


@pytest.mark.parametrize("what", EVIL)
@pytest.mark.parametrize("form", ["terminal", "brief", "markdown", "github"])
def test_no_field_sends_anything_to_a_terminal(what: str, form: str) -> None:
    text = render(full_of(EVIL[what]), form)
    assert isinstance(text, str)
    assert [c for c in text if not c.isprintable() and c != "\n"] == []


@pytest.mark.parametrize("what", EVIL)
def test_no_field_starts_a_command_of_a_workflow(what: str) -> None:
    text = str(render(full_of(EVIL[what]), "github"))
    plain = str(render(Report.from_json(json.dumps(BROKEN)), "github"))
    assert len(text.splitlines()) <= len(plain.splitlines()) + 2
    assert all(re.match(r"::(error|warning|notice)[ :]", line) for line in text.splitlines() if line.startswith("::"))
    assert "set-output" not in {line.lstrip(":").partition(" ")[0] for line in text.splitlines()}


@pytest.mark.parametrize("what", EVIL)
@pytest.mark.parametrize("form", ["junit", "svg"])
def test_no_field_breaks_out_of_xml(what: str, form: str) -> None:
    text = str(render(full_of(EVIL[what]), form))
    root = ElementTree.fromstring(text.encode("utf-8", "backslashreplace"))
    names = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not names & {"img", "script", "b", "foreignObject", "iframe"}
    for element in root.iter():
        assert not any(str(value).strip().lower().startswith("javascript:") for value in element.attrib.values())


class Tags(HTMLParser):
    """The tags of a page, and what in them could run."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.running: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.running += [
            f"{name}={value}"
            for name, value in attrs
            if name.startswith("on") or (value or "").strip().lower().startswith("javascript:")
        ]


@pytest.mark.parametrize("what", EVIL)
def test_no_field_runs_in_a_page(what: str) -> None:
    tags = Tags()
    tags.feed(str(render(full_of(EVIL[what]), "html")))
    assert tags.running == []
    assert "img" not in tags.names and "iframe" not in tags.names
    assert tags.names.count("script") == 2


@pytest.mark.parametrize("what", EVIL)
def test_no_field_breaks_the_data_of_other_tools(what: str) -> None:
    report = full_of(EVIL[what])
    assert json.loads(str(render(report, "sarif")))["version"] == "2.1.0"
    again = Report.from_json(str(render(report, "json")))
    assert again == report


def test_every_form_is_made_or_refused_in_a_sentence() -> None:
    for evil in EVIL.values():
        report = full_of(evil)
        for form in ("dot", "patch"):
            try:
                render(report, form)
            except FxauditError:
                continue


@pytest.mark.parametrize("what", EVIL)
def test_no_field_makes_anything_of_markdown_but_text(what: str) -> None:
    def made(report: Report) -> tuple[int, int, Tags, list[str]]:
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(str(render(report, "markdown")))
        inline = [child for token in tokens for child in token.children or ()]
        tags = Tags()
        tags.feed("".join(token.content for token in (*tokens, *inline) if token.type in ("html_block", "html_inline")))
        links = [str(token.attrs.get("href", token.attrs.get("src"))) for token in inline if token.attrs]
        return sum(t.type == "heading_open" for t in tokens), sum(t.type == "tr_open" for t in tokens), tags, links

    headings, rows, plain, _ = made(Report.from_json(json.dumps(BROKEN)))
    found_headings, found_rows, tags, links = made(full_of(EVIL[what]))
    assert found_headings <= headings and found_rows <= rows + 2
    assert tags.running == []
    assert set(tags.names) <= {*plain.names, "code"}
    assert not [link for link in links if "evil" in link or "javascript" in link]


NAMES = [
    "a<b>",
    'a"];pwned[URL="x"];',
    "a`|b",
    "a\x1b[31m",
    "a\n::error::pwned",
    "../../etc",
    "[red]",
    "{x}",
    "%0A",
    "é‮",
]


def test_evil_names_of_modules_and_parameters_are_only_names() -> None:
    model = torch.nn.Module()
    for name in NAMES:
        inner = torch.nn.Module()
        inner._parameters[name] = torch.nn.Parameter(torch.ones(2))
        model._modules[name] = inner
    used = model._modules[NAMES[0]]
    assert used is not None
    report = fxaudit.audit(model, lambda: used._parameters[NAMES[0]].sum(), torch.optim.SGD(model.parameters(), 0.1))
    assert {f"{name}.{name}": "unreachable" for name in NAMES[1:]}.items() <= {
        p.name: str(p.verdict) for p in report
    }.items()
    assert Report.from_json(report.to_json()) == report
    for form in ("terminal", "brief", "markdown", "github"):
        assert [c for c in str(render(report, form)) if not c.isprintable() and c != "\n"] == []
    ElementTree.fromstring(str(render(report, "junit")).encode("utf-8", "backslashreplace"))
    drawn = ElementTree.fromstring(str(render(report, "svg")).encode("utf-8", "backslashreplace"))
    assert not [element for element in drawn.iter() if element.get("{http://www.w3.org/1999/xlink}href") == "x"]
    tags = Tags()
    tags.feed(str(render(report, "html")))
    assert tags.running == [] and "b>" not in tags.names
