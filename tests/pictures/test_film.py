"""The training step as a film."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from fxaudit.answer.answer import Event, Gradient, Holder, OptimizerReport, ParameterReport, StepReport
from fxaudit.answer.finding import Finding, Related
from fxaudit.program.source import SourceLine
from fxaudit.renderers.picture.draw import draw, svg
from fxaudit.renderers.picture.film import Film, film_of, film_of_events, has_film
from fxaudit.renderers.picture.film_svg import film_document, film_inline
from fxaudit.renderers.picture.film_tall import film_tall
from fxaudit.report import Report
from tests import sample_reports

GIVEN = {"zero_grad": 10, "backward": 12, "clip": 13, "step": 15}


def at(line: int) -> SourceLine:
    return sample_reports.line(line, f"line_{line}()", "train.py", "main")


def event(kind: str, line: int, *optimizers: str) -> Event:
    return Event(kind, f"{kind} of {', '.join(optimizers)}", at(line), 1, optimizers or ("opt",))


def report(
    *kinds: tuple[str, int], code: str = "FXA403", culprit: int = 0, related: tuple[Related, ...] = (), **more: object
) -> Report:
    names = ("a.weight", "b.weight")
    finding = Finding(
        code, "name", "error", "the gradient of `a.*` is gone", "", names, at(culprit) if culprit else None, related
    )
    parameters = {
        name: ParameterReport(name, "blocked", "", (2,), 2, held_by=(Holder("opt", 0),), findings=(finding,))
        for name in names
    }
    step = StepReport(tuple(event(kind, line) for kind, line in kinds))
    first = StepReport((Event("optimizer", "opt is built", at(3), 1, ("opt",)), *step.events))
    settings: dict[str, object] = {
        "optimizers": (OptimizerReport("opt", "Adam", at(3), ((0.1, names),), 3),),
        "steps": (first, step, step),
    }
    return Report(parameters, (finding,), **{**settings, **more})  # type: ignore[arg-type]


def ghost_of(film: Film) -> list[str]:
    return [("+" if missing else "") + word for word, missing in film.ghost.words] if film.ghost else []


def test_the_events_stand_in_their_order_and_the_fatal_one_bears_the_words() -> None:
    role = Related(at(15), "the step that finds no gradient")
    made = report(("backward", 12), ("clip", 13), ("zero_grad", 14), ("step", 15), culprit=14, related=(role,))
    film = film_of(made, made.findings[0])
    assert [(mark.word, mark.line, bool(mark.fatal)) for mark in film.marks] == [
        ("backward", "train.py:12", False),
        ("clip", "train.py:13", False),
        ("clear", "train.py:14", True),
        ("step", "train.py:15", False),
    ]
    assert film.marks[2].words == "the gradient of a.* is gone" and film.marks[3].words == role.role
    assert film.title == "step 2"


@pytest.mark.parametrize(
    ("kinds", "right"),
    [
        ((("backward", 12), ("clip", 13), ("zero_grad", 14), ("step", 15)), ["clear", "backward", "clip", "step"]),
        ((("backward", 12), ("zero_grad", 13), ("step", 15)), ["clear", "backward", "step"]),
        ((("backward", 12), ("step", 15)), ["+clear", "backward", "step"]),
        ((("zero_grad", 10), ("backward", 12)), ["clear", "backward", "+step"]),
        ((("zero_grad", 10), ("backward", 12), ("step", 15)), []),
        ((("backward", 12), ("step", 15), ("zero_grad", 16)), []),
        ((("zero_grad", 10), ("backward", 11), ("backward", 12), ("step", 15)), []),
    ],
)
def test_the_right_order_is_shown_where_the_order_is_wrong(
    kinds: tuple[tuple[str, int], ...], right: list[str]
) -> None:
    made = report(*kinds, culprit=15)
    assert ghost_of(film_of(made, made.findings[0])) == right


def test_the_right_order_is_shown_where_a_second_clear_does_the_harm() -> None:
    order = (("zero_grad", 10), ("forward", 11), ("backward", 12), ("zero_grad", 14), ("step", 15))
    made = report(*order, culprit=14)
    assert ghost_of(film_of(made, made.findings[0])) == ["clear", "forward", "backward", "step"]


def test_each_optimizer_has_a_lane_with_what_is_done_to_it() -> None:
    optimizers = tuple(OptimizerReport(n, "Adam", at(3), ((0.1, (f"{n}.w",)),), 3) for n in ("opt_t", "opt_s"))
    steps = tuple(
        StepReport((event("backward", line, name), event("step", line, name)))
        for _ in range(3)
        for line, name in ((11, "opt_t"), (12, "opt_s"))
    )
    left_out = ParameterReport("body.w", "excluded", "", (2,), 2)
    finding = Finding("FXA301", "not-in-optimizer", "error", "`Adam` does not hold `body.w`", "", ("body.w",), at(4))
    made = Report({"body.w": left_out}, (finding,), optimizers, steps)
    film = film_of(made, finding)
    assert [lane.name for lane in film.lanes] == ["opt_t", "opt_s", "no optimizer"]
    assert [(mark.word, mark.lanes) for mark in film.marks] == [
        ("backward", (1,)),
        ("step", (1,)),
        ("backward", (0,)),
        ("step", (0,)),
    ]
    assert film.lanes[2].about == "body.w" and film.lanes[2].remark == "no step changes it" and film.ghost is None


def test_the_groups_of_an_optimizer_have_lanes_and_only_the_one_that_is_meant_is_red() -> None:
    held = (Holder("opt", 1),)
    parameters = {
        "dead": ParameterReport("dead", "unreachable", "", gradient=Gradient("none"), held_by=(Holder("opt", 0),)),
        "still": ParameterReport("still", "blocked", "", gradient=Gradient("finite", 1.0), held_by=held),
    }
    finding = Finding("FXA304", "zero-learning-rate", "error", "`opt` steps `still` with rate 0", "", ("still",), at(3))
    made = report(("backward", 12), ("step", 15))
    optimizer = OptimizerReport("opt", "Adam", at(3), ((0.1, ("dead",)), (0.0, ("still",))), 3)
    film = film_of(replace(made, parameters=parameters, findings=(finding,), optimizers=(optimizer,)), finding)
    assert [(lane.name, lane.about) for lane in film.lanes] == [
        ("opt[0]", "lr 0.1 · 1 parameter"),
        ("opt[1]", "lr 0 · 1 parameter"),
    ]
    assert [(mark.word, mark.lanes, mark.fatal) for mark in film.marks] == [
        ("backward", (1,), ()),
        ("step", (0, 1), (1,)),
    ]


def test_where_nothing_was_done_the_lane_says_so_and_all_is_missing() -> None:
    made = report(code="FXA402", steps=(StepReport((Event("optimizer", "opt is built", at(3)),)),))
    film = film_of(made, made.findings[0])
    assert not film.marks and film.lanes[0].remark == "the gradient of a.* is gone"
    assert ghost_of(film) == ["+clear", "+backward", "+step"]


def test_the_lane_that_is_meant_is_shown_among_a_hundred() -> None:
    made = report(("backward", 12), ("step", 15), culprit=15)
    others = tuple(OptimizerReport(f"other{n}", "SGD", at(3), ((0.1, ()),), 3) for n in range(100))
    film = film_of(replace(made, optimizers=(*others, *made.optimizers)), made.findings[0])
    assert "opt" in [lane.name for lane in film.lanes] and len(film.lanes) <= 8
    assert [mark.fatal for mark in film.marks] == [(), (7,)]


def test_a_long_step_is_cut_short_and_keeps_what_is_to_blame() -> None:
    made = report(*((("backward"), 20 + n) for n in range(60)), ("step", 99), culprit=99)
    film = film_of(made, made.findings[0])
    assert len(film.marks) == 14 and film.marks[-1].word == "… 48 more"
    assert [mark.word for mark in film.marks if mark.fatal] == ["step"]


def test_causes_in_the_loop_and_the_optimizers_have_a_film_instead_of_the_forward() -> None:
    made = report(("backward", 12), ("zero_grad", 14), ("step", 15), culprit=14)
    assert has_film(made, made.findings[0]) and not has_film(replace(made, steps=()), made.findings[0])
    assert "✗ clear" in svg(made, parameter="a.weight") and "right order" in svg(made, view="why")
    assert "digraph" in draw(made, parameter="a.weight").source
    assert "✗" not in svg(sample_reports.broken(), view="why")


def test_a_recorded_step_is_marked_with_the_numbers_of_its_causes() -> None:
    made = report(("backward", 12), ("zero_grad", 14), ("step", 15), culprit=14)
    film = film_of_events(made, "step 2", made.steps[1].events, made.findings)
    assert [mark.words for mark in film.marks] == ["", "cause 1", ""]


def test_a_report_that_does_not_say_whose_events_they_are_draws_them_in_all_lanes() -> None:
    film = film_of_events(sample_reports.broken(), "step 1", sample_reports.broken().steps[0].events)
    assert [mark.word for mark in film.marks] == ["clear", "forward", "backward", "step"]
    assert {mark.lanes for mark in film.marks} == {(0,)}


def test_nothing_stands_outside_the_picture_and_hostile_names_are_only_text() -> None:
    evil = sample_reports.HOSTILE
    made = report(("backward", 12), ("zero_grad", 14), ("step", 15), culprit=14)
    finding = replace(made.findings[0], message=evil * 3)
    optimizer = replace(made.optimizers[0], name="opt", type=evil)
    film = film_of(replace(made, optimizers=(optimizer,)), finding)
    for text in (film_document(film, evil), film_inline(film, evil), film_tall(film, evil)):
        root = ElementTree.fromstring(text)
        assert not [e for e in root.iter() if e.tag.rpartition("}")[2] in ("script", "img")]
        assert " on" not in re.sub(r'"[^"]*"|>[^<]*<', "", text)
        width = float(root.get("width", "0"))
        for found in root.iter("{http://www.w3.org/2000/svg}text"):
            long = len(found.text or "") * 6 * (0.5 if found.get("text-anchor") else 1)
            assert float(found.get("x", "0")) + long <= width + 1, found.text


@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_upright_a_film_has_all_that_it_has_across_and_is_as_narrow_as_a_phone(lanes: int) -> None:
    made = report(("forward", 11), ("backward", 12), ("zero_grad", 14), ("step", 15), culprit=14)
    others = tuple(OptimizerReport(f"other{n}", "SGD", at(3), ((0.1, ()),), 3) for n in range(1, lanes))
    film = film_of(replace(made, optimizers=(*made.optimizers, *others)), made.findings[0])
    across, upright = (_words(draw(film, "film")) for draw in (film_inline, film_tall))
    assert across == upright
    root = ElementTree.fromstring(film_tall(film, "film"))
    assert float(root.get("width", "0")) <= 320
    xs = [float(e.get(name, "0")) for e in root.iter() for name in ("x", "cx", "x1", "x2") if e.get(name)]
    assert min(xs) >= 0 and max(xs) <= float(root.get("width", "0"))


def _words(picture: str) -> str:
    """The letters of a picture, whatever its lines are; the right order is also said to be somebody's."""
    texts = [element.text or "" for element in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    return "".join(sorted("".join(texts).replace("right order of opt", "right order").replace(" ", "")))


def test_of_a_step_that_is_missing_no_clear_beside_it_is_called_fatal() -> None:
    made = report(("backward", 12), ("scheduler", 13), ("zero_grad", 14), code="FXA401", culprit=14)
    film = film_of(made, made.findings[0])
    assert not any(mark.fatal for mark in film.marks) and film.lanes[0].remark == "the gradient of a.* is gone"
    assert "+step" in ghost_of(film)
    recorded = film_of_events(made, "step 2", made.steps[1].events, made.findings)
    assert not any(mark.fatal or mark.words for mark in recorded.marks)
    wrong = report(("backward", 12), ("zero_grad", 13), ("step", 15), code="FXA401", culprit=15)
    assert [mark.word for mark in film_of(wrong, wrong.findings[0]).marks if mark.fatal] == ["step"]


def test_the_step_of_another_optimizer_is_not_called_fatal_for_the_one_that_never_steps() -> None:
    names = ("a.weight", "b.weight")
    still = OptimizerReport("opt", "Adam", at(3), ((0.1, names),), 0)
    other = OptimizerReport("other", "SGD", at(4), ((0.1, ()),), 3)
    made = report(("backward", 12), code="FXA401", culprit=15, optimizers=(still, other))
    stepping = StepReport((event("backward", 12, "opt", "other"), event("step", 15, "other")))
    film = film_of(replace(made, steps=(stepping, stepping)), made.findings[0])
    assert not any(mark.fatal for mark in film.marks)
    assert film.lanes[0].remark == "the gradient of a.* is gone" and "+step" in ghost_of(film)


def test_a_lane_says_once_that_its_optimizer_never_steps() -> None:
    optimizer = OptimizerReport("opt", "Adam", at(3), ((0.1, ("a.weight", "b.weight")),), 0)
    made = report(("backward", 12), ("scaler", 14), code="FXA406", culprit=14, optimizers=(optimizer,))
    film = film_of(made, made.findings[0])
    assert [mark.word for mark in film.marks if mark.fatal] == ["scaler"] and film.lanes[0].remark == ""
