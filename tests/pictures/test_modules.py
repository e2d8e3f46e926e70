"""The view of the whole model."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fxaudit.errors import UnknownParameterError
from fxaudit.renderers.picture.draw import draw
from fxaudit.renderers.picture.engine import Picture
from fxaudit.report import Report
from tests import sample_reports
from tests.pictures.conftest import Drawn

Read = Callable[[Picture], Drawn]

REPORTS: dict[str, Callable[[], Report]] = {
    "broken": sample_reports.broken,
    "healthy": sample_reports.healthy,
    "gpt": sample_reports.transformer,
    "gpt with an odd layer": lambda: sample_reports.transformer(odd=5),
    "a hundred layers": lambda: sample_reports.transformer(layers=100, odd=50),
    "mixture": sample_reports.mixture,
    "no graph": sample_reports.without_graph,
    "every verdict": sample_reports.every_verdict,
    "hostile": sample_reports.hostile,
}


@pytest.fixture(params=list(REPORTS), scope="module")
def report(request: pytest.FixtureRequest) -> Report:
    return REPORTS[request.param]()


@pytest.mark.slow
def test_every_parameter_is_in_exactly_one_box(report: Report) -> None:
    picture = draw(report)
    listed = [name for names in picture.boxes.values() for name in names]
    assert sorted(listed) == sorted(report.parameters)


def test_every_unhappy_parameter_is_in_a_box_that_says_so(report: Report, read: Read) -> None:
    picture = draw(report)
    boxes = {box.attributes["id"].strip('"'): box for box in read(picture).boxes.values()}
    for identity, names in picture.boxes.items():
        for verdict in {report[name].verdict for name in names} - {"trained", "frozen"}:
            assert verdict in boxes[identity].text, (names[:3], boxes[identity].text)


@pytest.mark.slow
def test_no_model_takes_more_than_150_boxes(report: Report) -> None:
    for depth in (None, 0, 1, 2, 9):
        assert 0 < draw(report, depth=depth).drawn <= 150


@pytest.mark.slow
def test_the_same_report_gives_the_same_text(report: Report) -> None:
    again = Report.from_json(report.to_json())
    assert draw(report).source == draw(report).source == draw(again).source


def test_the_cut_between_two_modules_is_drawn_with_its_line(read: Read) -> None:
    drawn = read(draw(sample_reports.broken()))
    (cut,) = [arrow for arrow in drawn.arrows if arrow.has("e-cut")]
    assert (cut.name, cut.target) == (drawn.box("2 Linear").name, drawn.box("decoder Linear").name)
    assert cut.text == "✂ detach model.py:14"
    assert drawn.between("decoder Linear", "head Linear")[0].has("e-grad")
    assert drawn.between("head Linear", "loss")[0].has("e-grad")


def test_equal_blocks_are_folded_and_the_odd_one_out_is_opened(read: Read) -> None:
    even = read(draw(sample_reports.transformer(), root="transformer.h", depth=1))
    assert [box.text for box in even.boxes.values() if "Block" in box.text] == [
        "A 0–11 ×12 Block ✓ trained 144 parameters · 85.1 M elements"
    ]
    odd = read(draw(sample_reports.transformer(odd=5)))
    assert odd.box("0–4 ×5").has("v-trained") and odd.box("6–11 ×6").has("v-trained")
    assert odd.box("c_proj Linear").has("v-unreachable")


def test_blocks_of_other_shape_are_not_folded_together(read: Read) -> None:
    sketch = sample_reports.Sketch()
    sketch.module("", "Net")
    sketch.module("blocks", "ModuleList")
    x = sketch.input("x")
    for n, width in enumerate((8, 8, 16)):
        x = sample_reports.linear(sketch, f"blocks.{n}", (width, 8), x)
    sketch.loss("loss", x)
    drawn = read(draw(sketch.report()))
    assert "4 parameters" in drawn.box("0–1 ×2 Linear").text
    assert "2 parameters" in drawn.box("A 2 Linear").text


@pytest.mark.slow
def test_idle_experts_are_told_apart_from_the_busy_ones(read: Read) -> None:
    drawn = read(draw(sample_reports.mixture()))
    idle = drawn.box("7–63 ×57 Expert")
    assert idle.has("v-unreachable") and "never called" in idle.text and "912 parameters" in idle.text
    assert drawn.box("0–6 ×7 Expert").has("v-trained")


def test_modules_without_parameters_are_passed_through(read: Read) -> None:
    sketch = sample_reports.Sketch()
    sketch.module("", "Net")
    h = sample_reports.linear(sketch, "a", (4, 4), sketch.input("x"))
    h = sketch.op("relu", sketch.module("act", "ReLU"), h)
    sketch.loss("loss", sample_reports.linear(sketch, "b", (4, 4), h))
    drawn = read(draw(sketch.report()))
    assert not [box for box in drawn.boxes.values() if "ReLU" in box.text]
    assert drawn.between("a Linear", "b Linear")[0].has("e-grad")


def test_a_residual_stream_does_not_draw_an_arrow_from_every_block_to_every_later_one(read: Read) -> None:
    drawn = read(draw(sample_reports.transformer(odd=5)))
    assert len(drawn.arrows) < 2 * len(drawn.boxes)


def test_a_cut_inside_a_closed_module_is_named_in_its_box(read: Read) -> None:
    drawn = read(draw(sample_reports.broken(), depth=1))
    assert drawn.box("encoder Sequential").has("v-unreachable")
    sketch = sample_reports.Sketch()
    net = sketch.module("net", "Net")
    weight = sketch.parameter("net.weight", (2,), "unreachable")
    sketch.loss("loss", sketch.op("detach", net, weight, at=sample_reports.line(9, "w.detach()"), cut=True))
    assert "✂ inside, at model.py:9" in read(draw(sketch.report())).box("net Net").text


def test_root_zooms_into_one_of_several_equal_blocks(read: Read) -> None:
    picture = draw(sample_reports.transformer(), root="transformer.h.7")
    names = {name for names in picture.boxes.values() for name in names}
    assert names and all(name.startswith("transformer.h.7.") for name in names)
    assert len(names) == 12


def test_depth_opens_that_many_levels() -> None:
    counts = [draw(sample_reports.transformer(), depth=depth).drawn for depth in range(4)]
    assert counts == sorted(counts) and counts[0] < counts[-1]


def test_an_unknown_root_is_an_error_that_suggests_near_names() -> None:
    with pytest.raises(UnknownParameterError, match=r"no module 'decod'\. Did you mean 'decoder'"):
        draw(sample_reports.broken(), root="decod")


def test_without_a_graph_the_modules_are_read_off_the_names(read: Read) -> None:
    drawn = read(draw(sample_reports.without_graph()))
    assert "12 parameters" in drawn.box("fc Linear").text
    assert "0–5 ×6" in draw(sample_reports.without_graph()).source
    assert "1 parameter · 1 element" in drawn.box("own parameters of model").text


def test_unregistered_and_stale_tensors_stand_outside_the_model(read: Read) -> None:
    drawn = read(draw(sample_reports.every_verdict()))
    outside = drawn.box("(outside the model)")
    assert "layers[0].weight unregistered" in outside.text and "(old) stale" in outside.text


def test_each_verdict_has_its_own_symbol_and_outline() -> None:
    from fxaudit.answer.answer import VERDICTS
    from fxaudit.renderers.picture.palette import LOOKS

    assert set(LOOKS) == set(VERDICTS)
    assert len({look.symbol for look in LOOKS.values()}) == len(VERDICTS)
    assert len({(look.style, look.width, look.rings) for look in LOOKS.values()}) == len(VERDICTS)


def test_param_groups_are_bands_that_the_legend_explains() -> None:
    source = draw(sample_reports.broken()).source
    assert "<B>A</B>" in source
    assert "[A]  AdamW · lr 0.001: 6 parameters" in source


def test_what_a_cut_cuts_off_is_drawn_into_the_first_box_behind_it_only(read: Read) -> None:
    sketch = sample_reports.Sketch()
    sketch.module("", "Net")
    first = sample_reports.linear(sketch, "a", (4, 4), sketch.input("x"), verdict="unreachable")
    stream = sketch.op("detach", -1, first, at=sample_reports.line(9, "h.detach()"), cut=True)
    for name in ("b", "c", "d"):
        stream = sketch.op("add", -1, stream, sample_reports.linear(sketch, name, (4, 4), stream))
    sketch.loss("loss", stream)
    drawn = read(draw(sketch.report()))
    assert [(arrow.name, arrow.target) for arrow in drawn.arrows if arrow.has("e-cut")] == [
        (drawn.box("a Linear").name, drawn.box("b Linear").name)
    ]


def test_arrows_within_a_folded_block_follow_the_forward_and_not_the_order_of_registration(read: Read) -> None:
    sketch = sample_reports.Sketch()
    sketch.module("", "Net")
    sketch.module("blocks", "Sequential")
    stream = sample_reports.linear(sketch, "stem", (8, 8), sketch.input("x"))
    for n in range(2):
        sketch.module(f"blocks.{n}", "Block")
        for name in ("late", "early", "norm"):
            sketch.module(f"blocks.{n}.{name}", "Linear")
    for n in range(2):
        for name in ("early", "late", "norm"):
            module = sketch.indices[f"blocks.{n}.{name}"]
            made = sketch.op("linear", module, stream, sketch.parameter(f"blocks.{n}.{name}.weight", (8, 8)))
            stream = sketch.op("add", sketch.indices[f"blocks.{n}"], stream, made) if name == "late" else made
    sketch.loss("loss", sample_reports.linear(sketch, "head", (8, 8), stream))
    drawn = read(draw(sketch.report()))
    names = {box.name: box.text.partition(" Linear")[0].removeprefix("A ") for box in drawn.boxes.values()}
    arrows = [(names[arrow.name], names[arrow.target]) for arrow in drawn.arrows if arrow.has("e-grad")]
    assert sorted(arrows) == [
        ("early", "late"),
        ("head", "loss"),
        ("late", "norm"),
        ("norm", "head"),
        ("stem", "early"),
    ]


def test_an_operation_that_reads_parameters_of_its_own_module_stands_with_them(read: Read) -> None:
    sketch = sample_reports.Sketch()
    net = sketch.module("", "Net")
    h = sample_reports.linear(sketch, "a", (4, 4), sketch.input("x"))
    h = sketch.op("mul", net, h, sketch.parameter("gain", (4,)))
    sketch.loss("loss", sample_reports.linear(sketch, "b", (4, 4), h))
    drawn = read(draw(sketch.report()))
    assert drawn.between("a Linear", "own parameters of model") and drawn.between("own parameters of model", "b Linear")
    assert not drawn.between("a Linear", "b Linear")


def test_a_cut_between_two_repetitions_of_a_folded_block_is_drawn(read: Read) -> None:
    sketch = sample_reports.Sketch()
    sketch.module("", "Net")
    sketch.module("blocks", "Sequential")
    stream = sketch.input("x")
    for n in range(3):
        sketch.module(f"blocks.{n}", "Block")
        for name in ("a", "b"):
            stream = sample_reports.linear(sketch, f"blocks.{n}.{name}", (8, 8), stream, verdict="unreachable")
        stream = sketch.op("detach", -1, stream, at=sample_reports.line(9, "h.detach()"), cut=True)
    sketch.loss("loss", sample_reports.linear(sketch, "head", (8, 8), stream))
    drawn = read(draw(sketch.report()))
    cuts = {(arrow.name, arrow.target): arrow.text for arrow in drawn.arrows if arrow.has("e-cut")}
    assert (drawn.box("b Linear").name, drawn.box("a Linear").name) in cuts
    assert sorted(cuts.values()) == ["✂", "✂ detach model.py:9"]


def test_an_arrow_from_which_gradient_ends_further_on_is_no_green_one(read: Read) -> None:
    drawn = read(draw(sample_reports.broken()))
    before = [arrow for arrow in drawn.arrows if arrow.target == drawn.box("2 Linear").name]
    assert before and all(arrow.has("e-idle") for arrow in before if not arrow.has("e-none"))
    operations = read(draw(sample_reports.broken(), view="operations"))
    states = [state for arrow in operations.arrows for state in ("e-idle", "e-grad") if arrow.has(state)]
    assert set(states) == {"e-idle", "e-grad"}


def test_without_a_loss_nothing_is_said_to_end_further_on(read: Read) -> None:
    sketch = sample_reports.Sketch()
    net = sketch.module("", "Net")
    first = sketch.op("linear", net, sketch.parameter("weight", (2, 2)))
    sketch.op("relu", net, first)
    assert not any(arrow.has("e-idle") for arrow in read(draw(sketch.report(), view="operations")).arrows)


def test_a_gradient_that_is_exactly_zero_is_no_green_arrow(read: Read) -> None:
    drawn = read(draw(sample_reports.vanishing()))
    (zero,) = [arrow for arrow in drawn.arrows if arrow.has("e-zero")]
    assert (zero.name, zero.target) == (drawn.box("body Linear").name, drawn.box("gate Gate").name) and zero.text == "0"
    assert "gradient becomes 0 inside, at model.py:7" in drawn.box("gate Gate").text
    assert drawn.between("gate Gate", "head Linear")[0].has("e-grad")


def test_the_legend_explains_every_kind_of_box_and_arrow_of_the_picture() -> None:
    for make in (sample_reports.vanishing, sample_reports.broken):
        for picture in (draw(make()), draw(make(), view="why"), draw(make(), view="operations")):
            explained = {(key.of, key.name) for key in picture.keys}
            for kind in ("loss", "fold", "gone", "cut", "note", "input", "group"):
                assert (f"k-{kind}" in picture.source) == (("box", kind) in explained), kind
            for kind in ("grad", "zero", "none", "cut", "missing", "holds"):
                assert (f"e-{kind}" in picture.source) == (("arrow", kind) in explained), kind
            assert all(key.meaning.split(":")[0] in picture.source for key in picture.keys)
