"""The page in a real Chromium: what a reader does with it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fxaudit.answer.answer import (
    Answer,
    Change,
    Event,
    Gradient,
    Holder,
    LifeEvent,
    Movement,
    OptimizerReport,
    ParameterReport,
    StepReport,
)
from fxaudit.program.source import SourceLine
from fxaudit.renderers.html.markup import fragment, render
from fxaudit.report import Report
from tests import sample_reports
from tests.html.test_before_and_after import PROVED, net
from tests.html.test_ribbon import cut_net
from tests.pictures.test_film import report as in_the_loop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ROOT = Path(__file__).parents[2]
AXE = next(
    (
        path
        for folder in (
            os.environ.get("FXAUDIT_NODE_MODULES", ""),
            ROOT / "node_modules",
            ROOT / "build" / "node_modules",
        )
        if folder and (path := Path(folder) / "axe-core" / "axe.min.js").is_file()
    ),
    None,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="playwright is not installed"),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on PATH"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield started
        started.close()


@dataclass
class Opened:
    """A page, and what it complained about or asked the network for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def rows(self) -> list[str]:
        """The names in the table, as far as they are drawn."""
        found: list[str] = self.page.locator("#table tbody th").all_inner_texts()
        return found

    def count(self) -> str:
        """How many parameters the table says it shows."""
        return self.page.locator("#shown").inner_text()


Open = Callable[..., Opened]


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report's page from disk; at the end it must not have complained or loaded anything."""
    opened: list[Opened] = []

    def opener(report: Report, *, text: str | None = None, **context: Any) -> Opened:
        path = tmp_path / f"report{len(opened)}.html"
        path.write_text(render(report) if text is None else text, encoding="utf-8")
        page = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **context}).new_page()
        result = Opened(page)
        page.on("console", lambda message: result.complaints.append(message.text))
        page.on("pageerror", lambda error: result.complaints.append(str(error)))
        page.on("request", lambda request: result.requests.append(request.url))
        page.goto(path.as_uri())
        opened.append(result)
        return result

    yield opener
    for result in opened:
        assert result.complaints == []
        assert [url for url in result.requests if not url.startswith("file:")] == []
        result.page.context.close()


def test_it_opens_with_the_verdict_and_the_broken_parameters_first(open_page: Open) -> None:
    opened = open_page(sample_reports.broken())
    assert "6 of 9 parameters" in opened.page.locator("h1").inner_text()
    assert opened.count() == "9 of 9 parameters"
    assert opened.rows()[:4] == ["encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias"]


def test_searching_narrows_the_table(open_page: Open) -> None:
    opened = open_page(sample_reports.transformer(odd=5))
    opened.page.fill("#search", "H.3.ATTN")
    assert opened.count() == "4 of 147 parameters"
    assert set(opened.rows()) == {
        f"transformer.h.3.attn.{m}.{p}" for m in ("c_attn", "c_proj") for p in ("weight", "bias")
    }
    opened.page.fill("#search", "no such thing")
    assert opened.page.locator("#table tbody").inner_text() == "No parameter matches."


def test_filtering_by_verdict_shows_only_that_one(open_page: Open) -> None:
    opened = open_page(sample_reports.broken())
    opened.page.click("[data-verdict=excluded]")
    assert opened.rows() == ["head.weight", "head.bias"]
    assert opened.page.locator("[data-verdict=excluded]").get_attribute("aria-pressed") == "true"
    assert opened.page.locator("[data-verdict=trained]").get_attribute("aria-pressed") == "false"
    opened.page.click("[data-verdict=frozen]")
    assert opened.count() == "3 of 9 parameters"


def test_sorting_by_a_column_and_back(open_page: Open) -> None:
    opened = open_page(sample_reports.broken())
    opened.page.click("th:has-text('Elements') button")
    assert opened.rows()[0] == "head.bias"
    opened.page.click("th:has-text('Elements') button")
    assert opened.rows()[0] == "table.weight"
    assert opened.page.locator("th.c-numel").get_attribute("aria-sort") == "descending"


def test_clicking_a_module_shows_its_parameters_and_back_leads_to_its_box(open_page: Open) -> None:
    opened = open_page(sample_reports.broken())
    page = opened.page
    page.locator("#modules-canvas a:has-text('decoder')").first.click()
    assert opened.count() == "2 of 9 parameters" and set(opened.rows()) == {"decoder.weight", "decoder.bias"}
    assert "decoder" in page.locator("#clear").inner_text()
    page.locator("#table tbody button").first.click()
    assert "decoder.weight" in page.locator("#details").inner_text()
    page.click("#locate")
    assert "decoder" in str(page.locator(".picture .here").text_content())
    assert "decoder" in str(page.evaluate("document.activeElement.textContent"))
    page.click("#clear")
    assert opened.count() == "9 of 9 parameters"


