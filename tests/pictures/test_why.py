"""The view of one parameter's way to the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fxaudit.answer.answer import Gradient
from fxaudit.answer.finding import Finding, PathStep
from fxaudit.errors import UnknownParameterError
from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.draw import draw
from fxaudit.renderers.picture.engine import Picture
from fxaudit.renderers.picture.labels import code_around
from fxaudit.renderers.picture.path import path_of
from fxaudit.renderers.picture.why import draw_finding, draw_why
from tests import sample_reports
from tests.pictures.conftest import Drawn

Read = Callable[[Picture], Drawn]


def test_the_cut_is_the_one_thick_red_dashed_arrow_and_names_its_line(read: Read) -> None:
    drawn = read(draw(sample_reports.broken(), parameter="encoder.0.weight"))
    (cut,) = [arrow for arrow in drawn.arrows if arrow.has("e-cut")]
    assert "✂" in cut.text and "gradient ends here" in cut.text and "model.py:14" in cut.text
    assert cut.attributes["style"] == "dashed" and cut.attributes["penwidth"] == "4"
    assert cut.target == drawn.box("detach").name


def test_before_the_cut_no_gradient_comes_back_and_behind_it_none_could(read: Read) -> None:
    drawn = read(draw(sample_reports.broken(), parameter="encoder.0.weight"))
    states = [arrow.attributes["class"].strip('"') for arrow in drawn.arrows]
    assert states[0] == "e-holds"
    behind = states[states.index("e-cut") + 1 :]
    assert behind and set(behind) == {"e-none"}
    assert set(states[1 : states.index("e-cut")]) == {"e-idle"}
    assert drawn.box("loss: cross_entropy").has("k-loss")
    assert drawn.box("gelu model.py:16").has("k-gone")


def test_the_optimizer_stands_on_the_parameters_side(read: Read) -> None:
    drawn = read(draw(sample_reports.broken(), parameter="encoder.0.weight"))
    (holds,) = drawn.between("AdamW · lr 0.001", "encoder.0.weight")
    assert holds.has("e-holds")


def test_an_excluded_parameter_has_a_gradient_path_and_a_missing_arrow_from_the_optimizer(read: Read) -> None:
    drawn = read(draw(sample_reports.broken(), parameter="head.weight"))
    (missing,) = drawn.between("AdamW", "head.weight ∅")
    assert missing.has("e-missing") and "∅ not held" in missing.text and "train.py:40" in missing.text
    assert {arrow.attributes["class"].strip('"') for arrow in drawn.arrows} == {"e-missing", "e-grad", "e-note"}


def test_a_trained_parameter_shows_its_unbroken_path(read: Read) -> None:
    drawn = read(draw(sample_reports.healthy(), parameter="layer0.weight"))
    assert not [arrow for arrow in drawn.arrows if arrow.has("e-cut") or arrow.has("e-missing")]
    assert len([arrow for arrow in drawn.arrows if arrow.has("e-grad")]) == len(drawn.boxes) - 2


def test_a_finding_is_drawn_once_for_all_its_parameters(read: Read) -> None:
    picture = draw(sample_reports.broken(), view="why")
    box = read(picture).box("encoder.*")
    assert "(4 parameters)" in box.text
    assert ("encoder.0.weight", "encoder.0.bias", "encoder.2.weight", "encoder.2.bias") in picture.boxes.values()


@pytest.mark.parametrize("length", [3, 30, 400])
def test_long_runs_of_operations_are_folded_and_the_cut_never_is(read: Read, length: int) -> None:
    report = sample_reports.broken()
    steps = [PathStep("parameter", "encoder.0.weight")]
    steps += [PathStep("operation", f"before{n}", "encoder") for n in range(length)]
    steps += [PathStep("cut", "argmax", "encoder", sample_reports.DETACHED, False)]
    steps += [PathStep("operation", f"after{n}", "decoder", None, False) for n in range(length)]
    steps += [PathStep("loss", "loss", carries_gradient=False)]
    longer = replace(report["encoder.0.weight"], path=tuple(steps))
    report = replace(report, parameters={**report.parameters, "encoder.0.weight": longer})
    picture = draw(report, parameter="encoder.0.weight")
    drawn = read(picture)
    assert picture.drawn <= 25
    assert drawn.box("argmax").has("k-cut")
    if length > 10:
        assert drawn.box(f"… {length - 4} operations in encoder").has("k-fold")


def test_a_parameter_that_nothing_reads_is_shown_apart_from_the_loss(read: Read) -> None:
    sketch = sample_reports.Sketch()
    sketch.module("", "Net")
    culprit = sample_reports.line(5, "if self.use_extra:")
    sketch.parameter("extra.weight", (2, 2), "unreachable", culprit=culprit)
    sketch.loss("loss", sketch.op("sum", 0, sketch.parameter("used.weight", (2, 2))))
    drawn = read(draw(sketch.report(), parameter="extra.weight"))
    (missing,) = drawn.between("extra.weight", "loss")
    assert missing.has("e-missing") and "nothing leads to the loss" in missing.text and "model.py:5" in missing.text
    assert "if self.use_extra:" in drawn.box("model.py:5").text


def test_on_the_page_the_note_beside_the_parameter_names_the_line_only(read: Read) -> None:
    sketch = sample_reports.Sketch()
    sketch.module("", "Net")
    culprit = sample_reports.line(5, "if self.use_extra:")
    sketch.parameter("extra.weight", (2, 2), "unreachable", culprit=culprit)
    note = read(draw_why(sketch.report(), "extra.weight", framed=False)).box("model.py:5")
    assert note.has("k-note") and "use_extra" not in note.text


def test_where_nothing_arrives_and_the_path_does_not_say_why_the_cut_of_the_graph_is_drawn(read: Read) -> None:
    sketch = sample_reports.Sketch()
    net = sketch.module("", "Net")
    names = ("gates[0].weight", "gates[0].bias")
    gate = [sketch.parameter(name, (2, 2), "unregistered", gradient=Gradient("none")) for name in names]
    switched_off = sketch.op("linear", net, *gate, cut=True, at=sample_reports.line(31, "self.gates[0](x)"))
    product = sketch.op("mul", net, switched_off, sketch.parameter("main.weight", (2, 2)))
    sketch.loss("loss", product)
    kinds = (("parameter", "gates[0].weight"), ("operation", "linear"), ("operation", "mul"), ("loss", "loss"))
    blind = tuple(PathStep(kind, label) for kind, label in kinds)  # type: ignore[arg-type]
    finding = Finding("FXA205", "unregistered", "error", "kept in a list", "", names, path=blind)
    report = replace(sketch.report(), findings=(finding,))
    (cut,) = [arrow for arrow in read(draw_finding(report, finding)).arrows if arrow.has("e-cut")]
    assert "gradient ends here" in cut.text and "31" in cut.text
    alive = {name: replace(report[name], gradient=Gradient("finite", 1.0)) for name in names}
    seen = replace(report, parameters={**report.parameters, **alive})
    assert not [arrow for arrow in read(draw_finding(seen, finding)).arrows if arrow.has("e-cut")]


def test_a_dead_end_is_shown_where_the_value_goes_no_further(read: Read) -> None:
    sketch = sample_reports.Sketch()
    net = sketch.module("", "Net")
    sketch.op(
        "tanh", net, sketch.parameter("side.weight", (2, 2), "unreachable"), at=sample_reports.line(8, "aux = tanh(h)")
    )
    sketch.loss("loss", sketch.op("sum", net, sketch.parameter("main.weight", (2, 2))))
    drawn = read(draw(sketch.report(), parameter="side.weight"))
    assert drawn.box("nothing after this reaches the loss").has("k-gone")
    assert drawn.between("side.weight", "tanh")[0].has("e-idle")
    assert [arrow for arrow in drawn.arrows if arrow.has("e-missing")]


def test_other_ways_that_are_cut_as_well_are_counted(read: Read) -> None:
    sketch = sample_reports.Sketch()
    net = sketch.module("", "Net")
    weight = sketch.parameter("weight", (2, 2), "unreachable")
    ways = [sketch.op(f"cut{n}", net, weight, at=sample_reports.line(n + 1, "x"), cut=True) for n in range(5)]
    sketch.loss("loss", sketch.op("sum", net, *ways))
    drawn = read(draw(sketch.report(), parameter="weight"))
    assert "4 other ways" in drawn.box("✂ cut on").text


def test_without_any_graph_the_parameter_and_its_verdict_are_still_shown(read: Read) -> None:
    drawn = read(draw(sample_reports.without_graph(), parameter="scale"))
    assert drawn.box("scale").has("v-unknown")


def test_an_unknown_parameter_is_an_error_that_suggests_near_names() -> None:
    with pytest.raises(UnknownParameterError, match=r"no parameter '0\.weight'\. Did you mean 'encoder\.0\.weight'"):
        draw(sample_reports.broken(), parameter="0.weight")


def test_a_parameter_that_carries_the_path_of_another_is_drawn_with_its_own(read: Read) -> None:
    report = sample_reports.broken()
    lent = path_of(report["encoder.0.weight"], report.graph_data)
    parameters = {**report.parameters, "encoder.2.weight": replace(report["encoder.2.weight"], path=lent)}
    drawn = read(draw(replace(report, parameters=parameters), parameter="encoder.2.weight"))
    assert lent[0].label == "encoder.0.weight"
    assert not [box.text for box in drawn.boxes.values() if "encoder.0" in box.text]
    assert drawn.box("linear in encoder.2")


def test_no_value_flows_to_the_loss_from_where_the_path_of_a_blocked_parameter_ends(read: Read) -> None:
    report = sample_reports.broken()
    path = (PathStep("parameter", "encoder.0.weight"), PathStep("end", "unused", carries_gradient=False))
    blocked = replace(report["encoder.0.weight"], verdict="blocked", path=path)
    parameters = {**report.parameters, "encoder.0.weight": blocked}
    drawn = read(draw(replace(report, parameters=parameters), parameter="encoder.0.weight"))
    (last,) = [arrow for arrow in drawn.arrows if arrow.target == drawn.box("loss").name]
    assert last.has("e-missing")
    assert "nothing leads to the loss" in last.text


def test_zeros_are_red_up_to_the_operation_that_makes_them_and_green_behind_it(read: Read) -> None:
    drawn = read(draw(sample_reports.vanishing(), view="why"))
    arrows = {(a.name, a.target): a for a in drawn.arrows}
    states = [a.attributes["class"].strip('"') for a in arrows.values() if not a.has("e-holds")]
    assert states == ["e-zero", "e-zero", "e-grad", "e-grad", "e-grad"]
    assert [a.text for a in arrows.values() if a.has("e-zero")] == ["0", "0"]
    assert drawn.box("clamp in gate").has("k-cut") and not drawn.box("mul in gate").has("k-cut")


def test_the_norm_of_the_gradient_stands_at_the_arrow_out_of_the_parameter(read: Read) -> None:
    drawn = read(draw(sample_reports.healthy(), parameter="layer0.weight"))
    (norm,) = [arrow.text for arrow in drawn.arrows if arrow.text.startswith("gradient")]
    assert norm == "gradient 0.5"


def test_a_long_line_is_shown_around_the_part_that_is_meant_without_its_comment() -> None:
    code = "return self.out(" + "self.left(h) + " * 8 + "self.gain.clamp(0, 1))  # saturated"
    raw = "        " + code
    start = raw.index("self.gain")
    source = SourceLine("a.py", 3, "f", code, columns=(start, start + 20), context=((3, raw),))
    shown = code_around(source, 64)
    assert "self.gain.clamp(0, 1)" in shown and len(shown) <= 64 and shown[0] == "…" and "#" not in shown
    assert code_around(replace(source, code="x = 1  # short", context=()), 64) == "x = 1"
