"""The views of single operations and of the `grad_fn` graph."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from fxaudit.renderers.picture.draw import draw
from fxaudit.renderers.picture.engine import Picture, lay_out
from fxaudit.renderers.picture.scene import COMFORT, LIMIT
from fxaudit.report import Report
from tests import sample_reports
from tests.pictures.conftest import Drawn

Read = Callable[[Picture], Drawn]


def test_operations_draws_every_node_with_the_cut_and_the_optimizer(read: Read) -> None:
    report = sample_reports.broken()
    drawn = read(draw(report, view="operations"))
    kinds = [node.kind for node in report.graph_data.nodes]
    others = [kind for kind in kinds if kind not in ("parameter", "group")]
    # Weight and bias fare alike and go into the same operation: one box for both.
    assert kinds.count("parameter") == 9 and len(drawn.boxes) == len(others) + 5
    assert drawn.box("encoder.0.*").has("v-unreachable") and drawn.box("head.*").has("v-excluded")
    (cut,) = [arrow for arrow in drawn.arrows if arrow.has("e-cut")]
    assert cut.target == drawn.box("detach").name
    held = [box for box in drawn.boxes.values() if box.has("k-parameter") and box.text.startswith("A ")]
    assert [box.text.split()[1] for box in held] == ["encoder.0.*", "encoder.2.*", "decoder.*"]


def unlike(report: Report) -> Report:
    """`report` with a class of its own for each module."""
    modules = tuple(replace(module, type=f"{module.type}{n}") for n, module in enumerate(report.graph_data.modules))
    return replace(report, graph_data=replace(report.graph_data, modules=modules))


def test_a_big_graph_is_folded_by_module_to_the_limit_and_says_how_to_narrow_it() -> None:
    report = unlike(sample_reports.transformer(layers=24, odd=5))
    picture = draw(report, view="operations")
    assert len(report.graph_data.nodes) > LIMIT > COMFORT >= picture.drawn
    assert f"At most {COMFORT} boxes" in picture.caption and "root=" in picture.caption
    dead = {name for names in picture.boxes.values() for name in names} & {
        name for name, p in report.parameters.items() if p.verdict == "unreachable"
    }
    assert len(dead) == 2


@pytest.mark.parametrize("view", ["operations", "autograd"])
def test_of_equal_blocks_in_a_row_one_is_drawn_for_all_and_the_odd_one_beside_them(view: str, read: Read) -> None:
    report = sample_reports.transformer(layers=24, odd=5)
    picture = draw(report, view=view)
    titles = re.findall(r"<FONT[^>]*>([^<]*Block)&", picture.source)
    assert titles == ["0–4 ×5  Block", "5  Block", "6–23 ×18  Block"]
    assert picture.drawn < 110 and "Equal modules in a row are drawn once." in picture.caption
    assert {name for names in picture.boxes.values() for name in names} == set(report.parameters)
    assert len([arrow for arrow in read(picture).arrows if arrow.has("e-cut")]) == (view == "operations")
    more = draw(sample_reports.transformer(layers=48, odd=5), view=view)
    assert more.drawn == picture.drawn


def test_no_arrow_leads_back_from_the_last_of_equal_blocks_to_the_first(read: Read) -> None:
    drawn = read(draw(sample_reports.transformer(layers=24), view="operations"))
    after: dict[str, set[str]] = {}
    for arrow in drawn.arrows:
        after.setdefault(arrow.name, set()).add(arrow.target)
    for box in drawn.boxes:
        reached: set[str] = set()
        stack = [box]
        while stack:
            new = after.get(stack.pop(), set()) - reached
            reached |= new
            stack += new
        assert box not in reached


def test_what_differs_in_an_arrow_or_a_verdict_alone_is_not_drawn_as_one() -> None:
    def titles(change: str) -> list[str]:
        sketch = sample_reports.Sketch()
        sketch.module("", "Net")
        sketch.module("blocks", "ModuleList")
        h = sketch.input("x")
        for n in range(3):
            block = sketch.module(f"blocks.{n}", "Block")
            is_odd = n == 1
            weight = sketch.parameter(
                f"blocks.{n}.weight", (2,), "frozen" if is_odd and change == "verdict" else "trained"
            )
            first = sketch.op("linear", block, h, weight)
            second = sketch.op("relu", block, first)
            h = sketch.op("add", block, second, *([first] if is_odd and change == "arrow" else []))
        sketch.loss("loss", h)
        return re.findall(r"<FONT[^>]*>([^<]*Block)&", draw(sketch.report(), view="operations").source)

    assert titles("nothing") == ["0–2 ×3  Block"]
    assert len(titles("verdict")) == 3 and len(titles("arrow")) == 3


def test_equal_blocks_may_be_nested_as_deep_as_they_like() -> None:
    sketch = sample_reports.Sketch()
    sketch.module("", "Net")
    for n in range(2):
        name, h = str(n), sketch.input("x")
        sketch.module(name, "Block")
        for _ in range(1500):
            name += ".inner"
            home = sketch.module(name, "Inner")
        sketch.loss("loss", sketch.op("relu", home, h))
    picture = draw(sketch.report(), view="operations", depth=1)
    assert "Equal modules in a row are drawn once." in picture.caption


def test_a_flat_graph_beyond_the_limit_keeps_cuts_and_dead_parameters() -> None:
    sketch = sample_reports.Sketch()
    dead = sketch.op("detach", -1, sketch.parameter("dead", (2,), "unreachable"), cut=True)
    h = sketch.parameter("weight", (2,))
    for n in range(1000):
        h = sketch.op(f"op{n}", -1, h)
    sketch.loss("loss", sketch.op("add", -1, h, dead))
    picture = draw(sketch.report(), view="operations")
    assert picture.drawn <= LIMIT
    assert "dead" in {name for names in picture.boxes.values() for name in names}
    assert "e-cut" in picture.source and "nodes left out" in picture.caption


def test_root_and_parameter_narrow_the_operations(read: Read) -> None:
    report = sample_reports.transformer()
    inside = draw(report, view="operations", root="transformer.h.3")
    assert 0 < inside.drawn < 40
    assert all(n.startswith("transformer.h.3.") for names in inside.boxes.values() for n in names)
    after = read(draw(report, view="operations", parameter="transformer.h.11.mlp.c_proj.bias"))
    assert len([box for box in after.boxes.values() if box.has("k-parameter")]) == 1
    assert [box.text for box in after.boxes.values() if box.has("k-loss")] == ["cross_entropy"]


def test_autograd_names_the_parameters_at_its_leaves_and_the_groups_that_hold_them(read: Read) -> None:
    report = sample_reports.broken()
    drawn = read(draw(report, view="autograd"))
    leaf = drawn.box("decoder.weight")
    assert "AccumulateGrad" in leaf.text and leaf.has("v-trained")
    assert leaf.text.startswith("A ")
    assert drawn.box("GeluBackward0").text == "GeluBackward0 gelu model.py:16"


def test_autograd_leads_to_the_loss_and_shows_beside_it_what_has_no_leaf(read: Read) -> None:
    report = sample_reports.broken()
    drawn = read(draw(report, view="autograd"))
    cut, frozen = [box for box in drawn.boxes.values() if "no leaf in this graph" in box.text]
    assert cut.text.startswith("A encoder.* 4 parameters") and cut.has("v-unreachable")
    assert frozen.text.startswith("table.weight") and frozen.has("v-frozen")
    assert not {cut.name, frozen.name} & {end for arrow in drawn.arrows for end in (arrow.name, arrow.target)}
    (arrow,) = [arrow for arrow in drawn.arrows if arrow.target == drawn.box("loss: cross_entropy").name]
    assert "Backward" in drawn.boxes[arrow.name].text
    shown = [name for names in draw(report, view="autograd").boxes.values() for name in names]
    assert sorted(shown) == sorted(report.parameters)


def test_narrowed_to_what_has_no_leaf_autograd_still_shows_it(read: Read) -> None:
    report = sample_reports.broken()
    (alone,) = read(draw(report, view="autograd", parameter="encoder.0.weight")).boxes.values()
    assert alone.text == "A encoder.0.weight has no leaf in this graph ✂︎ unreachable: no gradient reaches it"
    inside = read(draw(report, view="autograd", root="encoder"))
    assert [box.text for box in inside.boxes.values() if "no leaf" in box.text] == [
        "A encoder.* 4 parameters, no leaf in this graph ✂︎ unreachable: no gradient reaches it"
    ]


def test_a_view_of_what_was_not_recorded_says_so() -> None:
    for view in ("operations", "autograd"):
        assert "nothing was recorded" in draw(sample_reports.without_graph(), view=view).caption


@pytest.mark.parametrize("view", ["operations", "autograd"])
def test_a_deep_model_is_drawn_no_wider_than_a_wide_screen(view: str) -> None:
    picture = draw(sample_reports.transformer(layers=24), view=view)
    (width,) = re.findall(r'<svg width="(\d+)pt"', lay_out(picture, "svg").decode())
    assert int(width) < 2000