def test_a_closed_module_of_the_map_opens_and_closes(open_page: Open) -> None:
    opened = open_page(sample_reports.transformer(odd=5))
    page = opened.page
    shown = page.locator("#modules-canvas .version:visible")
    box = shown.locator("a:has-text('6–11 ×6')").first
    assert "▸ 4 parts inside" in str(box.text_content())
    box.press("Enter")
    assert shown.count() == 1 and "Inside transformer.h.6–11 ×6" in str(
        shown.locator("svg").get_attribute("aria-label")
    )
    assert shown.locator(".node:has-text('c_attn')").count() == 1
    page.get_by_role("button", name="Its parameters in the table").click()
    assert opened.count() == "72 of 147 parameters"
    assert all(name.split(".")[2] in "6 7 8 9 10 11".split() for name in opened.rows())
    page.get_by_role("button", name="Whole map").click()
    assert shown.locator("a:has-text('6–11 ×6')").count() == 1 and not page.locator("#way").is_visible()
    assert "6–11 ×6" in str(page.evaluate("document.activeElement.textContent"))


def test_the_map_and_the_list_of_modules_lead_to_each_other(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fxaudit.renderers.html.page.AFFORDED", 0)
    page = open_page(sample_reports.transformer(odd=5)).page
    assert page.locator("[data-inside]").count() == 0
    page.locator("#modules-canvas a:has-text('6–11 ×6')").first.click()
    names = page.locator("#outline-tree summary > code")
    opened = page.locator("#outline-tree details[open] > summary > code")
    assert opened.all_inner_texts() == ["transformer", "h", "6 … 11"] and "attn" in names.all_inner_texts()
    assert "6 … 11" in str(page.evaluate("document.activeElement.textContent"))
    page.get_by_role("button", name="Show transformer.h.6.attn on the map").click()
    assert "6–11 ×6" in str(page.locator(".picture .here").text_content())


def test_from_a_parameter_to_its_box_inside_of_a_closed_module(open_page: Open) -> None:
    page = open_page(sample_reports.transformer(odd=5)).page
    page.fill("#search", "h.7.attn.c_attn.weight")
    page.locator("#table tbody button").first.click()
    page.click("#locate")
    assert "c_attn" in str(page.locator(".picture .here").text_content())
    assert page.locator(".picture .here").is_visible() and "6–11 ×6" in page.locator("#way").inner_text()


def test_a_frame_closes_and_opens_with_mouse_and_keyboard(open_page: Open) -> None:
    page = open_page(sample_reports.transformer(odd=5)).page
    shown = page.locator("#modules-canvas .version:visible")
    hidden = ".node.under, .cluster.under, .titles .under"
    box = shown.locator(".node:has-text('6–11 ×6')")
    handle = shown.get_by_role("button", name="Close h ModuleList")
    assert handle.get_attribute("aria-expanded") == "true"
    handle.click()
    lid = shown.get_by_role("button", name="Open h ModuleList")
    assert lid.count() == 1 and not box.is_visible() and shown.locator(hidden).count() > 3
    assert shown.locator(".node:has-text('ln_f')").is_visible()
    shown.get_by_role("button", name="Close transformer").press("Enter")
    assert not lid.is_visible()
    page.keyboard.press("Enter")
    assert lid.is_visible() and not box.is_visible(), "what was closed before stays closed"
    lid.press(" ")
    assert box.is_visible() and not shown.locator(".lid").count() and not shown.locator(hidden).count()
    assert "Close h" in str(page.evaluate("document.activeElement.getAttribute('aria-label')"))


_BOXES = """() => {
  const svg = document.querySelector('#modules-canvas .version:not([hidden]) > svg');
  const rect = (e) => {
    const r = e.getBoundingClientRect();
    return [r.left, r.top, r.right, r.bottom].map(Math.round);
  };
  const seen = [...svg.querySelectorAll('.node:not(.under) .outline, .lid .outline')];
  const own = svg.getBoundingClientRect();
  const within = ([l, t, r, b]) => l >= own.left - 1 && r <= own.right + 1 && t >= own.top - 1 && b <= own.bottom + 1;
  return {
    height: own.height,
    sizes: Object.fromEntries([...svg.querySelectorAll('.node:not(.under)')].map((node) => {
      const [l, t, r, b] = rect(node.querySelector('.outline'));
      return [node.id, [r - l, b - t]];
    })),
    apart: seen.map(rect).every(([l, t, r, b], n, all) =>
      all.slice(n + 1).every(([L, T, R, B]) => r <= L + 1 || R <= l + 1 || b <= T + 1 || B <= t + 1)),
    within: seen.map(rect).every(within),
    words: [...svg.querySelectorAll('.lid')].every((lid) => {
      const [l, t, r, b] = rect(lid.querySelector('.outline'));
      return [...lid.querySelectorAll('text')].map(rect).every(([L, T, R, B]) => L >= l && R <= r && T >= t && B <= b);
    }),
  };
}"""


def test_a_closed_frame_takes_only_the_room_that_its_words_need(open_page: Open) -> None:
    page = open_page(sample_reports.transformer(odd=5)).page
    shown = page.locator("#modules-canvas .version:visible")
    before = page.evaluate(_BOXES)
    heights = [before["height"]]
    for name in ("attn", "5", "h"):
        shown.get_by_role("button", name=f"Close {name} ").click()
        now = page.evaluate(_BOXES)
        heights.append(now["height"])
        assert now["apart"] and now["within"] and now["words"], name
        assert all(size == pytest.approx(before["sizes"][box], abs=1) for box, size in now["sizes"].items())
    assert heights == sorted(heights, reverse=True) and heights[-1] < 0.5 * heights[0]
    for name in ("h", "5", "attn"):
        shown.get_by_role("button", name=f"Open {name} ").click()
    assert page.evaluate(_BOXES) == before


def test_a_box_in_a_closed_frame_is_shown_when_it_is_asked_for(open_page: Open) -> None:
    page = open_page(sample_reports.broken()).page
    shown = page.locator("#modules-canvas .version:visible")
    shown.get_by_role("button", name=re.compile("^Close ")).first.click()
    assert shown.locator(".lid").count() == 1
    page.fill("#search", "encoder")
    page.locator("#table tbody button").first.click()
    page.click("#locate")
    assert page.locator(".picture .here").is_visible() and shown.locator(".lid").count() == 0


def test_clicking_a_single_parameter_selects_its_row(open_page: Open) -> None:
    opened = open_page(sample_reports.broken())
    opened.page.locator("#modules-canvas a:has-text('table')").first.click()
    assert opened.page.locator("tr.on").inner_text().startswith("table.weight")
    assert opened.page.url.endswith("#p-0")


def test_a_link_to_a_parameter_opens_at_it(open_page: Open) -> None:
    opened = open_page(sample_reports.transformer(odd=5))
    opened.page.evaluate("location.hash = '#p-146'")
    opened.page.wait_for_selector("tr.on")
    assert opened.page.locator("#details h3").inner_text() == "transformer.ln_f.weight"
    assert opened.page.locator("tr.on").is_visible()


def test_the_keyboard_is_enough(open_page: Open) -> None:
    opened = open_page(sample_reports.broken())
    page = opened.page
    page.focus("#modules-canvas a >> nth=1")
    page.keyboard.press("Enter")
    assert "of 9 parameters" in opened.count() and opened.count() != "9 of 9 parameters"
    page.keyboard.press("ArrowDown")
    assert page.locator("tr.on").count() == 1
    first = page.locator("#details h3").inner_text()
    page.keyboard.press("ArrowUp")
    assert page.locator("#details h3").inner_text() != first


def test_zooming_makes_the_picture_bigger_and_smaller(open_page: Open) -> None:
    page = open_page(sample_reports.broken()).page

    def width() -> float:
        return float(page.evaluate("document.querySelector('#modules-canvas svg').getBoundingClientRect().width"))

    before = width()
    page.click("[data-zoom=in]")
    assert width() > before
    page.click("[data-zoom=out]")
    page.click("[data-zoom=out]")
    assert width() < before


@pytest.mark.parametrize("width", [1280, 390])
def test_the_map_opens_at_what_is_unwell_in_letters_that_can_be_read(open_page: Open, width: int) -> None:
    sketch = sample_reports.Sketch()
    sketch.module("", "Net")
    lots = [sketch.parameter(f"m{n}.weight", (2,), "unreachable" if n == 5 else "trained") for n in range(10)]
    for n in range(10):
        sketch.module(f"m{n}", "Linear")
    sketch.loss("loss", *lots)
    page = open_page(sketch.report(), viewport={"width": width, "height": 800}).page
    box = page.locator("#modules-canvas .node.v-unreachable")
    (words, inside) = box.evaluate(
        """box => {
          const frame = document.getElementById("modules-canvas").getBoundingClientRect();
          const own = box.getBoundingClientRect();
          const heights = [...box.querySelectorAll("text")].map((text) => text.getBoundingClientRect().height);
          return [Math.min(...heights), own.left >= frame.left && own.right <= frame.right];
        }"""
    )
    assert words > 7 and inside
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_dragging_moves_the_picture_and_is_no_click(open_page: Open) -> None:
    opened = open_page(sample_reports.transformer(odd=5))
    page = opened.page
    canvas = page.locator("#modules-canvas")
    canvas.scroll_into_view_if_needed()
    before = page.evaluate("document.querySelector('#modules-canvas').scrollTop")
    box = canvas.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 120, steps=4)
    page.mouse.up()
    assert page.evaluate("document.querySelector('#modules-canvas').scrollTop") == before - 120
    assert opened.count() == "147 of 147 parameters"


