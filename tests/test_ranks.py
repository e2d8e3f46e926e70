"""Merging the reports of ranks, without any process: reports in, a report out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

import fxaudit
from fxaudit.answer.answer import Answer, Gradient, OptimizerReport, ParameterReport, Verdict
from fxaudit.answer.document import from_text, to_text
from fxaudit.answer.finding import Finding, Level
from fxaudit.answer.summary import unsettled_note
from fxaudit.errors import InvalidReportError
from fxaudit.program.source import SourceLine
from fxaudit.renderers import RENDERERS, render
from fxaudit.run.ranks.merge import Ending, RankReport, merged

SCHEMA = json.loads((Path(fxaudit.__file__).parent / "schema.json").read_text(encoding="utf-8"))
BRANCH = SourceLine("train.py", 12, "Net.forward", "if rank == 0:")
OTHER = SourceLine("train.py", 30, "main", "x = x.detach()")


def parameter(name: str, verdict: Verdict, *, reached_in: int = 3, steps: int = 3, state: str = "") -> ParameterReport:
    arrived = state or ("finite" if verdict == "trained" else "none")
    gradient = Gradient(arrived, 1.0 if arrived == "finite" else None)  # type: ignore[arg-type]
    return ParameterReport(
        name, verdict, f"because {verdict}", (2,), 2, "float32", gradient=gradient, reached_in=reached_in, steps=steps
    )


def finding(
    code: str, *names: str, culprit: SourceLine | None = BRANCH, level: Level = "error", message: str = ""
) -> Finding:
    return Finding(code, "some-defect", level, message or f"something about {code}", "Mend it.", names, culprit)


def report(*parameters: ParameterReport, findings: tuple[Finding, ...] = (), **rest: object) -> Answer:
    known = {
        p.name: replace(p, findings=tuple(finding for finding in findings if p.name in finding.parameters))
        for p in parameters
    }
    optimizers = (OptimizerReport("optimizer", "SGD", None, ((0.1, tuple(known)),), 3),)
    return Answer(parameters=known, findings=findings, optimizers=optimizers, title="train.py", **rest)  # type: ignore[arg-type]


def rank(number: int, of: Answer, *, ending: Ending = "enough", steps: int = 3, **facts: object) -> RankReport:
    return RankReport(number, of, ending, steps=steps, **facts)  # type: ignore[arg-type]


def test_ranks_that_agree_give_the_report_of_the_first_without_a_note() -> None:
    one = report(parameter("a", "trained"), parameter("b", "frozen"))
    both = merged([rank(1, one), rank(0, one)], 2)
    assert both.parameters == one.parameters
    assert (both.notes, both.findings, both.ok) == ((), (), True)
    assert both.title == "train.py on 2 ranks"
    assert both.environment["ranks"] == "2" and "missing ranks" not in both.environment


@pytest.mark.parametrize("worse", ["blocked", "excluded", "unreachable", "replaced", "frozen", "unknown"])
@pytest.mark.parametrize("first", [0, 1])
def test_what_trains_on_one_rank_trains(worse: Verdict, first: int) -> None:
    good, bad = report(parameter("a", "trained")), report(parameter("a", worse), findings=(finding("FXA101", "a"),))
    both = merged([rank(first, good), rank(1 - first, bad)], 2)
    assert both["a"].verdict == "trained"
    assert both.findings == () and both["a"].findings == ()
    if worse == "unknown":
        assert both.notes == ()
    else:
        answers = {first: "trained", 1 - first: worse}
        assert both.notes == (f"`a`: {answers[0]} on rank 0, {answers[1]} on rank 1.",)


def test_a_verdict_below_trained_holds_only_where_no_rank_has_a_better_one() -> None:
    cut = report(parameter("a", "unreachable"), parameter("b", "unreachable"), findings=(finding("FXA104", "a", "b"),))
    out = report(parameter("a", "excluded"), parameter("b", "unreachable"), findings=(finding("FXA104", "b"),))
    both = merged([rank(0, cut), rank(1, out)], 2)
    assert (both["a"].verdict, both["b"].verdict) == ("excluded", "unreachable")
    [left] = both.findings
    assert left.parameters == ("b",)
    assert "on rank" not in left.message


def test_what_cannot_be_known_on_one_rank_is_not_unreachable_because_of_another() -> None:
    cut, unsure = report(parameter("a", "unreachable")), report(parameter("a", "unknown"))
    assert merged([rank(0, cut), rank(1, unsure)], 2)["a"].verdict == "unknown"
    blocked = report(parameter("a", "blocked"))
    both = merged([rank(0, unsure), rank(1, blocked)], 2)
    assert both["a"].verdict == "blocked"


def test_the_same_cause_on_every_rank_is_one_finding_and_on_some_it_says_on_which() -> None:
    everywhere = finding("FXA104", "a", culprit=OTHER)
    here = finding("FXA404", "b", level="warning")
    one = report(parameter("a", "unreachable"), parameter("b", "trained"), findings=(everywhere,))
    two = report(parameter("a", "unreachable"), parameter("b", "trained"), findings=(here, everywhere))
    both = merged([rank(0, one), rank(1, two), rank(2, two)], 3)
    assert [(f.code, f.message) for f in both.findings] == [
        ("FXA104", "something about FXA104"),
        ("FXA404", "something about FXA404 (on ranks 1 and 2)"),
    ]
    assert both["a"].findings == (both.findings[0],)


def test_a_finding_speaks_of_the_parameters_of_all_ranks_in_their_order() -> None:
    names = ("a", "b", "c")
    each = [
        report(*(parameter(name, "unreachable") for name in names), findings=(finding("FXA103", *found),))
        for found in (("c", "a"), ("b",))
    ]
    [both] = merged([rank(0, each[0]), rank(1, each[1])], 2).findings
    assert both.parameters == names


UNEVEN = [
    rank(
        0,
        report(parameter("a", "trained"), parameter("b", "blocked", reached_in=1, steps=1)),
        ending="blocked",
        steps=0,
    ),
    rank(
        1,
        report(
            parameter("a", "trained", steps=1),
            parameter("b", "unreachable", reached_in=0, steps=1),
            findings=(finding("FXA101", "b"),),
            script_exit="RuntimeError: Expected to have finished. More.",
            traceback="Traceback of rank 1",
        ),
        ending="death",
        steps=1,
    ),
]  # fmt: skip


def test_uneven_use_is_a_finding_where_the_wrapper_waits_for_it() -> None:
    waiting = [replace(one, mirrored=frozenset("ab"), awaited=frozenset("ab")) for one in UNEVEN]
    both = merged(waiting, 2)
    [found] = both.findings
    assert (found.code, found.level, found.parameters, found.culprit) == ("FXA410", "error", ("b",), BRANCH)
    assert found.message == "rank 0 uses `b`, rank 1 does not"
    assert both["b"].verdict == "blocked" and both["b"].culprit == BRANCH
    assert [info.code for info in both.rules] == ["FXA410"]
    assert both.script_exit == "RuntimeError: Expected to have finished. More."
    assert both.traceback == "Traceback of rank 1"
    assert both.notes[0] == "Rank 1 died: RuntimeError: Expected to have finished."
    jsonschema.validate(json.loads(to_text(both)), SCHEMA)
    assert from_text(to_text(both)) == both


def test_uneven_use_without_a_waiting_wrapper_is_no_such_finding() -> None:
    assert "FXA410" not in {found.code for found in merged(UNEVEN, 2).findings}


def test_a_rank_that_was_cut_short_has_no_say_in_what_never_happened() -> None:
    whole = report(parameter("a", "trained"))
    short = report(parameter("a", "blocked"), findings=(finding("FXA401", "a"),))
    both = merged([rank(0, short, ending="blocked", steps=0, where="train.py:7"), rank(1, whole, ending="end")], 2)
    assert (both["a"].verdict, both.findings) == ("trained", ())
    assert both.notes == ("Rank 0 waited at train.py:7 for ranks that had ended, and was ended there.",)
    assert both.script_exit == "rank 0 waits for ever at train.py:7"
    alone = merged([rank(0, short, ending="terminated", steps=0)], 1)
    assert alone["a"].verdict == "blocked"


def test_missing_ranks_are_told() -> None:
    both = merged([rank(1, report(parameter("a", "trained")))], 4)
    assert both.notes == ("Ranks 0, 2, 3 gave no report: killed, or never there.",)
    assert both.environment["missing ranks"] == "0, 2, 3"
    assert both.script_exit == "ranks 0, 2, 3 gave no report"


def test_the_rank_that_died_first_gives_the_traceback() -> None:
    def died(text: str) -> Answer:
        return report(parameter("a", "trained"), script_exit=text, traceback=f"Traceback: {text}")

    both = merged(
        [
            rank(0, died("OSError: closed"), ending="death", deaths_before=1),
            rank(1, died("KeyError: 3"), ending="death"),
        ],
        2,
    )
    assert (both.script_exit, both.traceback) == ("KeyError: 3", "Traceback: KeyError: 3")
    assert both.notes == ("Rank 1 died: KeyError: 3.", "Rank 0 died: OSError: closed.")


def never_synchronised(*names: str) -> tuple[Finding, ...]:
    return (finding("FXA409", *names, level="warning"),)


@pytest.mark.parametrize("steps", [(3, 3), (3, 5)])
def test_gradients_averaged_by_hand_refute_that_they_are_never_averaged(steps: tuple[int, int]) -> None:
    one = report(parameter("a", "trained"), findings=never_synchronised("a"))
    equal = {"values": {"a": "1"}, "first_values": {"a": "2"}, "mirrored": frozenset("a")}
    pair = [rank(number, one, steps=count, **equal) for number, count in enumerate(steps)]
    assert merged(pair, 2).findings == ()
    which = "values" if steps[0] == steps[1] else "first_values"
    both = merged([pair[0], replace(pair[1], **{which: {"a": "7"}})], 2)
    assert [found.code for found in both.findings] == ["FXA409"]
    after = "3 steps" if steps[0] == steps[1] else "1 step"
    assert both.notes == (f"After {after} the values of `a` differ between the ranks.",)


def test_mirrored_values_that_come_apart_are_told() -> None:
    one = report(parameter("a", "trained"), parameter("b", "trained"))
    facts = {"mirrored": frozenset("ab")}
    pair = [rank(n, one, values={"a": "1", "b": str(n)}, **facts) for n in (0, 1)]
    assert merged(pair, 2).notes == (
        "After 3 steps the values of `b` differ between the ranks, although DistributedDataParallel is there to keep "
        "them equal.",
    )


def test_different_values_without_any_wrapper_are_models_of_their_own() -> None:
    one = report(parameter("a", "trained"))
    apart = [rank(n, one, values={"a": str(n)}) for n in (0, 1)]
    [note] = merged(apart, 2).notes
    assert note.endswith("each rank trains a model of its own.")
    assert merged([replace(each, values={"a": "0"}) for each in apart], 2).notes == ()
    assert merged([replace(each, sharded=True) for each in apart], 2).notes == ()


def test_a_trained_parameter_that_only_some_ranks_use_is_told() -> None:
    one = report(parameter("a", "trained"), parameter("b", "trained"))
    both = merged([rank(0, one, used=frozenset("ab")), rank(1, one, used=frozenset("a"))], 2)
    assert both.notes == ("`b`: used on rank 0, not used on rank 1.",)


def test_a_parameter_that_only_one_rank_has_is_listed_and_told() -> None:
    one, two = report(parameter("a", "trained")), report(parameter("a", "trained"), parameter("b", "trained"))
    both = merged([rank(0, one), rank(1, two)], 2)
    assert list(both.parameters) == ["a", "b"]
    assert both.notes == ("`b`: absent on rank 0, trained on rank 1.",)


def test_notes_of_single_ranks_say_whose_they_are_and_the_unsettled_are_counted_anew() -> None:
    one = report(parameter("a", "trained"), notes=("seen by all", "seen by one"))
    two = report(parameter("a", "unknown"), notes=("seen by all", unsettled_note(1)))
    assert merged([rank(0, one), rank(1, two)], 2).notes == ("seen by all", "Rank 0: seen by one")
    assert merged([rank(0, two), rank(1, two)], 2).notes == (unsettled_note(1), "seen by all")


def test_the_strongest_gradient_and_the_most_steps_of_any_rank_are_reported() -> None:
    weak = report(parameter("a", "blocked", state="zero", reached_in=1, steps=2))
    strong = report(parameter("a", "blocked", state="finite", reached_in=2, steps=5))
    both = merged([rank(0, weak), rank(1, strong)], 2)
    assert (both["a"].gradient.state, both["a"].reached_in, both["a"].steps) == ("finite", 2, 5)


@pytest.mark.parametrize("form", [r.name for r in RENDERERS if r.name not in ("pdf", "patch")])  # no fix was tried
def test_every_renderer_shows_a_merged_report_with_a_parameter_of_one_rank_only(form: str) -> None:
    ranks = [*UNEVEN[:1], replace(UNEVEN[1], report=replace(UNEVEN[1].report, parameters={
        **UNEVEN[1].report.parameters, "c": parameter("c", "unreachable")}))]  # fmt: skip
    assert render(merged(ranks, 2), form)


def test_a_rank_report_survives_its_way_as_bytes() -> None:
    one = rank(
        3,
        UNEVEN[1].report,
        ending="death",
        where="train.py:1",
        deaths_before=2,
        values={"a": "1"},
        first_values={"a": "0"},
        used=frozenset("a"),
        mirrored=frozenset("ab"),
        awaited=frozenset("b"),
        sharded=True,
    )
    assert RankReport.from_bytes(one.to_bytes()) == one


@pytest.mark.parametrize("data", [b"", b"nonsense", RankReport(0, Answer()).to_bytes()[:-9]])
def test_damaged_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidReportError, match="A rank's report is damaged"):
        RankReport.from_bytes(data)
