"""Programs that torch made of a model: graph modules, exported programs, quantization-aware training, fusing, function
transforms. They are told by the model's own names and lines.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.ao.quantization as quantization
from torch import nn
from torch.func import functional_call

import fxaudit

X = torch.linspace(-1, 1, 12).reshape(3, 4)
HERE = Path(__file__).name


class Net(nn.Module):
    """Its encoder is cut off where it is broken."""

    def __init__(self, *, broken: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder, self.act, self.head = nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1)
        self.broken = broken

    def forward(self, x: Any) -> Any:
        h = self.act(self.encoder(x))
        if self.broken:
            h = h.detach()  # cut
        return self.head(h)


class Convolved(Net):
    def __init__(self, *, broken: bool) -> None:
        super().__init__(broken=broken)
        self.encoder, self.norm = nn.Conv1d(1, 2, 3, padding=1), nn.BatchNorm1d(2)  # type: ignore[assignment]

    def forward(self, x: Any) -> Any:
        h = self.act(self.norm(self.encoder(x[:, None]))).flatten(1)
        if self.broken:
            h = h.detach()  # cut
        return self.head(h)


def traced_with_stacks(model: nn.Module) -> nn.Module:
    tracer = torch.fx.Tracer()
    tracer.record_stack_traces = True
    return torch.fx.GraphModule(model, tracer.trace(model))


def traced_by_us(model: nn.Module) -> nn.Module:
    return torch.fx.GraphModule(model, fxaudit.trace(model, X).graph)


def exported(model: nn.Module) -> nn.Module:
    return torch.export.export(model, (X,)).module()


def prepared_pt2e(model: nn.Module) -> nn.Module:
    pt2e = pytest.importorskip("torchao.quantization.pt2e.quantize_pt2e", reason="torchao is not installed")
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    quantizer = x86.X86InductorQuantizer()
    quantizer.set_global(x86.get_default_x86_inductor_quantization_config(is_qat=True))
    prepared: nn.Module = pt2e.prepare_qat_pt2e(exported(model.train()), quantizer)
    return prepared


def prepared_eagerly(model: nn.Module) -> nn.Module:
    model.train().qconfig = quantization.get_default_qat_qconfig("x86")  # type: ignore[assignment]
    prepared: nn.Module = quantization.prepare_qat(model)
    return prepared


def prepared_by_fx(model: nn.Module) -> nn.Module:
    from torch.ao.quantization.quantize_fx import prepare_qat_fx

    mapping = quantization.get_default_qat_qconfig_mapping("x86")
    prepared: nn.Module = prepare_qat_fx(model.train(), mapping, (X,))
    return prepared


def fused_by_fx(model: nn.Module) -> nn.Module:
    from torch.fx.experimental import optimization

    fused: nn.Module = optimization.fuse(model.eval())
    return fused


WITH_LINES = [traced_with_stacks, traced_by_us, exported, prepared_pt2e, prepared_eagerly, prepared_by_fx]
WITHOUT = [torch.fx.symbolic_trace, fused_by_fx]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # much of this is deprecated, and still in use
        yield


def audited(model: nn.Module, call: Callable[[], Any] | None = None) -> fxaudit.Report:
    def step() -> torch.Tensor:
        loss: torch.Tensor = (call() if call is not None else model(X)).square().mean()
        return loss

    return fxaudit.audit(model, step, torch.optim.SGD(model.parameters(), lr=0.1))


def made(make: Callable[[nn.Module], nn.Module], *, broken: bool) -> nn.Module:
    return make((Convolved if make is fused_by_fx else Net)(broken=broken))


@pytest.mark.parametrize("make", [*WITH_LINES, *WITHOUT])
@pytest.mark.parametrize("structure", [False, True])
def test_a_healthy_program_trains(make: Callable[[nn.Module], nn.Module], structure: bool) -> None:
    model = made(make, broken=False)
    report = fxaudit.audit(model) if structure else audited(model)
    assert {p.name: p.verdict for p in report} == {
        f"{part}.{name}": "trained" for part in ("encoder", "head") for name in ("weight", "bias")
    }
    assert not [finding for finding in report.findings if finding.level != "note"]


@pytest.mark.parametrize("make", [*WITH_LINES, *WITHOUT])
@pytest.mark.parametrize("structure", [False, True])
def test_a_broken_program_is_told(make: Callable[[nn.Module], nn.Module], structure: bool) -> None:
    model = made(make, broken=True)
    report = fxaudit.audit(model) if structure else audited(model)
    assert [name for name, p in report.parameters.items() if p.verdict == "unreachable"] == [
        "encoder.weight",
        "encoder.bias",
    ]
    (finding,) = [finding for finding in report.findings if finding.level != "note"]
    assert finding.code == "FXA104"
    assert finding.culprit is not None
    if make in WITH_LINES:
        assert Path(finding.culprit.file).name == HERE
        assert finding.culprit.code == "h = h.detach()  # cut"
    else:  # nothing in it knows the line: then the generated one, and no other
        assert "detach()" in finding.culprit.code and finding.culprit.file.startswith("<eval_with_key>")
    if not structure:
        assert finding.proved


@pytest.mark.parametrize("broken", [False, True])
def test_an_exported_program_is_audited_as_its_module(broken: bool) -> None:
    program = torch.export.export(Net(broken=broken), (X,))
    module = program.module()
    named = fxaudit.audit({"net": program}, lambda: module(X).mean())
    assert set(named.parameters) == {"encoder.weight", "encoder.bias", "head.weight", "head.bias"}
    for report in (fxaudit.audit(program), fxaudit.audit(program, inputs=(X,))):
        for parameter in report:
            cut = broken and parameter.name.startswith("encoder")
            assert parameter.verdict == ("unreachable" if cut else "trained")
    report = audited(module)
    assert (report["encoder.weight"].verdict == "unreachable") is broken
    assert fxaudit.trace(program, X).status == "traced"


def test_a_program_whose_metas_are_stripped_gets_no_wrong_line() -> None:
    module = exported(Net(broken=True))
    for node in module.graph.nodes:
        node.meta = {}
    module.recompile()
    report = audited(module)
    assert report["encoder.weight"].verdict == "unreachable"
    (finding,) = report.findings
    assert finding.culprit is None or finding.culprit.file.startswith("<eval_with_key>")


def test_stacks_that_make_no_sense_are_passed_over() -> None:
    module = traced_with_stacks(Net(broken=True))
    for node in module.graph.nodes:
        node.meta["stack_trace"] = "no such thing"
        node.stack_trace = "nothing to see here"
    module.recompile()
    assert audited(module)["encoder.weight"].verdict == "unreachable"


@pytest.mark.parametrize("broken", [False, True])
def test_a_functional_call_reads_the_parameters_it_is_given(broken: bool) -> None:
    model = Net(broken=broken)
    own = dict(model.named_parameters())
    report = audited(model, lambda: functional_call(model, own, (X,)))
    assert (report["encoder.weight"].verdict == "unreachable") is broken
    assert report["head.weight"].verdict == "trained"
    if broken:
        assert report.findings[0].culprit is not None
        assert report.findings[0].culprit.code == "h = h.detach()  # cut"


@pytest.mark.parametrize("broken", [False, True])
def test_an_ensemble_under_vmap_trains_what_is_stacked(broken: bool) -> None:
    models = [Net(broken=broken) for _ in range(3)]
    params, buffers = torch.func.stack_module_state(models)  # type: ignore[arg-type]
    base = copy.deepcopy(models[0]).to("meta").requires_grad_(False)
    optimizer = torch.optim.SGD(list(params.values()), lr=0.1)

    def step() -> torch.Tensor:
        out = torch.vmap(lambda p, b: functional_call(base, (p, b), (X,)))(params, buffers)
        loss: torch.Tensor = out.square().mean()
        return loss

    report = fxaudit.audit(base, step, optimizer)
    verdicts = {name: parameter.verdict for name, parameter in report.parameters.items()}
    assert verdicts["params['head.weight']"] == "trained"
    assert (verdicts["params['encoder.weight']"] == "trained") is not broken
    assert bool([finding for finding in report.findings if finding.level != "note"]) is broken
