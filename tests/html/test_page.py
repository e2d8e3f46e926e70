"""The HTML page and the notebook fragment, read without a browser."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fxaudit.answer.answer import OptimizerReport
from fxaudit.answer.finding import Finding, Level, Related
from fxaudit.program.source import SourceLine
from fxaudit.renderers.html.health import update_ratio
from fxaudit.renderers.html.markup import SCRIPTS, fragment, render
from fxaudit.renderers.picture.palette import GROUPS
from fxaudit.report import Report
from tests import sample_reports
from tests.html.conftest import Parsed

Parse = Callable[[str], Parsed]

REPORTS: dict[str, Callable[[], Report]] = {
    "broken": sample_reports.broken,
    "healthy": sample_reports.healthy,
    "gpt": lambda: sample_reports.transformer(odd=5),
    "mixture": sample_reports.mixture,
    "no graph": sample_reports.without_graph,
    "every verdict": sample_reports.every_verdict,
    "hostile": sample_reports.hostile,
    "nothing": lambda: Report(title="nothing", audited=False),
}


@pytest.fixture(params=list(REPORTS), scope="module")
def report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]()


def test_the_page_says_the_verdict_first_and_lists_every_cause(report: Report, parse: Parse) -> None:
    page = parse(render(report))
    assert report.summary in page.all("h1")[0].text
    assert len(page.all("article", "cause")) == len(report.findings)


def test_the_policy_allows_only_the_pages_own_script_and_style(report: Report, parse: Parse) -> None:
    page = parse(render(report))
    (policy,) = [e.attributes["content"] for e in page.all("meta") if "http-equiv" in e.attributes]
    script = next(e for e in page.all("script") if "type" not in e.attributes)
    (style,) = page.all("style")
    for element, directive in ((script, "script-src"), (style, "style-src")):
        digest = base64.b64encode(hashlib.sha256(element.text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy


def test_nothing_is_loaded_from_anywhere_and_nothing_needs_an_exception_to_the_policy(
    report: Report, parse: Parse
) -> None:
    page = parse(render(report))
    for element in page.elements:
        assert element.tag not in ("img", "iframe", "object", "embed", "link", "base", "form") or (
            element.tag == "form" and "action" not in element.attributes
        )
        assert not [name for name in element.attributes if name.startswith("on") or name in ("style", "src")]
        assert element.attributes.get("href", "#").startswith("#")


def test_the_data_decodes_to_the_reports_parameters(report: Report, parse: Parse) -> None:
    data = parse(render(report)).data
    strings, verdicts = data["strings"], [verdict[0] for verdict in data["verdicts"]]
    read = [
        (row[0], verdicts[row[1]], row[3], strings[row[8]], [report.findings[number] for number in row[11]])
        for row in data["rows"]
    ]
    assert read == [(p.name, p.verdict, p.numel, p.reason, list(p.findings)) for p in report]
    assert [bool(strings[row[12]]) for row in data["rows"]] == [p.frozen_at is not None for p in report]
    norms = [(p.gradient.norm, p.change.norm, update_ratio(p)) for p in report]
    assert [tuple(row[14:]) for row in data["rows"]] == [tuple(map(three_digits, of)) for of in norms]


def three_digits(size: float | None) -> float | None:
    return None if size is None else float(f"{size:.2e}")


def test_boxes_in_the_data_are_elements_of_the_page_and_hold_every_parameter(report: Report, parse: Parse) -> None:
    page = parse(render(report))
    identities = {e.attributes["id"] for e in page.elements if "id" in e.attributes}
    boxes = page.data["boxes"]
    assert set(boxes) <= identities
    held = {n for box, spans in boxes.items() if "modules" in box for a, b in spans for n in range(a, b)}
    assert held == set(range(len(report)))


def test_ids_are_unique(report: Report, parse: Parse) -> None:
    found = [e.attributes["id"] for e in parse(render(report)).elements if "id" in e.attributes]
    assert len(found) == len(set(found))


@pytest.mark.slow
def test_the_page_is_the_same_for_a_report_that_was_saved_and_loaded(report: Report) -> None:
    assert render(Report.from_json(report.to_json())) == render(report)


def test_hostile_text_is_only_ever_text(parse: Parse) -> None:
    html = render(sample_reports.hostile())
    page = parse(html)
    assert "window.pwned=1" in page.all("title")[0].text
    assert not page.all("img") and not page.all("b")
    assert len(page.all("script")) == 2
    assert "{{7*7}}" in html and "\u2028" not in page.all("script")[0].text
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert not set(data) & set("<>&\u2028\u2029")


def test_what_html_cannot_hold_is_replaced() -> None:
    report = replace(sample_reports.healthy(), title="a\x00b\ud800c\u202ed")
    html = render(report)
    html.encode("utf-8")
    assert "a\ufffdb\ufffdc\ufffdd" in html


def test_the_code_frame_lights_the_culprits_line_and_shows_the_frames_above(parse: Parse) -> None:
    page = parse(render(sample_reports.broken()))
    lit = page.all("span", "lit")
    assert lit[0].text.strip() == "14h = self.encoder(x).detach()"
    assert page.all("mark")[0].text == "h = self.encoder(x).detach()"
    assert "train.py:31 in main" in page.all("p", "above")[0].text


def test_a_cause_shows_its_picture_proof_fix_and_folded_parameters(parse: Parse) -> None:
    page = parse(render(sample_reports.broken()))
    first, second = page.all("article", "cause")
    assert "gradient ends here" in first.text and "proved: removing this line restores gradient" in first.text
    assert "encoder.*" in first.text and "encoder.2.bias" in first.text
    assert [e.text.strip()[0] for e in page.all("span", "row") if e.attributes["class"] in ("row del", "row add")] == [
        "-",
        "+",
    ]
    assert "No optimizer holds head.*" in second.text
    films = page.all("svg", "film")
    # The optimizer forgot something: a film, as of the loop; else ways to the loss, the map, and it without cause 1.
    # Each film is there twice, from left to right and upright.
    assert (len(page.all("svg", "picture")) - len(films), len(films)) == (3, 4)
    assert [len(page.all("div", kind)) for kind in ("across", "upright")] == [2, 2]
    assert "no step changes it" in films[0].text and "gradient ends here" not in second.text


def test_optimizers_the_loop_and_what_was_not_seen_are_told(parse: Parse) -> None:
    page = parse(render(sample_reports.broken()))
    assert "lr 0.001" in page.all("ul", "groups")[0].text
    assert "steps 1 to 3" in page.all("details", "step")[0].text and "steps 1 to 3" in page.all("svg", "film")[-1].text
    assert len(page.all("li", "ev-step")) == 1
    text = page.all("main")[0].text
    assert "worker processes were not watched" in text and "2.13.0" in text


def test_param_groups_have_the_colours_of_the_pictures(parse: Parse) -> None:
    optimizer = OptimizerReport("opt", "SGD", None, ((0.1, ("layer0.weight",)), (0.2, ("layer0.bias",))), 0)
    page = parse(render(replace(sample_reports.healthy(), optimizers=(optimizer,))))
    bands = page.all("span", "band")[1:]
    assert [(e.text, e.attributes["class"]) for e in bands] == [("A", "band g0"), ("B", "band g1")]
    (style,) = page.all("style")
    assert all(f".band.g{number}{{background:{color}}}" in style.text for number, color in enumerate(GROUPS))
    assert "never stepped" in page.all("article")[-1].text


def test_a_related_line_is_shown_with_its_next_neighbours_only(parse: Parse) -> None:
    report = sample_reports.broken()
    around = tuple((n, f"line {n}") for n in range(40, 51))
    related = Related(SourceLine("a.py", 45, "f", "line 45", context=around), "made here")
    finding = replace(report.findings[0], related=(related,))
    page = parse(render(replace(report, findings=(finding,))))
    assert "44line 44\n45line 45\n46line 46\n" in page.all("figure", "code")[1].text.replace(" ", "").replace(
        "line", "line "
    )
    assert "line 43" not in page.all("main")[0].text


def test_a_gpt2_sized_page_is_smaller_than_a_megabyte() -> None:
    assert len(render(sample_reports.transformer(odd=5)).encode()) < 1_000_000


def test_the_fragment_needs_no_script_and_says_the_same(report: Report, parse: Parse) -> None:
    piece = parse(fragment(report))
    assert not piece.all("script") and not piece.all("html") and not piece.all("a")
    assert report.summary in piece.all("p", "headline")[0].text
    shown = [e for e in piece.elements if "id" in e.attributes]
    assert all(e.attributes["id"].startswith("fxa") for e in shown)


def test_fragments_of_two_reports_share_no_ids(parse: Parse) -> None:
    pieces = [parse(fragment(report)) for report in (sample_reports.broken(), sample_reports.healthy())]
    first, second = ({e.attributes["id"] for e in piece.elements if "id" in e.attributes} for piece in pieces)
    assert first and second and not first & second


def test_every_style_of_the_fragment_is_confined_to_it(parse: Parse) -> None:
    (style,) = parse(fragment(sample_reports.broken())).all("style")
    rules = re.sub(r"@(?:media|container)[^{]*\{|:is\([^)]*\)", "", style.text)
    selectors = [s.strip() for group in re.findall(r"([^{}]+)\{", rules) for s in group.split(",")]
    assert len(selectors) > 50
    assert [s for s in selectors if ".fxa" not in s] == []


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_parses_and_can_be_read_at_one_sitting(name: str) -> None:
    script = Path(__file__).parents[2] / "fxaudit" / "renderers" / "html" / "templates" / name
    done = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(script.read_text(encoding="utf-8").splitlines()) < 500


def test_an_exit_status_is_told_as_one() -> None:
    assert "The script ended with exit status 7." in render(Report(script_exit="7"))


def test_the_bar_counts_elements_as_the_headline_does(parse: Parse) -> None:
    report = sample_reports.broken()
    page = parse(render(report))
    widths = {
        e.attributes["class"]: float(e.attributes["width"]) for e in page.all("rect") if e.attributes["height"] == "14"
    }
    elements = {f"v-{v}": sum(p.numel for p in report if p.verdict == v) for v in report.verdicts()}
    total = sum(elements.values())
    assert sorted(widths, key=lambda v: widths[v]) == sorted(elements, key=lambda v: elements[v])
    largest = max(elements, key=lambda v: elements[v])
    assert widths[largest] == pytest.approx(1000 * elements[largest] / total, rel=0.05)
    assert f"({round(100 * elements[largest] / total)} %)" in page.all("ul", "counts")[0].text


def test_a_script_that_did_not_finish_has_no_tick(parse: Parse) -> None:
    for ended in ("RuntimeError: out of memory", "7"):
        page = parse(render(replace(sample_reports.healthy(), script_exit=ended)))
        assert "✓" not in page.all("h1")[0].text
    assert "✓" in parse(render(sample_reports.healthy())).all("h1")[0].text


@pytest.mark.parametrize(("level", "sign"), [("note", "✓"), ("warning", "!"), ("error", "✗")])
def test_only_what_has_no_warning_has_a_tick(parse: Parse, level: Level, sign: str) -> None:
    finding = replace(sample_reports.broken().findings[0], level=level)
    report = replace(sample_reports.healthy(), findings=(finding,))
    assert parse(render(report)).all("h1")[0].text.strip().startswith(sign)
    assert f">{sign}</span> <strong>" in fragment(report)


def test_the_legend_explains_all_verdicts_arrows_and_boxes_of_all_pictures(parse: Parse) -> None:
    html = render(sample_reports.vanishing())
    (legend,) = parse(html).all("ul", "legend")
    for told in ("yet not changed", "exactly 0", "can come back", "double frame: a loss", "red frame"):
        assert told in legend.text
    assert "nothing leads" not in legend.text and "dashed frame" not in legend.text


def test_the_causes_are_listed_first_with_line_loss_and_proof(parse: Parse) -> None:
    page = parse(render(sample_reports.broken()))
    first, second = [e for e in page.all("li") if e.attributes.get("class", "").startswith("l-")]
    assert " ".join(first.text.split()) == (
        "1 error encoder.* receives no gradient: the only path to the loss is detached FXA104 model.py:14 "
        "8,320 elements ✓ proved"
    )
    assert "2 error No optimizer holds head.*" in " ".join(second.text.split()) and "train.py:40" in second.text
    tags = [e.attributes.get("class", e.tag) for e in page.elements]
    assert tags.index("brief") < tags.index("canvas") < tags.index("cause l-error")


def test_causes_parameters_and_the_map_name_and_link_each_other(parse: Parse) -> None:
    report = sample_reports.broken()
    page = parse(render(report))
    links = {e.attributes["href"] for e in page.all("a") if "href" in e.attributes}
    identities = {e.attributes["id"] for e in page.elements if "id" in e.attributes}
    assert {"#fxa-cause-0", "#fxa-cause-1", "#only-0", "#only-1", "#causes"} <= links
    names = list(report.parameters)
    assert {f"#p-{names.index(name)}" for name in report.findings[0].parameters} <= links
    assert {f"fxa-cause-{number}" for number in range(2)} <= identities
    map_ = next(e for e in page.all("div", "canvas") if e.attributes["id"] == "modules-canvas")
    assert "cause 1" in map_.text and "cause 2" in map_.text


def test_lines_carry_file_and_number_for_an_editor_and_no_path_of_this_machine(parse: Parse) -> None:
    html = render(sample_reports.broken())
    places = [e for e in parse(html).all("span", "place") if "data-file" in e.attributes]
    assert ("model.py", "14") in {(e.attributes["data-file"], e.attributes["data-line"]) for e in places}
    assert str(Path.cwd()) not in html


def test_the_lines_to_add_can_be_copied(parse: Parse) -> None:
    (button,) = parse(render(sample_reports.broken())).all("button", "copy")
    assert button.attributes["data-copy"] == "opt = AdamW(net.parameters())"


def test_a_related_line_around_the_culprit_is_told_there(parse: Parse) -> None:
    report = sample_reports.broken()
    beside = Related(SourceLine("model.py", 15, "f", "# line 15"), "what comes `next`")
    page = parse(render(replace(report, findings=(replace(report.findings[0], related=(beside,)),))))
    (row,) = page.all("span", "beside")
    assert row.text.strip().endswith("← what comes next") and row.text.startswith("15")
    assert len(page.all("figure", "code")) == 1


def test_a_note_is_not_counted_as_a_cause_and_not_drawn_as_one(parse: Parse) -> None:
    report = sample_reports.broken()
    name = "decoder.bias"
    note = Finding("FXA505", "rounding-noise", "note", f"the gradient of `{name}` is rounding noise", "", (name,))
    noted = replace(report[name], findings=(note,))
    page = parse(
        render(replace(report, findings=(*report.findings, note), parameters={**report.parameters, name: noted}))
    )
    (heading,) = [e.text for e in page.all("h2") if e.attributes.get("id") == "causes-h"]
    assert heading == "2 causes and 1 note"
    drawn = [e.text for e in page.all("text")]
    assert "note 3" in drawn and "cause 1" in drawn and "cause 3" not in drawn
