"""What is expected of a model with adapters of peft, and expectations where the first pattern decides."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.errors import InvalidModelError
from tests.integrations.apart import apart, needs


class Gated(nn.Module):
    """Something to adapt, with a head that is to be trained as a whole."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.second(self.first(x).relu()).relu())
        return result


@pytest.mark.slow
@needs("peft")
@pytest.mark.parametrize("kind", ["lora", "dora", "ia3", "bias"])
def test_peft_expects_the_adapters_to_train_and_nothing_else(kind: str) -> None:
    def work() -> dict[str, Any]:
        import peft

        saved = ["head"]
        config = {
            "lora": lambda: peft.LoraConfig(target_modules=["first", "second"], r=2, modules_to_save=saved),
            "dora": lambda: peft.LoraConfig(target_modules=["first"], r=2, use_dora=True),
            "ia3": lambda: peft.IA3Config(target_modules=["first", "second"], feedforward_modules=[]),
            "bias": lambda: peft.LoraConfig(target_modules=["first"], r=2, bias="lora_only"),
        }[kind]()
        torch.manual_seed(0)
        model = peft.get_peft_model(Gated(), config)
        optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=0.01)
        x = torch.randn(8, 4)

        def audited() -> Any:
            return fxaudit.audit(model, lambda: model(x).square().mean(), optimizer, expect=fxaudit.peft())

        good = audited()
        adapters = [name for name, p in model.named_parameters() if p.requires_grad]
        assert {p.name for p in good if p.verdict == "trained"} == set(adapters)
        model.get_parameter(adapters[0]).requires_grad_(False)
        frozen = audited()
        model.get_parameter(adapters[0]).requires_grad_(True)
        base = next(p for name, p in model.named_parameters() if not p.requires_grad and "second" in name)
        base.requires_grad_(True)
        optimizer.add_param_group({"params": [base]})
        loose = audited()
        return {
            "good": [finding.code for finding in good.findings if finding.level == "error"],
            "frozen": [finding.code for finding in frozen.findings if finding.level == "error"],
            "loose": [finding.code for finding in loose.findings if finding.level == "error"],
        }

    assert apart(work) == {"good": [], "frozen": ["FXA602"], "loose": ["FXA601"]}


@needs("peft")
def test_peft_knows_which_adapter_is_in_use() -> None:
    def work() -> dict[str, Any]:
        import peft

        model = peft.get_peft_model(Gated(), peft.LoraConfig(target_modules=["first"], r=2))
        model.add_adapter("other", peft.LoraConfig(target_modules=["second"], r=2))
        first = dict(fxaudit.peft()([("", model)]))
        model.set_adapter("other")
        return {"first": first, "other": dict(fxaudit.peft()([("net", model), ("b", nn.Linear(1, 1))]))}

    assert apart(work) == {
        "first": {"*.lora_A.default.*": "trained", "*.lora_B.default.*": "trained", "*": "frozen"},
        "other": {"net.*.lora_A.other.*": "trained", "net.*.lora_B.other.*": "trained", "net.*": "frozen"},
    }


@needs("peft")
def test_peft_refuses_a_model_without_adapters() -> None:
    with pytest.raises(InvalidModelError, match="this has none"):
        fxaudit.audit(nn.Linear(2, 1), inputs=(torch.ones(1, 2),), expect=fxaudit.peft())


def test_the_first_pattern_that_fits_decides() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    model[0].requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    x = torch.ones(1, 2)
    expect = {"1.*": "trained", "*": "frozen"}
    report = fxaudit.audit(model, lambda: model(x).sum(), optimizer, expect=expect)
    assert report.ok, report
    assert fxaudit.assert_trains(model, lambda: model(x).sum(), optimizer, expect=expect).ok