@pytest.mark.slow
def test_a_hundred_thousand_parameters_are_drawn_a_screen_at_a_time(open_page: Open) -> None:
    few = sample_reports.healthy()
    model = replace(few["layer0.weight"], norm=3.0)
    many = {
        f"blocks.{n // 4}.p{n % 4}": replace(
            model,
            name=f"blocks.{n // 4}.p{n % 4}",
            gradient=Gradient("finite", 1.01 ** -(n % 999)),
            change=Change("changed", n),
        )
        for n in range(100_000)
    }
    text = render(Report(parameters=many, title="large"))
    assert len(text) < 1_600_000
    opened = open_page(Report(), text=text)
    assert opened.count() == "100,000 of 100,000 parameters"
    assert opened.page.locator("#table tbody tr").count() < 100
    opened.page.evaluate("document.querySelector('#rows').scrollTop = 1500000")
    opened.page.wait_for_selector("#table >> text=blocks.12500.p0")
    opened.page.fill("#search", "blocks.24999.p3")
    assert opened.rows() == ["blocks.24999.p3"]


def test_norms_are_shown_with_the_digits_that_python_writes(open_page: Open) -> None:
    norms = [0.0, 1e-12, 1.5e-05, 0.0001234, 0.02, 0.449, 1.0, 12.34, 999.4, 999.6, 1234.0, 1e10, 2.5e123]
    parameters = {
        f"p{n:02}": ParameterReport(
            f"p{n:02}",
            "trained",
            "",
            (2,),
            2,
            gradient=Gradient("finite", norm),
            change=Change("changed", norm),
            norm=1.0,
        )
        for n, norm in enumerate(norms)
    }
    opened = open_page(Report(parameters=parameters))
    said = opened.page.locator("#table td.c-gradient").all_inner_texts()
    assert said == ["finite", *(f"finite, norm {norm:.3g}" for norm in norms[1:])]
    opened.page.get_by_role("button", name="p03").click()
    assert "changed by 0.000123" in opened.page.locator("#details").inner_text()


