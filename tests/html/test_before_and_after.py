"""The map without the line to blame: drawn only where that was tried, and only with what was seen."""

from __future__ import annotations

from dataclasses import replace

import torch

import fxaudit
from fxaudit.answer.afterwards import afterwards, fixed_together, revived
from fxaudit.answer.answer import Answer, Holder
from fxaudit.answer.finding import Finding, Patch
from fxaudit.renderers.html.markup import render
from fxaudit.renderers.html.page import page_from_report
from fxaudit.renderers.text.markdown import render as render_markdown
from tests.html.test_ribbon import cut_net, line


def net(*findings: Finding, held: bool = True) -> Answer:
    report = cut_net()
    dead = replace(report.parameters["a.weight"], verdict="unreachable", held_by=(Holder("opt", 0),) * held)
    return replace(report, parameters={**report.parameters, "a.weight": dead}, findings=findings)


CUT = Finding("FXA104", "detached-path", "error", "cut", "", ("a.weight",), line(2))
PROVED = CUT.with_proof(True, ("a.weight",))


def test_nothing_tried_shows_nothing() -> None:
    assert afterwards(net(CUT), CUT) is None
    failed = CUT.with_proof(False, ())
    assert afterwards(net(failed), failed) is None
    untried = replace(CUT, patch=Patch("untried", "+ x"))
    assert afterwards(net(untried), untried) is None


def test_what_was_proved_is_drawn_alive_up_to_the_loss() -> None:
    after = afterwards(net(PROVED), PROVED)
    assert after is not None
    assert after["a.weight"].verdict == "trained"
    assert not any(edge.cut for edge in after.graph_data.edges)
    assert all(node.carries_gradient for node in after.graph_data.nodes)


def test_a_proof_of_gradient_does_not_make_an_optimizer_hold_it() -> None:
    report = net(PROVED, held=False)
    after = afterwards(report, PROVED)
    assert after is not None and after["a.weight"].verdict == "excluded"
    tried = replace(CUT, patch=Patch("tried", "+ x"))
    after = afterwards(net(tried, held=False), tried)
    assert after is not None and after["a.weight"].verdict == "trained"


def test_another_cause_on_the_way_stays() -> None:
    other = replace(CUT, parameters=("b.weight",), culprit=line(4))
    report = net(PROVED, other)
    after = afterwards(report, PROVED)
    assert after is not None and after.graph_data == report.graph_data


def test_what_cannot_carry_a_gradient_is_not_drawn_green() -> None:
    report = net(PROVED)
    nodes = list(report.graph_data.nodes)
    nodes[3] = replace(nodes[3], label="argmax", floating=False)
    report = replace(report, graph_data=replace(report.graph_data, nodes=tuple(nodes)))
    after = afterwards(report, PROVED)
    assert after is not None and after.graph_data == report.graph_data


def both(*, state: str = "tried") -> Answer:
    """Two causes, each with a fix that was tried, and what came of both at once."""
    one = replace(CUT, patch=Patch("tried", "+ x"))
    other = replace(CUT, parameters=("b.weight",), culprit=line(4), patch=Patch("tried", "+ y"))
    report = net(one, other)
    dead = replace(report.parameters["b.weight"], verdict="unreachable")
    patch = Patch("tried" if state == "tried" else "failed", "--- a/m.py\n+++ b/m.py\n+ x\n+ y\n", ("m.py",), "2 train")
    return replace(report, parameters={**report.parameters, "b.weight": dead}, patch=patch)


def test_all_fixes_that_were_tried_together_make_a_map_of_their_own() -> None:
    report = both()
    assert fixed_together(report) == report.findings
    after = afterwards(report, *report.findings)
    assert after is not None
    assert {p.verdict for p in after} == {"trained"} and not any(edge.cut for edge in after.graph_data.edges)
    page = page_from_report(report)
    assert [v.button for v in page.versions] == ["With all fixes", "With the fix of cause 1", "With the fix of cause 2"]
    assert page.versions[0].told == "All fixes were tried together: 2 parameters, 0 elements alive."
    assert "v-unreachable" not in page.versions[0].picture and "v-unreachable" in page.versions[1].picture
    assert page.together is not None and page.together.seen[0].text == "2 train"
    assert "<strong>All fixes together, tried:</strong> 2 train" in render(report)
    assert "**All fixes together, tried:** 2 train" in render_markdown(report)


def test_what_one_edit_mends_is_drawn_mended_at_once() -> None:
    report = both()
    one, other = report.findings
    assert one.patch is not None
    report = replace(report, findings=(one, replace(other, patch=one.patch)), patch=None)
    (version,) = page_from_report(report).versions
    assert (version.button, version.told) == (
        "With the fix of causes 1 and 2",
        "The fix was tried: 2 parameters, 0 elements alive.",
    )
    assert "v-unreachable" not in version.picture


def test_fixes_that_do_not_work_together_are_not_drawn_so() -> None:
    report = both(state="failed")
    assert fixed_together(report) == ()
    assert [v.button for v in page_from_report(report).versions] == [f"With the fix of cause {n}" for n in (1, 2)]


class Cut(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x).detach())


def test_the_page_has_a_second_map_of_what_an_audit_proved() -> None:
    model, x = Cut(), torch.ones(3, 2)
    report = fxaudit.audit(model, lambda: model(x).sum(), torch.optim.SGD(model.parameters(), lr=0.1))
    (version,) = page_from_report(report).versions
    assert revived(report, report.findings[0]) == ("first.weight", "first.bias")
    assert version.told == "The line was neutralised, and the step run again: 2 parameters, 6 elements alive."
    assert "v-unreachable" not in version.picture and "e-cut" not in version.picture
