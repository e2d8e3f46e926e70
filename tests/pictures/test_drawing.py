"""From DOT to files: engines, escaping, dark mode."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from fxaudit.errors import PictureError, UnknownFormatError
from fxaudit.renderers.picture import engine
from fxaudit.renderers.picture.canvas import Canvas
from fxaudit.renderers.picture.draw import VIEWS, dot, draw, pdf, png, svg
from fxaudit.renderers.picture.labels import Line
from fxaudit.report import Report
from tests import sample_reports

SVG = "{http://www.w3.org/2000/svg}"


def texts(document: str) -> list[str]:
    return [element.text or "" for element in ElementTree.fromstring(document).iter(f"{SVG}text")]


@pytest.mark.usefixtures("no_dot")
def test_without_a_dot_binary_svg_and_png_are_drawn_by_the_embedded_graphviz(tmp_path: Path) -> None:
    report = sample_reports.broken()
    assert any("decoder" in text for text in texts(svg(report)))
    assert png(report).startswith(b"\x89PNG")
    picture = draw(report)
    written = picture.render(filename="model.gv", directory=tmp_path, format="svg")
    assert Path(written).read_bytes().count(b"<svg") == 1
    assert picture.render(outfile=tmp_path / "model.png", cleanup=True) == str(tmp_path / "model.png")
    assert (tmp_path / "model.png").read_bytes().startswith(b"\x89PNG")
    assert picture._repr_mimebundle_()["image/svg+xml"] == picture._repr_svg_() == picture.svg()


@pytest.mark.usefixtures("no_dot")
def test_without_a_dot_binary_pdf_says_what_is_missing() -> None:
    with pytest.raises(PictureError, match=r"cannot write pdf .*`dot` binary"):
        pdf(sample_reports.healthy())


with_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="there is no `dot` binary on PATH")


@with_dot
def test_with_a_dot_binary_bitmaps_and_pages_are_written(tmp_path: Path) -> None:
    report = sample_reports.broken()
    assert png(report).startswith(b"\x89PNG")
    assert pdf(report).startswith(b"%PDF")
    assert report.save(tmp_path / "model.pdf").read_bytes().startswith(b"%PDF")


@with_dot
@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("make", [sample_reports.broken, sample_reports.every_verdict, sample_reports.hostile])
def test_both_engines_draw_the_same_boxes_with_the_same_words(
    make: Callable[[], Report], view: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    report = make()
    parameter = next(iter(report.parameters)) if view == "why" else None
    by_dot = svg(report, view=view, parameter=parameter)
    monkeypatch.setenv("PATH", str(tmp_path))
    embedded = svg(report, view=view, parameter=parameter)
    assert sorted(texts(by_dot)) == sorted(texts(embedded))
    for pattern in (r'class="node k-[^"]*"', r'class="edge e-[^"]*"', r'href="#[^"]*"'):
        assert sorted(re.findall(pattern, by_dot)) == sorted(re.findall(pattern, embedded))


@pytest.mark.usefixtures("no_dot")
def test_without_any_graphviz_svg_still_explains_itself_and_png_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine._embedded, "__defaults__", (lambda: None,))
    document = svg(sample_reports.healthy())
    assert "pip install graphviz-pure" in " ".join(texts(document))
    with pytest.raises(PictureError, match="needs Graphviz"):
        png(sample_reports.healthy())


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_names_stay_text_in_every_view(view: str) -> None:
    report = sample_reports.hostile()
    document = svg(report, view=view)
    root = ElementTree.fromstring(document)
    known = {"svg", "g", "title", "style", "text", "path", "polygon", "polyline", "ellipse", "a"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= known
    assert not [name for element in root.iter() for name in element.attrib if name.startswith("on") or name == "style"]
    assert all(re.fullmatch(r"#[\w-]+", a.attrib["href"]) for a in root.iter(f"{SVG}a"))
    assert "</script><img" in " ".join(texts(document))


def test_labels_are_shown_to_the_letter() -> None:
    awkward = ["a\\N", "\\G", "&lt;", "<b>", '"', "{x|y}", "a\\", "\\\\", "%1", "\u202egnp", "é漢", "]]>", "<!--"]
    canvas = Canvas("t", "", "")
    for number, text in enumerate(awkward):
        canvas.box(f"n{number}", [Line(text)], tip=text)
    shown = texts(canvas.picture.svg())
    for text in awkward:
        assert text.replace("\u202e", "\\u202e") in shown


def test_svg_tooltips_are_titles_with_the_full_name() -> None:
    name = "module." * 30 + "weight"
    sketch = sample_reports.Sketch()
    sketch.parameter(name, (2,), "unreachable")
    document = svg(sketch.report(), parameter=name)
    assert not [text for text in texts(document) if name in text]
    assert name in [title.text for title in ElementTree.fromstring(document).iter(f"{SVG}title")]


def test_svg_follows_the_readers_preference_for_dark() -> None:
    document = svg(sample_reports.broken())
    assert "prefers-color-scheme:dark" in document
    used = set(re.findall(r'class="[^"]*\b([fs]x[0-9a-f]{6})', document))
    styled = set(re.findall(r"svg \.([fs]x[0-9a-f]{6})\{", document))
    assert used and used <= styled
    plain = re.findall(r'(?:fill|stroke)="(black|white)"', document)
    assert not plain


def test_boxes_link_to_parameters_and_carry_their_verdict() -> None:
    report = sample_reports.broken()
    document = svg(report, parameter="encoder.0.weight")
    root = ElementTree.fromstring(document)
    index = list(report.parameters).index("encoder.0.weight")
    (group,) = [g for g in root.iter(f"{SVG}g") if "v-unreachable" in g.get("class", "")]
    assert [a.attrib["href"] for a in group.iter(f"{SVG}a")] == [f"#p-{index}"]


def test_an_unknown_view_and_a_negative_depth_are_errors() -> None:
    with pytest.raises(UnknownFormatError, match=r"no view 'layers'; the views are 'modules', 'why'"):
        draw(sample_reports.healthy(), view="layers")
    with pytest.raises(PictureError, match="-1 is negative"):
        draw(sample_reports.healthy(), depth=-1)
    with pytest.raises(PictureError, match="needs parameter="):
        draw(sample_reports.healthy(), view="why")


def test_an_empty_report_can_be_drawn() -> None:
    assert "no parameters" in " ".join(texts(svg(Report(title="nothing"))))


def test_report_draw_and_save_use_these_pictures(tmp_path: Path) -> None:
    report = sample_reports.broken()
    assert report.draw("encoder.0.weight").source == dot(report, parameter="encoder.0.weight")
    assert report.save(tmp_path / "model.dot").read_text(encoding="utf-8") == dot(report)


def test_the_words_at_arrows_are_drawn_over_all_arrows() -> None:
    parts = list(ElementTree.fromstring(svg(sample_reports.broken(), view="modules")).iter())
    arrows = [n for n, part in enumerate(parts) if part.tag == f"{SVG}path" and part.get("stroke-dasharray") != "none"]
    words = [n for n, part in enumerate(parts) if part.tag == f"{SVG}text" and "✂" in (part.text or "")]
    edges = {id(text) for group in parts if "edge" in (group.get("class") or "") for text in group.iter(f"{SVG}text")}
    cuts = [n for n in words if id(parts[n]) in edges]
    assert cuts and min(cuts) > max(arrows)
    assert all(parts[n].get("paint-order") == "stroke" for n in cuts)