def test_names_of_any_letters_are_read_back_whole(open_page: Open) -> None:
    names = [
        "a\U0001f4a5x",
        "a\U0001f4a5y",
        "aé",
        "aé\U0001f4a5.0",
        "",
        "\u2028",
        "<b>&amp;",
        "constructor",
        "__proto__",
    ]
    opened = open_page(Report({name: ParameterReport(name, "trained", "", (2,), 2) for name in names}))
    assert opened.page.evaluate("fxaData().rows.map((row) => row[0])") == names


def test_hostile_names_do_not_run(open_page: Open) -> None:
    opened = open_page(sample_reports.hostile())
    page = opened.page
    page.locator("#table tbody button").first.click()
    page.locator("article .picture a").first.click()
    page.fill("#search", "<img")
    assert page.evaluate("window.pwned") is None
    assert page.locator("img").count() == 0
    assert sample_reports.HOSTILE[:30] in page.locator("#details h3").inner_text()


def test_a_script_that_got_into_the_page_would_not_run_either(open_page: Open) -> None:
    text = render(sample_reports.healthy()).replace("<main>", "<main><script>window.pwned = 1</script>", 1)
    opened = open_page(sample_reports.healthy(), text=text)
    assert opened.page.evaluate("window.pwned") is None
    assert any("Content Security Policy" in complaint for complaint in opened.complaints)
    opened.complaints.clear()


def test_dark_mode_darkens_the_page_and_its_pictures(open_page: Open) -> None:
    def colors(scheme: str) -> tuple[int, int, int]:
        page = open_page(sample_reports.broken(), color_scheme=scheme).page
        script = """() => [
            getComputedStyle(document.body).backgroundColor,
            getComputedStyle(document.querySelector('#modules-canvas .v-trained .outline')).fill,
            getComputedStyle(document.querySelector('#modules-canvas .node.v-trained text:last-of-type')).fill,
        ].map((color) => color.match(/[0-9]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0))"""
        paper, box, ink = page.evaluate(script)
        return paper, box, ink

    paper, box, ink = colors("light")
    assert paper > 700 and box > 600 and ink < 350
    paper, box, ink = colors("dark")
    assert paper < 120 and box < 200 and ink > 450


def test_without_javascript_the_causes_and_pictures_are_still_there(open_page: Open) -> None:
    page = open_page(sample_reports.broken(), java_script_enabled=False).page
    assert "The table needs JavaScript" in page.locator("#parameters").inner_text()
    assert page.locator("article.cause .picture").first.is_visible()


