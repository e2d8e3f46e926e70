"""What belongs to which step of a loop, and in which order."""

from __future__ import annotations

import torch
from torch import nn

import fxaudit
from fxaudit.answer.answer import StepReport

X, Y = torch.arange(12.0).reshape(4, 3) / 10, torch.ones(4, 1)


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


def loss_of(model: nn.Module) -> torch.Tensor:
    return nn.functional.mse_loss(model(X), Y)


def kinds(step: StepReport) -> list[tuple[str, int]]:
    return [(event.kind, event.count) for event in step.events if event.kind != "optimizer"]


def test_what_clears_before_the_forward_belongs_to_the_step_that_follows() -> None:
    model = nn.Linear(3, 1)
    with fxaudit.watch(model, optimizer := sgd(model)) as watch:
        for _ in range(3):
            optimizer.zero_grad()
            loss_of(model).backward()
            optimizer.step()
    whole = [("zero_grad", 1), ("forward", 1), ("backward", 1), ("step", 1)]
    assert [kinds(step) for step in watch.report.steps] == [whole] * 3


def test_what_clears_behind_the_step_belongs_to_it_and_so_does_a_scheduler() -> None:
    model = nn.Linear(3, 1)
    optimizer = sgd(model)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 5)
    with fxaudit.watch(model, optimizer) as watch:
        for _ in range(3):
            loss_of(model).backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    whole = [("forward", 1), ("backward", 1), ("step", 1), ("scheduler", 1), ("zero_grad", 1)]
    assert [kinds(step) for step in watch.report.steps[:2]] == [whole] * 2  # then all was seen


def test_what_clears_for_another_optimizer_begins_its_step() -> None:
    one, other = nn.Linear(3, 1), nn.Linear(3, 1)
    first, second = sgd(one), sgd(other)
    with fxaudit.watch(nn.ModuleList([one, other]), [first, second]) as watch:
        for _ in range(2):
            first.zero_grad()
            loss_of(one).backward()
            first.step()
            second.zero_grad()
            loss_of(other).backward()
            second.step()
    whole = [("zero_grad", 1), ("forward", 1), ("backward", 1), ("step", 1)]
    assert [kinds(step) for step in watch.report.steps] == [whole] * 4


def test_forwards_and_backwards_that_accumulate_are_counted_together() -> None:
    model = nn.Linear(3, 1)
    with fxaudit.watch(model, optimizer := sgd(model)) as watch:
        for _ in range(2):
            for _ in range(4):
                loss_of(model).backward()
            optimizer.step()
            optimizer.zero_grad()
    whole = [("forward", 4), ("backward", 4), ("step", 1), ("zero_grad", 1)]
    assert [kinds(step) for step in watch.report.steps] == [whole] * 2


def test_a_forward_is_told_at_its_line_and_one_without_gradients_is_not() -> None:
    model = nn.Linear(3, 1)
    with fxaudit.watch(model, optimizer := sgd(model)) as watch:
        for _ in range(2):
            with torch.no_grad():
                model(X)
            nn.MSELoss()(model(X), Y).backward()
            optimizer.step()
            optimizer.zero_grad()
    forwards = [event for step in watch.report.steps for event in step.events if event.kind == "forward"]
    assert [event.text for event in forwards] == ["Linear forward"] * 2
    (code,) = {event.source.code for event in forwards if event.source is not None}
    assert code.startswith("nn.MSELoss()(model(X), Y)")
    assert all(event.optimizers == (watch.report.optimizers[0].name,) for event in forwards)


def test_of_two_optimizers_of_a_class_the_finding_names_the_one_that_never_steps() -> None:
    one, other = nn.Linear(3, 1), nn.Linear(3, 1)
    nets = nn.ModuleList([one, other])
    opt_one, opt_other = sgd(one), sgd(other)
    with fxaudit.watch(nets, [opt_one, opt_other]) as watch:
        for _ in range(3):
            (loss_of(one) + loss_of(other)).backward()
            opt_one.step()
            opt_one.zero_grad()
            opt_other.zero_grad()
    (finding,) = [finding for finding in watch.report.findings if finding.code == "FXA401"]
    assert finding.message == "`step` is never called on `opt_other` (`SGD`) that holds `1.*`"
    with fxaudit.watch(one, opt_one) as watch:
        for _ in range(3):
            loss_of(one).backward()
            opt_one.zero_grad()
    (alone,) = [finding for finding in watch.report.findings if finding.code == "FXA401"]
    assert alone.message == "`step` is never called on the `SGD` that holds `{weight,bias}`"


def test_optimizers_in_a_dict_go_by_their_keys() -> None:
    nets = nn.ModuleDict({"actor": nn.Linear(3, 1), "critic": nn.Linear(3, 1)})

    def train() -> None:
        opts = {
            "actor": torch.optim.SGD(nets["actor"].parameters(), lr=0.1),
            "critic": torch.optim.SGD(nets["critic"].parameters(), lr=0.1),
        }
        for _ in range(2):
            for name, net in nets.items():
                opts[name].zero_grad()
                loss_of(net).backward()
                opts[name].step()

    with fxaudit.watch(nets) as watch:
        train()
    assert [optimizer.name for optimizer in watch.report.optimizers] == ["opts['actor']", "opts['critic']"]
