from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from fxaudit.answer.answer import ParameterReport, SymbolicReport
from fxaudit.answer.finding import Finding, PathStep, Related
from fxaudit.program.source import SourceLine
from fxaudit.renderers.text.markdown import render
from fxaudit.report import Report

OURS = re.compile(r"</?(details|summary|code|sub)>|<!-- -->")
risky = st.text(st.sampled_from("`*_[]()<>#!|~$\\&;@:/w.-+=1a \n\t\x1b\u202e"), max_size=30)


def tokens(markdown: str) -> list[Token]:
    top = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
    return [token for block in top for token in (block, *(block.children or ()))]


def markup(markdown: str) -> str:
    """What is left of the HTML when our own tags are taken out: only the summaries' escaped text."""
    raw = [token.content for token in tokens(markdown) if token.type in ("html_block", "html_inline")]
    return OURS.sub("", "".join(raw))


def shape(markdown: str) -> list[str]:
    inline = ("text", "code_inline", "html_inline", "text_special")
    return [token.type for token in tokens(markdown) if token.type not in inline]


def test_hostile_names_open_no_tag_and_no_link(reports: dict[str, Report]) -> None:
    text = render(reports["hostile"])
    assert "<" not in markup(text)
    assert not {"link_open", "image", "em_open", "s_open"} & set(shape(text))


def report_about(name: str, *, fix: str | None = None) -> Report:
    """A report that has `name` for every text; the sentence of a fix is one line, as an edit follows on the next."""
    source = SourceLine(name, 3, name, name, (), None, ((2, name), (3, name)))
    fix = name.replace("\n", " ") if fix is None else fix
    finding = Finding(name, name, "error", name, fix, (name,), source, (Related(source, name),), also=(name,))
    parameter = ParameterReport(name, "unreachable", name)
    bare = ParameterReport(f"other.{name}", "unknown", name)
    return Report(
        {name: parameter, bare.name: bare},
        (finding,),
        symbolic=SymbolicReport("stopped", name, source),
        notes=(name,),
        title=name,
        environment={name: name},
        traceback=name,
        script_exit=name,
    )


@pytest.mark.slow
@given(risky.filter(str.strip))
@example("11.")
@example("\n- ")
def test_no_text_changes_the_structure_of_the_page(name: str) -> None:
    assert "<" not in markup(render(report_about(name)))
    assert shape(render(report_about(name))) == shape(render(report_about("name")))


@given(st.lists(risky.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=3), st.sampled_from("+- "))
def test_an_edit_is_one_block_whatever_its_lines_hold(lines: list[str], sign: str) -> None:
    edited = report_about("name", fix="\n".join(["Do it.", *(f"{sign} {line}" for line in lines)]))
    benign = report_about("name", fix="Do it.\n+ x = y")
    assert "<" not in markup(render(edited))
    assert shape(render(edited)) == shape(render(benign))


@given(risky)
def test_no_text_breaks_the_table_of_parameters(name: str) -> None:
    cells = [kind for kind in shape(render(report_about(name))) if kind == "td_open"]
    assert len(cells) == 2 * 6


def test_a_mention_or_reference_is_taken_apart() -> None:
    text = render(Report(notes=("ask @you about #12, www.example.org or http://example.org",)))
    for reference in ("@you", "#12", "www.", "http://"):
        assert reference not in text


def test_only_causes_are_in_sight_and_notes_are_folded(reports: dict[str, Report]) -> None:
    text = render(reports["many"])
    assert text.count("#### ") == 4
    assert "<summary>1 more</summary>\n\n- FXA505" in text


def test_an_edit_is_a_block_of_diff_behind_the_sentence() -> None:
    edited = replace(report_about("name").findings[0], fix="Delete it.\n- x = y.detach()\n+ x = y")
    text = render(Report(findings=(edited,))).replace("\\", "")
    assert "**Fix:** Delete it.\n\n```diff\n- x = y.detach()\n+ x = y\n```" in text


def test_an_exception_of_several_lines_is_one_sentence_without_escapes() -> None:
    assert "💥 The script did not finish: E: a b\n" in render(Report(script_exit="E: a\n  b"))


def flowchart(text: str) -> list[str]:
    found = re.search(r"^```mermaid\n(.*?)\n```$", text, re.M | re.S)
    return found[1].split("\n") if found else []


def test_the_way_to_the_loss_is_a_flowchart_that_github_draws(reports: dict[str, Report]) -> None:
    lines = flowchart(render(reports["detached"]))
    assert lines[0] == "flowchart TD" and '    p["encoder.#42;, norm.#42;"]' in lines
    assert '    n1 ==>|"#9986; gradient ends, train.py:31"| n2' in lines and "    n2 -.-> n3" in lines
    assert "    linkStyle 2 stroke:#cf222e,stroke-width:3px" in lines


def test_where_gradient_ends_nowhere_on_the_way_there_is_no_flowchart(reports: dict[str, Report]) -> None:
    finding = reports["detached"].findings[0]
    whole = tuple(step for step in finding.path if step.kind != "cut")
    assert not flowchart(render(replace(reports["detached"], findings=(replace(finding, path=whole),))))


@given(risky)
@example('"] click n0 href "javascript:0" %%{init: {}}%% end')
def test_no_name_leaves_its_label_in_the_flowchart(name: str) -> None:
    path = (PathStep("parameter", name), PathStep("cut", name, name), PathStep("loss", name))
    finding = Finding("FXA104", "x", "error", "m", "", (name,), path=path)
    lines = flowchart(render(Report({name: ParameterReport(name, "unreachable", "")}, (finding,))))
    assert len(lines) == 8
    for line in lines[1:4]:
        assert re.fullmatch(r'    \w+\(?\["[\w .,:/#;]*"\]\)?|    \w+\(\["[\w .,:/#;]*"\]\)', line), line