def test_printing_shows_every_row_and_opens_what_is_folded(open_page: Open) -> None:
    page = open_page(sample_reports.transformer(odd=5)).page
    folded = page.locator("details:not([open], #outline)").count()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#table tbody tr").count() == 147
    assert folded and not page.locator("details:not([open], #outline)").count()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("#table tbody tr").count() < 147
    assert page.locator("details:not([open], #outline)").count() == folded


def test_a_printed_page_is_no_wider_than_the_paper(open_page: Open) -> None:
    report = sample_reports.transformer(odd=5)
    finding = report.findings[0]
    assert finding.culprit is not None
    line = finding.culprit.line
    culprit = replace(finding.culprit, context=((line, "    y = f(" + "argument, " * 30 + ")"),))
    page = open_page(
        replace(report, findings=(replace(finding, culprit=culprit), *report.findings[1:])),
        viewport={"width": 700, "height": 900},
    ).page
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.scrollWidth") <= 700


def test_a_printed_table_breaks_no_name_of_usual_length(open_page: Open) -> None:
    held = (Holder("encoder_optimizer", 0),)
    names = [f"blocks.{n}.attention.query.weight" for n in range(3)]
    gradient = Gradient("finite", 0.0123)
    parameters = {
        n: ParameterReport(n, "unregistered", "", (512, 512), 2, gradient=gradient, held_by=held) for n in names
    }
    page = open_page(Report(parameters), viewport={"width": 1440, "height": 900}).page
    cells = page.locator("#table tbody tr:first-child :is(th button, td)")
    assert (
        cells.evaluate_all("all => all.filter((cell) => cell.scrollWidth > cell.clientWidth).map((c) => c.innerText)")
        == []
    )
    page.set_viewport_size({"width": 700, "height": 1000})
    page.emulate_media(media="print")
    for word in ("#table tbody button", "#table thead button"):
        assert max(page.locator(word).evaluate_all("all => all.map((one) => one.getClientRects()[0].height)")) < 22


def test_on_a_narrow_screen_names_and_verdicts_stay_whole(open_page: Open) -> None:
    page = open_page(sample_reports.broken(), viewport={"width": 400, "height": 800}).page
    cut_off = page.evaluate(
        "[...document.querySelectorAll('#table tbody .v, #table tbody th')]"
        ".filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)"
    )
    assert cut_off == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


def test_on_a_phone_the_long_name_of_a_script_makes_the_page_no_wider(open_page: Open) -> None:
    report = replace(sample_reports.broken(), title=f"projects/{'a_long_name_of_a_' * 4}script.py")
    page = open_page(report, viewport={"width": 390, "height": 800}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [1280, 390])
def test_long_names_are_shown_whole(open_page: Open, width: int) -> None:
    report = sample_reports.broken()
    names = {
        f"model.language_model.decoder.layers.{n}.{name}": p for n, (name, p) in enumerate(report.parameters.items())
    }
    named = replace(report, findings=(), parameters={name: replace(p, name=name) for name, p in names.items()})
    page = open_page(named, viewport={"width": width, "height": 900}).page
    cells = page.evaluate(
        "[...document.querySelectorAll('#table tbody th button')].map((b) => "
        "[b.textContent, b.scrollWidth <= b.clientWidth + 1, b.getBoundingClientRect().bottom"
        " <= b.closest('th').getBoundingClientRect().bottom + 1])"
    )
    assert sorted(cells) == sorted([name, True, True] for name in names)
    page.fill("#search", "layers.8.")
    page.locator("#table tbody button").click()
    assert page.locator("#details h3").inner_text() == list(names)[8]


def test_the_notebook_fragment_is_readable_in_a_page_of_another_style(open_page: Open) -> None:
    text = (
        "<!doctype html><meta charset='utf-8'><style>body{background:#111;color:#eee}</style>"
        f"<body>{fragment(sample_reports.broken())}</body>"
    )
    opened = open_page(sample_reports.broken(), text=text)
    assert opened.page.locator(".headline").is_visible()
    assert opened.page.locator(".picture").first.is_visible()
    colors = opened.page.evaluate(
        "[getComputedStyle(document.querySelector('.fxa')).backgroundColor,"
        " getComputedStyle(document.body).backgroundColor]"
    )
    assert colors == ["rgb(255, 255, 255)", "rgb(17, 17, 17)"]


@pytest.mark.skipif(AXE is None, reason="axe-core is not there: `npm install axe-core` in the project's directory")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("make", [sample_reports.broken, sample_reports.every_verdict, sample_reports.hostile])
def test_axe_finds_no_fault(browser: Browser, tmp_path: Path, make: Callable[[], Report], scheme: Any) -> None:
    assert AXE is not None
    path = tmp_path / "report.html"
    path.write_text(render(make()), encoding="utf-8")
    # axe is injected as a script of the page: only for this the policy steps aside.
    context = browser.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(path.as_uri())
    page.locator("#table tbody button").first.click()
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("axe.run(document).then((result) => result.violations)")
    context.close()
    assert [(v["id"], v["help"], [node["html"][:160] for node in v["nodes"]][:3]) for v in found] == []


