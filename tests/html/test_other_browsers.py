"""The page in Firefox and in WebKit, where they are there: it opens, nothing goes wrong, what can be pressed works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fxaudit.answer.answer import Answer
from fxaudit.renderers.html.markup import render
from tests import sample_reports
from tests.html.engines import STARTERS, Missing, Viewer, watched
from tests.html.test_before_and_after import PROVED, net
from tests.html.test_screens import looped

pytestmark = [pytest.mark.slow, pytest.mark.browser]

Open = Callable[[Answer], Viewer]


@pytest.fixture(scope="module", params=STARTERS)
def viewer(request: pytest.FixtureRequest) -> Iterator[Viewer]:
    starting = STARTERS[request.param]()
    try:
        found = starting.__enter__()
    except Missing as missing:
        pytest.skip(str(missing))
    yield found
    starting.__exit__(None, None, None)


@pytest.fixture
def open_page(viewer: Viewer, tmp_path: Path) -> Iterator[Open]:
    """Opens a report's page; at the end nothing must have gone wrong."""

    def opener(report: Answer) -> Viewer:
        path = tmp_path / "report.html"
        path.write_text(watched(render(report)), encoding="utf-8")
        viewer.open(path)
        return viewer

    yield opener
    assert viewer.complaints() == []


SHOWN = "[...document.querySelectorAll('#modules-canvas .version')].findIndex((version) => !version.hidden)"


@pytest.mark.parametrize("make", [sample_reports.broken, sample_reports.hostile, sample_reports.every_verdict])
def test_it_opens_whole(open_page: Open, make: Callable[[], Answer]) -> None:
    report = make()
    page = open_page(report)
    assert page.text("#shown") == f"{len(report)} of {len(report)} parameters"
    assert page.ask("document.querySelectorAll('#table tbody tr').length") >= len(report)
    assert page.ask("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.ask("window.pwned === undefined")
    assert page.ask("document.querySelector('#modules-canvas svg').getBoundingClientRect().width > 60")
    page.click("#outline > summary")
    assert page.ask("document.querySelectorAll('#outline-tree li').length") > 0


def test_what_goes_wrong_would_be_noticed(viewer: Viewer, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    text = watched(render(sample_reports.healthy()))
    path.write_text(text.replace("<main>", "<main><script>window.pwned = 1</script>", 1), encoding="utf-8")
    viewer.open(path)
    assert any("script-src" in complaint for complaint in viewer.complaints())
    assert viewer.ask("window.pwned === undefined")


def test_the_table_is_searched_sorted_and_filtered(open_page: Open) -> None:
    page = open_page(sample_reports.broken())
    page.type("#search", "head")
    assert page.text("#shown") == "2 of 9 parameters"
    page.click("th.c-numel button")
    assert page.text("#table tbody th button") == "head.bias"
    page.click("#table tbody th button")
    assert page.text("#details h3") == "head.bias"
    page.click("#locate")
    assert page.ask("document.querySelectorAll('.picture .here').length") == 1
    page.click(".brief a[href='#only-0']")
    assert page.text("#shown") == "4 of 9 parameters"


def test_the_map_turns_into_that_without_the_line_and_back(open_page: Open) -> None:
    page = open_page(net(PROVED))
    page.click("[data-version='1']")
    assert page.ask(SHOWN) == 1 and "1 parameter" in page.text("#versioned")
    page.click("[data-version='0']")
    assert page.ask(SHOWN) == 0


def test_a_closed_module_opens_and_a_frame_closes(open_page: Open) -> None:
    page = open_page(sample_reports.transformer(odd=5))
    box = page.ask("document.querySelector('[data-inside]').dataset.inside")
    page.hover(f"#modules-canvas .version:not([hidden]) a[href='#{box}'] text", press=True)
    assert page.ask(SHOWN) > 0 and "Whole map" in page.text("#way")
    page.click("#way button")
    assert page.ask(SHOWN) == 0
    page.press("#modules-canvas .titles [aria-label^='Close h ']", "Enter")
    assert page.ask("document.querySelectorAll('#modules-canvas .lid').length") == 1
    page.press("#modules-canvas .lid", "Space")
    assert page.ask("document.querySelectorAll('#modules-canvas .lid, #modules-canvas .under').length") == 0


def test_pointing_at_a_line_tells_what_is_known_of_it(open_page: Open) -> None:
    report = net(PROVED)
    nodes = [replace(n, size=(-1.0, 0.5, 2.0)) if n.kind == "op" else n for n in report.graph_data.nodes]
    page = open_page(replace(report, graph_data=replace(report.graph_data, nodes=tuple(nodes))))
    page.hover("tr[data-line='1'] .c code")
    assert page.text("#line-told").startswith("line 4: gradient comes back")
    assert "makes linear 8×1: -1 … 2, mean 0.5" in page.text("#line-told")


def test_a_slider_goes_through_the_steps(open_page: Open) -> None:
    page = open_page(looped())
    assert page.text("#scrubbed") == "1 of 5"
    page.press("#scrub", "ArrowRight")
    assert page.text("#scrubbed") == "2 of 5"
    assert page.ask("[...document.querySelectorAll('#numbers tbody tr')].filter((row) => !row.hidden).length") == 1
