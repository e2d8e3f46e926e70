"""The map without the line to blame: drawn only where that was tried, and only with what was seen."""

from __future__ import annotations

from dataclasses import replace

import torch

import fxaudit
from fxaudit.answer.afterwards import afterwards, revived
from fxaudit.answer.answer import Answer, Holder
from fxaudit.answer.finding import Finding, Patch
from fxaudit.renderers.html.page import page_from_report
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
