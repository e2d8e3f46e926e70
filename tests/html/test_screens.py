"""Eight pages as golden pictures, small enough that only what a reader would notice tells them apart.

`FXAUDIT_REGENERATE=1` makes them anew: look at each before it is committed.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fxaudit.answer.answer import Answer, Event, Movement, StepReport
from fxaudit.renderers.html.markup import fragment, render
from fxaudit.report import Report
from tests import sample_reports
from tests.html.test_before_and_after import PROVED, net
from tests.html.test_browser import browser, pytestmark  # noqa: F401
from tests.html.test_ribbon import cut_net

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENS = Path(__file__).parent / "screens"
WIDTH = 240
"""A picture's width in pixels: of the text only its place and its weight are left."""
NOTICED = 40
"""A difference of a pixel, of 255, that counts."""
MOST = 0.03
"""The share of pixels that may differ so: an edge of a box that another Graphviz has moved by a pixel."""
PROBE = "The quick brown fox jumps over the lazy dog 0123456789"
PROBED = 379.0
"""How wide the probe is in the font of the golden pictures, DejaVu Sans of 13 px."""

_COMPARE = """async ([one, other, width]) => {
  const pixels = async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, Math.round((image.height / image.width) * width)];
    const brush = canvas.getContext("2d");
    brush.imageSmoothingQuality = "high";
    brush.drawImage(image, 0, 0, canvas.width, canvas.height);
    return [canvas.toDataURL("image/png").split(",")[1], brush.getImageData(0, 0, canvas.width, canvas.height).data];
  };
  const [small, a] = await pixels(one);
  if (!other) return [small, []];
  const [, b] = await pixels(other);
  const differences = [];
  for (let i = 0; i < Math.max(a.length, b.length); i += 4)
    differences.push(Math.max(...[0, 1, 2].map((c) => Math.abs((a[i + c] ?? 0) - (b[i + c] ?? 255)))));
  return [small, differences];
}"""


def of(answer: Answer) -> Report:
    return Report(**{f.name: getattr(answer, f.name) for f in fields(Answer)})


def looped() -> Report:
    report = sample_reports.broken()
    optimizer = report.optimizers[0]
    kinds = ("zero_grad", "backward", "step")
    events = tuple(Event(kind, kind, optimizers=(optimizer.name,)) for kind in kinds)
    moved = [(Movement(optimizer.name, 0, 0.1 / n, 2.0 / n, 0.1 / n**2, 3, 3),) for n in range(1, 6)]
    return replace(report, steps=tuple(StepReport(events, m) for m in moved))


PAGES: dict[str, tuple[Callable[[], Report], dict[str, Any], str]] = {
    "broken": (sample_reports.broken, {}, ""),
    "broken.dark": (sample_reports.broken, {"color_scheme": "dark"}, ""),
    "broken.phone": (sample_reports.broken, {"viewport": {"width": 390, "height": 1000}}, ""),
    "healthy": (sample_reports.healthy, {}, ""),
    "transformer": (lambda: sample_reports.transformer(odd=5), {}, ""),
    "every_verdict": (sample_reports.every_verdict, {}, ""),
    "source": (lambda: of(replace(cut_net(), findings=(PROVED,), title="m.py")), {}, "#source"),
    "loop": (looped, {}, "#loop"),
    "before": (lambda: of(net(PROVED)), {}, "#modules"),
    "notebook": (sample_reports.vanishing, {}, "fragment"),
}


@pytest.fixture(scope="module")
def viewer(browser: Browser) -> Iterator[Page]:  # noqa: F811
    """An empty page that measures fonts and compares pictures."""
    page = browser.new_page()
    page.set_content(f"<span style=\"font: 13px 'DejaVu Sans', sans-serif; white-space: nowrap\">{PROBE}</span>")
    width = page.locator("span").bounding_box()["width"]  # type: ignore[index]
    if abs(width - PROBED) > 4:
        pytest.skip(f"the fonts here are not those of the golden pictures: {width:.0f} instead of {PROBED:.0f} pixels")
    yield page
    page.close()


def taken(browser: Browser, name: str, folder: Path) -> str:  # noqa: F811
    make, context, part = PAGES[name]
    report = make()
    text = f"<!doctype html><body>{fragment(report)}" if part == "fragment" else render(report)
    path = folder / "page.html"
    path.write_text(text, encoding="utf-8")
    page = browser.new_context(**{"viewport": {"width": 1280, "height": 1500}, **context}).new_page()
    page.goto(path.as_uri())
    shot = page.locator(part).screenshot() if part.startswith("#") else page.screenshot()
    page.context.close()
    return base64.b64encode(shot).decode()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_looks_as_it_did(name: str, browser: Browser, viewer: Page, tmp_path: Path) -> None:  # noqa: F811
    golden = SCREENS / f"{name}.png"
    shot = taken(browser, name, tmp_path)
    if os.environ.get("FXAUDIT_REGENERATE") == "1":
        small, _ = viewer.evaluate(_COMPARE, [shot, "", WIDTH])
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(base64.b64decode(small))
    assert golden.exists(), f"no golden picture {name}: look at the page, then run with FXAUDIT_REGENERATE=1"
    wanted = base64.b64encode(golden.read_bytes()).decode()
    small, differences = viewer.evaluate(_COMPARE, [shot, wanted, WIDTH])
    share = sum(difference > NOTICED for difference in differences) / len(differences)
    if share > MOST:
        (tmp_path / golden.name).write_bytes(base64.b64decode(small))
    assert share <= MOST, f"{share:.1%} of the picture differs; how it looks now: {tmp_path / golden.name}"


def test_the_comparison_notices_a_section_that_is_gone(browser: Browser, viewer: Page, tmp_path: Path) -> None:  # noqa: F811
    wanted = base64.b64encode((SCREENS / "broken.png").read_bytes()).decode()
    _, differences = viewer.evaluate(_COMPARE, [taken(browser, "healthy", tmp_path), wanted, WIDTH])
    assert sum(difference > NOTICED for difference in differences) / len(differences) > 2 * MOST