def test_from_cause_to_its_parameters_to_the_cause_and_back(open_page: Open) -> None:
    opened = open_page(sample_reports.broken())
    page = opened.page
    page.click(".brief a[href='#only-0']")
    assert opened.count() == "4 of 9 parameters" and page.locator("#clear").inner_text() == "Only cause 1 ×"
    assert page.locator("#table tbody tr").first.locator("td a").inner_text() == "1"
    page.click("#table tbody tr >> nth=0 >> td a")
    assert page.url.endswith("#fxa-cause-0")
    page.click("#fxa-cause-0 .names li summary")
    page.click("#fxa-cause-0 .names li a >> nth=0")
    assert page.locator("#details h3").inner_text() == "encoder.0.weight"
    page.click("#details a:has-text('Cause 1')")
    assert page.url.endswith("#fxa-cause-0") and page.locator("#fxa-cause-0").is_visible()


def test_a_cut_of_the_map_leads_to_its_cause(open_page: Open) -> None:
    page = open_page(sample_reports.broken()).page
    page.locator("#modules-canvas .e-cut a").first.click()
    assert page.url.endswith("#fxa-cause-0")


def test_lines_open_in_the_editor_that_the_reader_names(open_page: Open) -> None:
    page = open_page(sample_reports.broken()).page
    assert page.locator("a.open").count() == 0
    page.select_option("#editor select", "VS Code")
    page.fill("#editor input", "/home/me/my project")
    assert (
        page.locator("#fxa-cause-0 a.open").first.get_attribute("href")
        == "vscode://file/home/me/my%20project/model.py:14"
    )
    page.fill("#editor input", "D:\\code")
    assert page.locator("#fxa-cause-0 a.open").first.get_attribute("href") == "vscode://file/D:/code/model.py:14"
    page.fill("#editor input", "")
    assert page.locator("#fxa-cause-0 a.open").count() == 0
    page.select_option("#editor select", "no editor")
    assert page.locator("a.open").count() == 0


@pytest.mark.parametrize("width", [1440, 1000, 400])
def test_what_is_blamed_in_a_long_line_is_in_sight(open_page: Open, width: int) -> None:
    report = sample_reports.broken()
    finding = report.findings[0]
    code = "        return self.head(" + "torch.cat([self.left(x), self.right(x)], -1), " * 4 + "h.detach())"
    culprit = replace(
        finding.culprit or SourceLine("a.py", 14, "f", code),
        code=code.strip(),
        columns=(len(code) - 11, len(code) - 1),
        context=((13, "        y = 1"), (14, code)),
    )
    changed = replace(report, findings=(replace(finding, culprit=culprit), *report.findings[1:]))
    page = open_page(changed, viewport={"width": width, "height": 900}).page
    page.locator("#fxa-cause-0 mark").scroll_into_view_if_needed()
    mark, frame = (
        page.locator("#fxa-cause-0 mark").bounding_box(),
        page.locator("#fxa-cause-0 pre").first.bounding_box(),
    )
    assert mark is not None and frame is not None and page.locator("#fxa-cause-0 mark").inner_text() == "h.detach()"
    assert frame["x"] <= mark["x"] and mark["x"] + mark["width"] <= frame["x"] + frame["width"]
    assert page.evaluate("document.querySelector('#fxa-cause-0 pre').scrollLeft") == 0


def test_a_printed_report_of_many_causes_takes_few_pages(open_page: Open) -> None:
    report = sample_reports.broken()
    seven = replace(report, findings=(report.findings * 4)[:7])
    printed = open_page(seven).page.pdf(format="A4")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= 7


@pytest.mark.parametrize(("cell", "columns"), [(700, 1), (1080, 2)])
def test_in_a_narrow_cell_the_picture_stands_below_its_words(open_page: Open, cell: int, columns: int) -> None:
    text = f"<!doctype html><div style='width:{cell}px'>{fragment(sample_reports.broken())}</div>"
    page = open_page(Report(), text=text, viewport={"width": 1440, "height": 900}).page
    tracks = page.locator(".sides").first.evaluate("sides => getComputedStyle(sides).gridTemplateColumns")
    assert len(tracks.split()) == columns
    assert page.evaluate("document.querySelector('.fragment').getBoundingClientRect().width") == cell


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize("notebook", ["light", "dark", "unknown"])
def test_in_a_notebook_everything_can_be_read_whatever_the_system_prefers(
    open_page: Open, notebook: str, system: Any
) -> None:
    is_light = {"light": "true", "dark": "false", "unknown": ""}[notebook]
    ink, paper = ("#eee", "#111") if notebook == "dark" else ("#111", "#fff")
    text = (
        "<!doctype html><meta charset='utf-8'><style>.jp-RenderedHTMLCommon,.jp-RenderedHTMLCommon code,"
        f".jp-RenderedHTMLCommon pre{{color:{ink};background-color:{paper}}}</style>"
        f"<body data-jp-theme-light='{is_light}'><div class='jp-RenderedHTMLCommon'>"
        f"{fragment(sample_reports.broken())}</div></body>"
    )
    page = open_page(sample_reports.broken(), text=text, color_scheme=system).page
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    shades = page.evaluate(SHADES)
    assert len(shades) > 40
    unreadable = [shade for shade in shades if abs(shade["ink"] - shade["paper"]) < 200]
    assert unreadable == []
    if notebook != "unknown":
        assert (shades[0]["paper"] > 384) == (notebook == "light")


