"""Where zeros, NaN and lost values come from: the finding names the statement that made them.

Every program marks the guilty line with the comment `# guilty`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import fxaudit
from fxaudit import Report
from fxaudit.answer.finding import Finding
from fxaudit.program.tree import rebinding_of

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the rehearsal runs in a forked copy")

Made = tuple[nn.Module, Callable[[], torch.Tensor], Any]


def report_on(make: Callable[[], Made], *, prove: bool = False) -> Report:
    torch.manual_seed(0)
    with fxaudit.watch():
        model, loss, optimizer = make()
        return fxaudit.audit(model, loss, optimizer, prove=prove)


def finding_on(report: Report, parameter: str) -> Finding:
    (found, *_) = [f for f in report.findings if parameter in f.parameters]
    return found


def assert_guilty(make: Callable[[], Made], parameter: str, code: str) -> Report:
    report = report_on(make)
    found = finding_on(report, parameter)
    assert found.code == code, found.message
    assert found.culprit is not None
    assert found.culprit.code.endswith("# guilty"), found.culprit.code
    return report


def sgd(model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(model.parameters(), lr=0.1)


def two_layers(between: nn.Module | None = None) -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 4), between or nn.Tanh(), nn.Linear(4, 2))


# -- written values ------------------------------------------------------------------------------------------------


def test_a_nan_written_into_a_weight_is_found_at_the_line_that_wrote_it() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)
        model[0].weight.data.view(-1)[0] = float("nan")  # guilty
        return model, lambda: model(x).square().mean(), sgd(model)

    assert_guilty(make, "2.bias", "FXA502")


class Scale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * x


def test_zeros_written_into_a_weight_are_found_at_the_line_that_wrote_them() -> None:
    def make() -> Made:
        model, x = two_layers(Scale()), torch.randn(5, 4)
        model[1].weight.data.zero_()  # guilty
        model[1].weight.requires_grad_(False)
        return model, lambda: model(x).square().mean(), sgd(model)

    report = assert_guilty(make, "2.weight", "FXA501")
    assert finding_on(report, "0.weight") is finding_on(report, "2.weight")


def test_a_bias_of_zeros_is_no_factor() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)
        nn.init.zeros_(model[0].bias)
        model[0].bias.requires_grad_(False)

        def loss() -> torch.Tensor:
            blank = x * 0.0  # guilty
            return model(blank).square().mean()

        return model, loss, sgd(model)

    assert_guilty(make, "2.weight", "FXA501")


def test_a_nan_in_a_mask_is_found_where_the_mask_was_made() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)
        mask = torch.full((4,), float("-inf"))

        def loss() -> torch.Tensor:
            broken = F.dropout(mask, 1.0)  # guilty
            return (model[0](x) + broken).softmax(-1).square().mean() + model[2](x).mean()

        return model, loss, sgd(model)

    assert_guilty(make, "0.weight", "FXA502")


# -- settings of layers --------------------------------------------------------------------------------------------


def test_a_dropout_switched_to_everything_later_is_found_at_the_assignment() -> None:
    def make() -> Made:
        model, x = two_layers(nn.Dropout(0.1)), torch.randn(5, 4)
        model[1].p = 1.0  # guilty
        return model, lambda: model(x).square().mean(), sgd(model)

    report = assert_guilty(make, "0.weight", "FXA501")
    assert finding_on(report, "2.weight") is finding_on(report, "0.weight")


def test_a_dropout_layer_that_lends_its_rate_is_found_where_the_rate_was_set() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head, self.dropout = nn.Linear(4, 4), nn.Linear(4, 2), nn.Dropout(0.1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = F.dropout(self.body(x), p=self.dropout.p, training=self.training)
            out: torch.Tensor = self.head(hidden)
            return out

    def make() -> Made:
        model, x = Net(), torch.randn(5, 4)
        model.dropout.p = 1.0  # guilty
        return model, lambda: model(x).square().mean(), sgd(model)

    assert_guilty(make, "body.weight", "FXA501")


# -- zeros followed back -------------------------------------------------------------------------------------------


def test_a_first_hidden_state_is_not_blamed_for_the_zeros_in_the_input() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.rnn, self.head = nn.Linear(4, 4), nn.LSTM(4, 4, batch_first=True), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            embedded = self.embed(x)
            embedded = torch.where(embedded > 1e9, embedded, torch.zeros_like(embedded))  # guilty
            states, _ = self.rnn(embedded)
            out: torch.Tensor = self.head(states)
            return out

    def make() -> Made:
        model, x = Net(), torch.randn(5, 3, 4)
        return model, lambda: model(x).square().mean(), sgd(model)

    assert_guilty(make, "rnn.weight_ih_l0", "FXA501")


def test_an_empty_tensor_is_no_factor_of_zero() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)

        def loss() -> torch.Tensor:
            values = x.masked_fill(x == x, 0.0).flatten()  # guilty
            cache = torch.tensor([])
            values = torch.cat([cache, values]).view(5, 4)
            return model(values).square().mean()

        return model, loss, sgd(model)

    assert_guilty(make, "0.weight", "FXA501")


def test_a_zero_is_followed_through_operations_that_keep_it() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)

        def loss() -> torch.Tensor:
            hidden = model[0](x)
            hidden = hidden.masked_fill(hidden == hidden, 0.0)  # guilty
            hidden = hidden.clone()
            hidden.detach_()
            return model[2](hidden.square()).square().mean()

        return model, loss, sgd(model)

    assert_guilty(make, "2.weight", "FXA501")


def test_a_dead_branch_explains_more_than_the_selection_of_one_token() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.mix, self.drop, self.head = nn.Linear(4, 4), nn.Linear(3, 3), nn.Dropout(1.0), nn.Linear(4, 2)  # guilty  # fmt: skip  # noqa: E501
            self.first = nn.Parameter(torch.randn(1, 1, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tokens = torch.cat([self.first.expand(len(x), 1, 4), self.embed(x)], 1)
            tokens = tokens + self.drop(self.mix(tokens.transpose(1, 2)).transpose(1, 2))
            out: torch.Tensor = self.head(tokens[:, 0])
            return out

    def make() -> Made:
        model, x = Net(), torch.randn(5, 2, 4)
        return model, lambda: model(x).square().mean(), sgd(model)

    report = report_on(make)
    assert finding_on(report, "embed.weight") is finding_on(report, "mix.weight")


def test_the_zeros_behind_a_nan_are_given_beside_it() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)

        def loss() -> torch.Tensor:
            weights = model(x).softmax(-1)
            weights = weights * 0.0  # the zeros
            return (weights / weights.sum(-1, keepdim=True)).square().mean()

        return model, loss, sgd(model)

    found = finding_on(report_on(make), "0.weight")
    assert found.code == "FXA502"
    assert any(r.source.code.endswith("# the zeros") for r in found.related)


# -- values thrown away --------------------------------------------------------------------------------------------


def test_a_value_replaced_by_noise_is_found_at_the_statement_that_replaces_it() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = self.body(x)
            hidden = torch.randn(hidden.shape)  # guilty
            out: torch.Tensor = self.head(hidden)
            return out

    def make() -> Made:
        model, x = Net(), torch.randn(5, 4)
        return model, lambda: model(x).square().mean(), sgd(model)

    assert_guilty(make, "body.weight", "FXA103")


def test_an_output_replaced_by_noise_is_found_in_the_loss_function() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)

        def predict() -> torch.Tensor:
            result: torch.Tensor = model(x)
            return result

        def loss() -> torch.Tensor:
            output = predict()
            output = torch.randn(output.shape)  # guilty
            return output.square().mean()

        return model, loss, sgd(model)

    assert_guilty(make, "0.weight", "FXA103")


def test_what_is_never_read_is_called_so_though_the_output_is_thrown_away() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)
        model.register_parameter("spare", nn.Parameter(torch.ones(4)))

        def loss() -> torch.Tensor:
            output = model(x)
            output = torch.randn(output.shape)  # guilty
            return output.square().mean()

        return model, loss, sgd(model)

    report = assert_guilty(make, "0.weight", "FXA103")
    assert finding_on(report, "spare").code == "FXA102"


def test_a_value_that_flows_on_is_not_thrown_away() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.aside, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            hidden = self.body(x)
            hidden = self.look_aside(hidden)
            hidden = torch.tanh(hidden)
            out: torch.Tensor = self.head(hidden)
            return out

        def look_aside(self, hidden: torch.Tensor) -> torch.Tensor:
            aside = self.aside(hidden)
            assert aside.shape == hidden.shape
            return hidden  # guilty

    def make() -> Made:
        model, x = Net(), torch.randn(5, 4)
        return model, lambda: model(x).square().mean(), sgd(model)

    report = assert_guilty(make, "aside.weight", "FXA103")
    found = finding_on(report, "aside.weight")
    told = {related.source.code: related.role for related in found.related}
    assert told["aside = self.aside(hidden)"] == "what is made here goes unused"
    assert not any("look_aside(hidden)" in code or "tanh" in code for code in told)


def test_the_other_branch_of_an_if_does_not_throw_away(tmp_path: Any) -> None:
    file = tmp_path / "branches.py"
    file.write_text(
        "def forward(x, flag):\n    if flag:\n        y = x + 1\n    else:\n        y = x.new_zeros(y.shape)\n"
        "    z = x\n    z = z.new_ones(z.shape)\n    return y, z\n"
    )
    ran = set(range(1, 9))
    assert rebinding_of(str(file), 3, ran) is None
    again = rebinding_of(str(file), 6, ran)
    assert again is not None and (again.line, again.reads_old) == (7, True)
    assert rebinding_of(str(file), 6, {1, 6}) is None


# -- cuts ----------------------------------------------------------------------------------------------------------


def test_an_array_that_becomes_a_tensor_again_is_followed() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)

        def loss() -> torch.Tensor:
            output = model(x)
            output = torch.from_numpy(output.detach().numpy())  # guilty
            return output.square().mean()

        return model, loss, sgd(model)

    assert_guilty(make, "0.weight", "FXA106")


def test_the_comparison_behind_a_mask_does_not_hide_the_detach_after_it() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)

        def loss() -> torch.Tensor:
            hidden = model[0](x)
            hidden = hidden * (hidden > 0)
            hidden = hidden.detach()  # guilty
            return model[2](hidden).square().mean()

        return model, loss, sgd(model)

    assert_guilty(make, "0.weight", "FXA104")


def test_the_detach_that_leaves_a_term_without_gradient_comes_before_those_that_lead_others_past() -> None:
    def make() -> Made:
        torch.manual_seed(0)
        model = nn.ModuleDict({"encoder": nn.Linear(4, 4), "codebook": nn.Embedding(8, 4)})
        x = torch.randn(16, 4)

        def loss() -> torch.Tensor:
            z = model["encoder"](x)
            q = model["codebook"](torch.cdist(z, model["codebook"].weight).argmin(-1))
            commitment = (z - q.detach()).square().mean()
            codes = (q.detach() - z.detach()).square().mean()  # guilty
            output = z + (q - z).detach()
            return output.square().mean() + 0.25 * commitment + codes

        return model, loss, sgd(model)

    assert_guilty(make, "codebook.weight", "FXA104")


def test_a_detached_baseline_in_a_factor_does_not_come_first() -> None:
    def make() -> Made:
        torch.manual_seed(0)
        model = nn.ModuleDict({"policy": nn.Linear(4, 2), "value": nn.Linear(4, 1)})
        x, returns = torch.randn(16, 4), torch.randn(16)

        def loss() -> torch.Tensor:
            value = model["value"](x).squeeze(-1)
            chosen = model["policy"](x).log_softmax(-1)[:, 0]
            policy = -(chosen * (returns - value.detach())).mean()
            error = (value.detach() - returns).square().mean()  # guilty
            return policy + error

        return model, loss, sgd(model)

    assert_guilty(make, "value.weight", "FXA104")


def test_a_new_leaf_that_the_loss_does_not_reach_is_not_listed() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)

        def loss() -> torch.Tensor:
            output = model(x).detach().requires_grad_()
            with torch.no_grad():
                return output.square().mean()

        return model, loss, sgd(model)

    report = report_on(make)
    assert {p.verdict for p in report.parameters.values()} == {"unreachable"}
    assert len(report.parameters) == 4


# -- replaced and frozen -------------------------------------------------------------------------------------------


class Overwriting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.body.weight.data.normal_()  # guilty
        out: torch.Tensor = self.head(self.body(x))
        return out


def test_what_forward_overwrites_is_replaced_though_no_gradient_arrives() -> None:
    def make() -> Made:
        model, x = Overwriting(), torch.randn(5, 4)
        return model, lambda: model(x).square().mean().round(), sgd(model)

    report = assert_guilty(make, "body.weight", "FXA202")
    assert (report["body.weight"].verdict, report["head.weight"].verdict) == ("replaced", "blocked")


def test_what_forward_overwrites_is_replaced_though_nothing_holds_it() -> None:
    def make() -> Made:
        model, x = Overwriting(), torch.randn(5, 4)
        optimizer = torch.optim.SGD([{"params": []}], lr=0.1)
        return model, lambda: model(x).square().mean(), optimizer

    report = report_on(make)
    assert (report["body.weight"].verdict, report["head.weight"].verdict) == ("replaced", "excluded")


def test_what_is_frozen_stays_frozen_though_forward_overwrites_it() -> None:
    def make() -> Made:
        model, x = Overwriting(), torch.randn(5, 4)
        model.body.requires_grad_(False)
        return model, lambda: model(x).square().mean().round(), sgd(model)

    assert report_on(make)["body.weight"].verdict == "frozen"


def test_a_target_network_that_forward_copies_and_nothing_holds_is_worth_a_note() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.online, self.target = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                for own, other in zip(self.target.parameters(), self.online.parameters(), strict=True):
                    own.copy_(other)
            out: torch.Tensor = self.online(x) - self.target(x).detach() - 1
            return out

    def make() -> Made:
        model, x = Net(), torch.randn(5, 4)
        return model, lambda: model(x).square().mean(), sgd(model.online)

    assert {f.level for f in report_on(make).findings} <= {"note"}


def test_each_line_that_freezes_has_a_finding_of_its_own() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)
        model[0].weight.requires_grad_(False)
        model[0].bias.requires_grad_(False)  # guilty
        return model, lambda: model(x).square().mean(), sgd(model)

    report = assert_guilty(make, "0.bias", "FXA306")
    assert finding_on(report, "0.weight") is not finding_on(report, "0.bias")


def test_a_parameter_replaced_right_after_the_optimizer_is_found_at_the_replacement() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.body(x)
            return out

    def make() -> Made:
        x, fresh = torch.randn(5, 4), torch.randn(2, 4)
        model = Net()
        optimizer = sgd(model)
        model.body.weight = nn.Parameter(fresh)  # guilty
        return model, lambda: model(x).square().mean(), optimizer

    assert_guilty(make, "body.weight", "FXA204")


def test_a_step_smaller_than_the_spacing_of_every_element_is_not_trained() -> None:
    def make() -> Made:
        model = nn.LayerNorm(4096)
        return model, lambda: model.weight.sum() + model.bias.sum(), torch.optim.SGD(model.parameters(), lr=2e-8)

    model, loss, optimizer = make()
    loss().backward()
    optimizer.step()
    assert torch.equal(model.weight, torch.ones(4096))
    report = report_on(make)
    assert (report["weight"].verdict, report["bias"].verdict) == ("blocked", "trained")
    assert finding_on(report, "weight").code == "FXA503"


# -- proofs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    [
        lambda v: v.new_tensor(v),
        lambda v: v * torch.zeros_like(v),
        lambda v: torch.where(v > 1e9, v, torch.zeros_like(v)),
        lambda v: v.masked_fill(v == v, 0.0),
        lambda v: v.clone().zero_(),
        lambda v: torch.floor(v),
    ],
    ids=["new_tensor", "zero mask", "where", "masked_fill", "zero_", "floor"],
)
@pytest.mark.filterwarnings("ignore:To copy construct")
def test_a_cause_with_a_neutral_form_is_proved(broken: Callable[[torch.Tensor], torch.Tensor]) -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)
        return model, lambda: model[2](broken(model[0](x))).square().mean(), sgd(model)

    assert finding_on(report_on(make, prove=True), "0.weight").proved is True


def test_a_hook_that_zeroes_a_gradient_is_proved() -> None:
    def make() -> Made:
        model, x = two_layers(), torch.randn(5, 4)
        model[0].weight.register_hook(lambda gradient: torch.zeros_like(gradient))  # guilty
        return model, lambda: model(x).square().mean(), sgd(model)

    found = finding_on(report_on(make, prove=True), "0.weight")
    assert (found.code, found.proved) == ("FXA504", True)


def small_gradient_in_bfloat16() -> Made:
    half, rest = nn.Linear(4, 4).bfloat16(), nn.Linear(4, 1)
    model, x = nn.ModuleList([half, rest]), torch.randn(8, 4)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-6)  # guilty

    def loss() -> torch.Tensor:
        return 1e-4 * half(x.bfloat16()).float().square().mean() + rest(x).square().mean()

    return model, loss, optimizer


def test_a_small_gradient_in_half_precision_is_no_noise() -> None:
    """Beside the largest it is below bfloat16's spacing; only steps tell whether it changes anything."""
    report = assert_guilty(small_gradient_in_bfloat16, "0.weight", "FXA503")
    assert report.parameters["0.weight"].verdict == "blocked"
    assert report.parameters["1.weight"].verdict == "trained"


def term_times_a_written_zero() -> Made:
    body, aux = nn.Linear(4, 1), nn.Linear(4, 1)
    model, x = nn.ModuleList([body, aux]), torch.randn(8, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss() -> torch.Tensor:
        main = body(x).square().mean()
        term = aux(x).square().mean()
        term = term * 0.0  # guilty
        return main + term

    return model, loss, optimizer


def test_a_zero_that_is_written_in_the_line_is_not_followed_to_the_other_factor() -> None:
    report = assert_guilty(term_times_a_written_zero, "1.weight", "FXA501")
    assert report.parameters["1.weight"].verdict == "blocked"


class Returning(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head, self.aux = nn.Linear(4, 1), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> Any:
        extra = self.aux(x)
        return self.head(x), extra


def unread_result() -> Made:
    model, x = Returning(), torch.randn(8, 4)
    return model, lambda: model(x)[0].square().mean(), torch.optim.SGD(model.parameters(), lr=0.1)


def test_a_result_that_is_returned_and_never_used_is_said_to_be_returned() -> None:
    found = finding_on(report_on(unread_result), "aux.weight")
    roles = [related.role for related in found.related]
    assert (found.code, roles[:1]) == ("FXA103", ["it is returned here, and not used by the loss"]), roles


# -- facts ---------------------------------------------------------------------------------------------------------


def test_a_zero_gradient_is_explained_by_the_numbers_seen_and_the_help_follows() -> None:
    def make() -> Made:
        model, x = two_layers(nn.ReLU()), torch.randn(5, 4)
        with torch.no_grad():
            model[0].bias.fill_(-50.0)
        return model, lambda: model(x).square().mean(), sgd(model)

    report = report_on(make)
    found = finding_on(report, "0.weight")
    assert found.fact == "all 20 inputs of `relu` are 0 or less"
    assert found.fact in found.message
    assert "above 0" in found.fix
    assert Report.from_json(report.to_json()).findings[0].fact == report.findings[0].fact


def test_softmax_over_one_class_is_told_as_such() -> None:
    def make() -> Made:
        model, x = nn.Linear(4, 1), torch.randn(5, 4)
        target = torch.rand(5, 1)
        return model, lambda: F.cross_entropy(model(x), target), sgd(model)  # guilty

    found = finding_on(assert_guilty(make, "weight", "FXA501"), "weight")
    assert found.fact == "softmax over a dimension of size 1 is 1 whatever comes in"


def test_a_factor_of_zeros_is_explained_where_the_zeros_were_made() -> None:
    def make() -> Made:
        model, x = nn.ModuleList([nn.Linear(4, 3), nn.Linear(4, 3)]), torch.randn(5, 4)
        with torch.no_grad():
            model[0].bias.fill_(-50.0)
        return model, lambda: (torch.relu(model[0](x)) * model[1](x)).sum(), sgd(model)  # guilty

    found = finding_on(report_on(make), "1.weight")
    assert found.fact == "all 15 inputs of `relu` are 0 or less"


def test_numbers_packed_by_the_users_hooks_are_not_unpacked_a_second_time() -> None:
    unpacked = []

    def unpack(packed: torch.Tensor) -> torch.Tensor:
        unpacked.append(packed)
        return packed

    def make() -> Made:
        model, x = two_layers(nn.ReLU()), torch.randn(5, 4)
        with torch.no_grad():
            model[0].bias.fill_(-50.0)

        def loss() -> torch.Tensor:
            with torch.autograd.graph.saved_tensors_hooks(lambda tensor: tensor, unpack):
                return model(x).square().mean()

        return model, loss, sgd(model)

    model, loss, _ = make()
    loss().backward()
    plain = len(unpacked)
    assert plain > 0
    unpacked.clear()
    with fxaudit.watch(model, sgd(model)) as watch:
        for _ in range(3):
            optimizer = sgd(model)
            optimizer.zero_grad()
            loss().backward()
            optimizer.step()
    assert len(unpacked) == 3 * plain
    assert finding_on(watch.report, "0.weight").fact == "`relu` hands back zeros for it"


def test_the_first_backward_alone_is_blamed_for_nan_though_nothing_was_known_of_the_model_before() -> None:
    torch.manual_seed(0)
    with fxaudit.watch() as watch:
        model, head = nn.Linear(4, 4), nn.Linear(4, 2)
        optimizer = sgd(nn.ModuleList([model, head]))
        for _ in range(3):
            optimizer.zero_grad()
            hidden = model(torch.randn(5, 4))
            loss = head((hidden - hidden).abs().sqrt() + 1).square().mean()  # guilty
            loss.backward()
            optimizer.step()
    found = next(f for f in watch.report.findings if f.code == "FXA502")
    assert found.culprit is not None
    assert found.culprit.code.endswith("# guilty")
    assert found.fact == "`sqrt` of 0 at all 20 elements"