SHADES = """() => {
    const sum = (color) => color.match(/[0-9.]+/g).slice(0, 3).reduce((all, part) => all + Number(part), 0);
    const paper = (element) => {
        for (let e = element; e; e = e.parentElement) {
            const color = getComputedStyle(e).backgroundColor;
            if (!color.endsWith(', 0)')) return sum(color);
        }
        return 765;
    };
    const own = (element) => [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const shown = [...document.querySelectorAll('.fxa :is(p, code, pre, span, summary, mark, strong, li)')];
    return shown.filter((e) => own(e) && e.offsetParent).map((e) => ({
        text: e.textContent.slice(0, 40), ink: sum(getComputedStyle(e).color), paper: paper(e),
    }));
}"""
"""How light the ink and the paper of every piece of text are, from 0 to 765."""


def test_what_happened_to_a_parameter_that_does_not_train_is_told(open_page: Open) -> None:
    report = sample_reports.broken()
    life = (
        LifeEvent("made", "made", SourceLine("model.py", 3, "f", "x")),
        LifeEvent("stepped", "never stepped", step=2),
    )
    told = replace(report["encoder.0.bias"], life=life)
    page = open_page(replace(report, parameters={**report.parameters, told.name: told})).page
    page.click("#table tbody button:has-text('encoder.0.bias')")
    assert page.locator("#details .life li").all_inner_texts() == ["made model.py:3", "never stepped (step 2)"]
    page.click("#table tbody button:has-text('decoder.bias')")
    assert page.locator("#details .life").count() == 0


def test_pointing_at_a_line_says_whose_gradient_passes_and_at_a_parameter_lights_its_lines(open_page: Open) -> None:
    net = cut_net()
    nodes = [replace(node, size=(-1.0, 0.5, 2.0)) if n == 4 else node for n, node in enumerate(net.graph_data.nodes)]
    net = replace(net, graph_data=replace(net.graph_data, nodes=tuple(nodes)))
    opened = open_page(Report(**_fields(net)))
    opened.page.locator("tr[data-line='1'] .c").hover()
    assert opened.page.locator("#line-told").inner_text().split("\n") == [
        "line 4: gradient comes back for 1 parameter, norm 2: b.weight",
        "makes linear 8×1: -1 … 2, mean 0.5",
    ]
    opened.page.locator(".reads", has_text="b.weight").hover()
    lit = opened.page.locator(".listing tr.lights .n").all_inner_texts()
    assert lit == ["4"]
    opened.page.locator(".reads", has_text="a.weight").focus()
    assert opened.page.locator(".listing tr.lights").count() == 0
    listing = opened.page.locator(".listing")
    listing.focus()
    listing.press("ArrowDown")
    listing.press("ArrowUp")
    assert opened.page.locator("#line-told").inner_text() == "line 2: gradient ends here"


def test_a_slider_goes_through_the_recorded_steps(open_page: Open) -> None:
    moved = [Movement("opt", 0, 0.1 / n, float(n), 0.2, 1, 1) for n in (1, 2, 3)]
    event = Event("step", "opt.step", optimizers=("opt",))
    clear = Event("zero_grad", "opt: nothing to clear", optimizers=("opt",))
    report = Report(
        {"a": ParameterReport("a", "trained", "")},
        optimizers=(OptimizerReport("opt", "SGD", None, ((0.1, ("a",)),), 3),),
        steps=tuple(StepReport((event, clear)[: 1 + n], (m,)) for n, m in zip((0, 1, 1), moved, strict=True)),
    )
    opened = open_page(report)
    seen = opened.page.locator("#numbers tbody tr:visible")
    assert [row.split("\t")[3] for row in seen.all_inner_texts()] == ["1"]
    assert opened.page.locator(".frame:visible").count() == 1
    opened.page.locator("#scrub").press("ArrowRight")
    assert opened.page.locator("#scrubbed").inner_text() == "2 of 3"
    assert [row.split("\t")[3] for row in seen.all_inner_texts()] == ["2"]
    assert "steps 2 to 3" in opened.page.locator(".frame:visible svg.film:visible").inner_html()
    opened.page.locator("#every").check()
    assert seen.count() == 3 and opened.page.locator(".frame:visible").count() == 2


@pytest.mark.parametrize(("width", "shown"), [(390, "upright"), (1440, "across")])
def test_a_film_of_many_events_is_legible_without_scrolling_sideways(open_page: Open, width: int, shown: str) -> None:
    kinds = ("zero_grad", "forward", "backward", "clip", "gradient", "zero_grad", "scaler", "step", "scheduler")
    made = in_the_loop(*((kind, 10 + n) for n, kind in enumerate(kinds)), culprit=15)
    page = open_page(made, viewport={"width": width, "height": 900}).page
    films = page.locator(".canvas.film:visible").all()
    assert len(films) == 3
    for film in films:
        seen = film.locator("svg:visible")
        assert seen.count() == 1 and seen.evaluate("svg => svg.parentElement.className") == shown
        assert film.evaluate("box => box.scrollWidth <= box.clientWidth")
        assert film.locator("text:visible", has_text="clear").evaluate_all(_HEIGHTS) > 12
        assert film.locator("text:visible", has_text="✗ clear").count() == 1


_HEIGHTS = "words => Math.min(...words.map((word) => word.getBoundingClientRect().height))"


def test_on_a_phone_code_wraps_and_the_numbers_of_a_step_are_in_sight(open_page: Open) -> None:
    made = in_the_loop(("backward", 12), ("step", 15), culprit=15)
    moved = (Movement("opt", 0, 0.1, 1.0, 0.2, 1, 1),)
    steps = tuple(replace(step, movements=moved) for step in made.steps)
    long = replace(made.optimizers[0], source=sample_reports.line(3, f"opt = Adam({'a_long_name, ' * 9})", "train.py"))
    page = open_page(replace(made, optimizers=(long,), steps=steps), viewport={"width": 390, "height": 900}).page
    for box in page.locator("pre:visible, .numbers:visible").all():
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth"), box.inner_text()
    assert "norm of the change" in page.evaluate(_BEFORE)


_BEFORE = """[...document.querySelectorAll('#numbers td')].map(
    (cell) => getComputedStyle(cell, '::before').content + cell.dataset.word).join()"""


def test_a_button_turns_the_map_into_that_without_the_line(open_page: Open) -> None:
    opened = open_page(Report(**_fields(net(PROVED))))
    shown = opened.page.locator("#modules-canvas .version:visible")
    assert shown.locator(".node.v-unreachable").count() == 1
    opened.page.get_by_role("button", name="Without the line of cause 1").press("Enter")
    assert shown.count() == 1 and shown.locator(".node.v-unreachable").count() == 0
    assert "1 parameter" in opened.page.locator("#versioned").inner_text()
    opened.page.get_by_role("button", name="As it is").press("Enter")
    assert shown.locator(".node.v-unreachable").count() == 1


def test_modules_open_level_by_level_with_repeats_folded(open_page: Open) -> None:
    from playwright.sync_api import expect

    opened = open_page(sample_reports.transformer(odd=5))
    page = opened.page
    page.locator("#outline > summary").click()
    tree = page.locator("#outline-tree")
    expect(tree.locator("li")).to_have_count(1)
    tree.locator("summary", has_text="transformer").press("Enter")
    names = tree.locator("summary > code")
    expect(names).to_have_text(["transformer", "h"])
    tree.locator("summary", has_text="h").last.press("Enter")
    expect(names).to_have_text(["transformer", "h", "0 … 4", "5", "6 … 11"])
    assert "60 trained" in tree.locator("summary", has_text="0 … 4").inner_text()
    page.fill("#outline-search", "h.5.attn")
    expect(tree.locator("li code")).to_have_text(["transformer.h.5.attn"])
    tree.get_by_role("button", name="Show transformer.h.5.attn in the table").click()
    assert opened.count() == "4 of 147 parameters"
    page.fill("#outline-search", "no such module")
    assert tree.inner_text() == "No module matches."


@pytest.mark.slow
def test_a_thousand_modules_and_a_hundred_thousand_parameters_open_at_once(open_page: Open) -> None:
    names = [f"m{n % 1000}.p{n // 1000}" for n in range(100_000)]
    opened = open_page(Report({name: ParameterReport(name, "trained", "", (2,), 2) for name in names}))
    opened.page.locator("#outline > summary").click()
    opened.page.wait_for_selector("#outline-tree li")
    assert opened.page.locator("#outline-tree li").count() == 201
    opened.page.get_by_role("button", name="800 more").click()
    assert opened.page.locator("#outline-tree li").count() == 401


def _fields(answer: Answer) -> dict[str, Any]:
    return {f.name: getattr(answer, f.name) for f in fields(Answer)}
