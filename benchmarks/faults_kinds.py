"""The kinds of faults, and the source code that each is made of.

A kind is a few lines of Python with placeholders. Where they go depends on its place:

- `value`: after a tensor was computed, `{v}` being its name: the result of a sub-module or something in a forward;
- `call`: in place of `{v} = {call}`; `enter`: at the top of a sub-module's forward, which is `self` there;
- `decorator`: over a forward; `wrapper`: a module around a sub-module, called `inner`;
- `setup`: before the optimizer is made; `optimizer`: instead of it; `after`: after it; `{module}` is the sub-module;
- `output`, `loss`: in the loss function, on the model's output or the loss.

The lines that an expert would edit end with `# <-- planted`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

MARK = "# <-- planted"

Place = Literal[
    "value", "call", "enter", "decorator", "wrapper", "setup", "optimizer", "after", "output", "loss", "parameter"
]
PLACES_ON_A_MODULE = ("value", "call", "enter", "decorator", "wrapper", "parameter")


@dataclass(frozen=True)
class Site:
    """A sub-module of a healthy model and what its forward was seen to take and return."""

    path: str
    type: str
    calls: int
    result: str = ""
    """`tensor`, `tuple`, the key of a dict-like result, or nothing where no floating tensor comes back."""
    receives_gradient: bool = False
    shape: tuple[int, ...] = ()
    same_shape: bool = False
    """Whether the result has the shape and dtype of the first argument."""
    input_carries_gradient: bool = False
    floating_input: bool = False
    own: tuple[str, ...] = ()
    """The names of its own parameters."""
    numel: int = 0
    linears: tuple[str, ...] = ()
    resets: bool = False


@dataclass(frozen=True)
class Kind:
    """One way to break training: its code, where it goes, and the codes of the rules that name it."""

    name: str
    codes: tuple[str, ...]
    place: Place
    text: str
    fits: Callable[[Site], bool] = lambda site: True
    refused: bool = False
    """PyTorch itself raises; the parameter in question counts as `replaced`."""
    quiet: bool = False
    """No verdict changes; the finding alone tells."""

    @property
    def lines(self) -> list[str]:
        """The code, line by line."""
        return textwrap.dedent(self.text).strip("\n").split("\n")


def _codes(text: str) -> tuple[str, ...]:
    return tuple(f"FXA{code}" for code in text.split())


def _value(name: str, codes: str, text: str, fits: Callable[[Site], bool] = lambda site: True) -> Kind:
    return Kind(name, _codes(codes), "value", text, fits)


def _own(site: Site) -> bool:
    return bool(site.own)


def _passes_through(site: Site) -> bool:
    return site.same_shape and site.numel > 0


def _has_parameters(site: Site) -> bool:
    return site.numel > 0


ON_VALUES = (
    _value("detach", "104", "{v} = {v}.detach()  # <-- planted"),
    _value("data", "104", "{v} = {v}.data  # <-- planted"),
    _value("detach in place", "104", "{v} = {v}.clone()\n{v}.detach_()  # <-- planted"),
    _value("numpy round trip", "104 106 107", "{v} = torch.from_numpy({v}.detach().numpy())  # <-- planted"),
    _value("list round trip", "106 107", "{v} = torch.tensor({v}.tolist())  # <-- planted"),
    _value("item", "106 107", "{v} = torch.full_like({v}, {v}.mean().item())  # <-- planted"),
    _value("float()", "106 107", "level = float({v}.mean())  # <-- planted\n{v} = torch.zeros_like({v}) + level"),
    _value("torch.tensor", "107", "{v} = torch.tensor({v})  # <-- planted"),
    _value("new_tensor", "107", "{v} = {v}.new_tensor({v})  # <-- planted"),
    _value("nn.Parameter", "107", "{v} = nn.Parameter({v})  # <-- planted"),
    _value("detach, requires_grad_", "104 107", "{v} = {v}.detach().requires_grad_()  # <-- planted"),
    _value("threshold", "108", "{v} = ({v} > 0).float()  # <-- planted"),
    _value("argmax", "108", "{v} = F.one_hot({v}.argmax(-1), {v}.shape[-1]).float()  # <-- planted"),
    _value("integer cast", "108 501", "{v} = {v}.long().float()  # <-- planted"),
    _value("argsort", "108", "{v} = {v}.argsort(-1).float()  # <-- planted"),
    _value("bernoulli", "108 501", "{v} = torch.bernoulli({v}.sigmoid())  # <-- planted"),
    _value("round", "501 108", "{v} = {v}.round()  # <-- planted"),
    _value("sign", "501 108", "{v} = {v}.sign()  # <-- planted"),
    _value("floor", "501 108", "{v} = torch.floor({v} * 2) / 2  # <-- planted"),
    _value("zero mask", "501", "mask = torch.zeros_like({v})  # <-- planted\n{v} = {v} * mask"),
    _value("times 0.0", "501", "{v} = {v} * 0.0  # <-- planted"),
    _value("masked everywhere", "501", "{v} = {v}.masked_fill({v} == {v}, 0.0)  # <-- planted"),
    _value("where never", "501", "{v} = torch.where({v} > 1e9, {v}, torch.zeros_like({v}))  # <-- planted"),
    _value("saturated clamp", "501", "{v} = {v}.clamp(min=100.0)  # <-- planted"),
    _value("dead relu", "501", "{v} = torch.relu({v} - 1e4)  # <-- planted"),
    _value("softmax over one", "501", "{v} = {v}.unsqueeze(-1).softmax(-1).squeeze(-1)  # <-- planted"),
    _value("dropout 1.0", "501", "{v} = F.dropout({v}, 1.0)  # <-- planted"),
    _value("zeroed in place", "501 103", "{v} = {v}.clone()\n{v}.zero_()  # <-- planted"),
    _value("zeroing hook", "504 501", "{v}.register_hook(lambda gradient: gradient * 0)  # <-- planted"),
    _value("sqrt(0)", "502", "{v} = {v} + torch.sqrt({v} - {v})  # <-- planted"),
    _value("log(0)", "502", "{v} = {v} + 0 * torch.log({v} - {v})  # <-- planted"),
    _value("norm of zero ** 0.5", "502", "{v} = {v} + (({v} * 0).pow(2).sum(-1, keepdim=True)) ** 0.5  # <-- planted"),
    _value("overwritten by noise", "103", "{v} = torch.randn({v}.shape)  # <-- planted"),
    _value(
        "Function returns None",
        "111",
        """
        class Passing{n}(torch.autograd.Function):
            @staticmethod
            def forward(ctx, value):
                return value * 1.0

            @staticmethod
            def backward(ctx, gradient):
                return None  # <-- planted

        {v} = Passing{n}.apply({v})  # <-- planted
        """,
    ),
    _value(
        "Function returns zeros",
        "111 501",
        """
        class Scaled{n}(torch.autograd.Function):
            @staticmethod
            def forward(ctx, value):
                return value * 1.0

            @staticmethod
            def backward(ctx, gradient):
                return torch.zeros_like(gradient)  # <-- planted

        {v} = Scaled{n}.apply({v})  # <-- planted
        """,
    ),
    _value("no_grad on a copy", "105", "with torch.no_grad():  # <-- planted\n    {v} = {v} * 1.0"),
    _value(
        "inference mode on a copy",
        "105",
        "with torch.inference_mode():  # <-- planted\n    held = {v} * 1.0\n{v} = held.clone()",
    ),
)

ON_CALLS = (
    Kind("no_grad block", _codes("105"), "call", "with torch.no_grad():  # <-- planted\n    {v} = {call}"),
    Kind(
        "set_grad_enabled(False)",
        _codes("105"),
        "call",
        "torch.set_grad_enabled(False)  # <-- planted\n{v} = {call}\ntorch.set_grad_enabled(True)",
    ),
    Kind(
        "inference mode",
        _codes("105"),
        "call",
        "with torch.inference_mode():  # <-- planted\n    held = {call}\n{v} = held.clone()",
    ),
    Kind("no_grad decorator", _codes("105"), "decorator", "@torch.no_grad()  # <-- planted"),
    Kind(
        "output unused",
        _codes("103"),
        "call",
        "unused = {call}  # <-- planted\n{v} = args[0]  # <-- planted",
        _passes_through,
    ),
    Kind(
        "reentrant checkpoint",
        _codes("110"),
        "call",
        "{v} = checkpoint({function}, *args, use_reentrant=True, **kwargs)  # <-- planted",
        lambda site: site.numel > 0 and not site.input_carries_gradient,
    ),
    Kind(
        "input detached",
        _codes("104"),
        "enter",
        "args = (args[0].detach(), *args[1:])  # <-- planted",
        lambda site: site.input_carries_gradient,
    ),
    Kind("normal_ in forward", _codes("202"), "enter", "self.{p}.data.normal_()  # <-- planted", _own),
    Kind(
        "copy_ in forward",
        _codes("202"),
        "enter",
        "fresh = torch.arange(self.{p}.numel()) * 0.01\nself.{p}.data.copy_(fresh.view(self.{p}.shape))  # <-- planted",
        _own,
    ),
    Kind(
        "data set in forward",
        _codes("202"),
        "enter",
        "self.{p}.data = torch.ones_like(self.{p}) * 0.1  # <-- planted",
        _own,
    ),
    Kind(
        "reset_parameters in forward",
        _codes("202"),
        "enter",
        "self.reset_parameters()  # <-- planted",
        lambda s: s.resets,
    ),
    Kind(
        "Parameter made in forward",
        _codes("201 203"),
        "enter",
        "self.{p} = nn.Parameter(torch.randn(self.{p}.shape))  # <-- planted",
        _own,
    ),
    Kind("slot assigned", _codes("201"), "enter", "self.{p} = self.{p} * 0.9  # <-- planted", _own, refused=True),
    Kind(
        "module made in forward",
        _codes("203"),
        "enter",
        "self.{linear} = nn.Linear(self.{linear}.in_features, self.{linear}.out_features)  # <-- planted",
        lambda site: bool(site.linears),
    ),
)

WRAPPERS = (
    Kind(
        "module not called",
        _codes("101"),
        "wrapper",
        """
        class Optional{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner
                self.enabled = False

            def forward(self, x, *args, **kwargs):
                if self.enabled:  # <-- planted
                    x = self.inner(x, *args, **kwargs)  # <-- planted
                return x
        """,
        _passes_through,
    ),
    Kind(
        "in a list",
        _codes("205"),
        "wrapper",
        """
        class Listed{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.parts = [inner]  # <-- planted

            def forward(self, *args, **kwargs):
                return self.parts[0](*args, **kwargs)
        """,
        _has_parameters,
    ),
    Kind(
        "in a dict",
        _codes("205"),
        "wrapper",
        """
        class Named{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.parts = {"main": inner}  # <-- planted

            def forward(self, *args, **kwargs):
                return self.parts["main"](*args, **kwargs)
        """,
        _has_parameters,
    ),
    Kind(
        "in a closure",
        _codes("205"),
        "wrapper",
        """
        class Closed{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.run = lambda *args, **kwargs: inner(*args, **kwargs)  # <-- planted

            def forward(self, *args, **kwargs):
                return self.run(*args, **kwargs)
        """,
        _has_parameters,
    ),
    Kind(
        "zero pair",
        _codes("501"),
        "wrapper",
        """
        class Adapted{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner
                self.down = nn.Linear({width}, 3, bias=False)
                self.up = nn.Linear(3, {width}, bias=False)
                nn.init.zeros_(self.down.weight)  # <-- planted
                nn.init.zeros_(self.up.weight)  # <-- planted

            def forward(self, *args, **kwargs):
                out = self.inner(*args, **kwargs)
                return out + self.up(self.down(out))
        """,
        lambda site: site.result == "tensor" and len(site.shape) > 1,
    ),
    Kind(
        "Parameter in a list",
        _codes("205"),
        "wrapper",
        """
        class Scaled{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner
                self.scales = [nn.Parameter(torch.ones({width}))]  # <-- planted

            def forward(self, *args, **kwargs):
                return self.inner(*args, **kwargs) * self.scales[0]
        """,
        lambda site: site.result == "tensor" and len(site.shape) > 1,
    ),
    Kind(
        "not a leaf",
        _codes("206"),
        "wrapper",
        """
        class Scaled{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner
                self.scale = nn.Parameter(torch.ones({width})).to(torch.float64)  # <-- planted

            def forward(self, *args, **kwargs):
                return self.inner(*args, **kwargs) * self.scale.float()
        """,
        lambda site: site.result == "tensor" and len(site.shape) > 1,
    ),
    Kind(
        "never read",
        _codes("102"),
        "wrapper",
        """
        class Scaled{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner
                self.scale = nn.Parameter(torch.ones({width}))  # <-- planted

            def forward(self, *args, **kwargs):
                return self.inner(*args, **kwargs)
        """,
        lambda site: bool(site.shape),
    ),
    Kind(
        "term left out",
        _codes("103"),
        "wrapper",
        """
        class Probed{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner
                self.probe = nn.Linear({width}, 1)

            def forward(self, *args, **kwargs):
                out = self.inner(*args, **kwargs)
                penalty = self.probe(out).pow(2).mean()  # <-- planted
                return out  # <-- planted
        """,
        lambda site: site.result == "tensor" and len(site.shape) > 1,
    ),
    Kind(
        "weighed by 0.0",
        _codes("501"),
        "wrapper",
        """
        class Weighed{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner
                self.weight = 0.0  # <-- planted

            def forward(self, *args, **kwargs):
                return self.weight * self.inner(*args, **kwargs)  # <-- planted
        """,
        lambda site: site.result == "tensor" and site.numel > 0,
    ),
    Kind(
        "bf16, tiny lr",
        _codes("503"),
        "wrapper",
        """
        class Half{n}(nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.inner = inner.bfloat16()  # <-- planted

            def forward(self, x):
                return self.inner(x.bfloat16()).float()

        optimizer_line: optimizer = torch.optim.{optimizer}(model.parameters(), lr=1e-6)  # <-- planted
        """,
        lambda site: site.type in ("Linear", "Conv2d") and site.floating_input,
    ),
)

ON_PARAMETERS = (
    Kind("weight detached", _codes("104"), "parameter", "weight = self.weight.detach()  # <-- planted"),
    Kind("weight.data", _codes("104"), "parameter", "weight = self.weight.data  # <-- planted"),
    Kind("weight rewrapped", _codes("107"), "parameter", "weight = torch.tensor(self.weight)  # <-- planted"),
    Kind(
        "weight under no_grad",
        _codes("105"),
        "parameter",
        "with torch.no_grad():  # <-- planted\n    weight = self.weight * 1.0",
    ),
    Kind("weight rounded", _codes("501 108"), "parameter", "weight = self.weight.sign() * 0.1  # <-- planted"),
    Kind(
        "weight masked",
        _codes("501"),
        "parameter",
        "mask = torch.zeros_like(self.weight)  # <-- planted\nweight = self.weight * mask",
    ),
)

IN_SETUP = (
    Kind(
        "zeroing parameter hook",
        _codes("504"),
        "setup",
        "{module}.{p}.register_hook(lambda gradient: torch.zeros_like(gradient))  # <-- planted",
        _own,
    ),
    Kind(
        "zeroing module hook",
        _codes("504"),
        "setup",
        """
        def stop{n}(module, before, behind):
            return tuple(g if g is None else g * 0 for g in before)  # <-- planted

        {module}.register_full_backward_hook(stop{n})  # <-- planted
        """,
        lambda site: site.input_carries_gradient,
    ),
    Kind("frozen yet held", _codes("306"), "setup", "{module}.requires_grad_(False)  # <-- planted", _has_parameters),
    Kind(
        "flag on the module",
        _codes("307"),
        "setup",
        "{module}.requires_grad = False  # <-- planted",
        _has_parameters,
        quiet=True,
    ),
    Kind(
        "detaching forward hook",
        _codes("104"),
        "setup",
        "{module}.register_forward_hook(lambda module, args, out: out.detach())  # <-- planted",
        lambda site: site.result == "tensor",
    ),
    Kind(
        "dropout layer at 1.0",
        _codes("501"),
        "setup",
        "model.set_submodule('{path}', nn.Dropout(1.0))  # <-- planted",
        lambda site: site.type == "Dropout",
    ),
    Kind(
        "dropout set to 1.0", _codes("501"), "setup", "{module}.p = 1.0  # <-- planted", lambda s: s.type == "Dropout"
    ),
    Kind(
        "norm weight zero and frozen",
        _codes("501 306"),
        "setup",
        "{module}.weight.data.zero_()  # <-- planted\n{module}.weight.requires_grad_(False)  # <-- planted",
        lambda site: "Norm" in site.type and "weight" in site.own,
    ),
    Kind(
        "NaN in the input weight",
        _codes("502"),
        "setup",
        "{module}.{p}.data.view(-1)[0] = float('nan')  # <-- planted",
        lambda site: bool(site.own) and site.type in ("Linear", "Conv2d", "LayerNorm"),
    ),
)

ON_OPTIMIZERS = (
    Kind(
        "lr 0",
        _codes("304"),
        "optimizer",
        "optimizer = torch.optim.{optimizer}(model.parameters(), lr=0.0)  # <-- planted",
    ),
    Kind(
        "lr 0 in a group",
        _codes("304"),
        "optimizer",
        """
        inside = {id(p) for p in {module}.parameters()}
        groups = [
            {"params": [p for p in model.parameters() if id(p) not in inside]},
            {"params": list({module}.parameters()), "lr": 0.0},  # <-- planted
        ]
        optimizer = torch.optim.{optimizer}(groups, lr=0.01)
        """,
        _has_parameters,
    ),
    Kind(
        "scheduler to 0",
        _codes("304"),
        "optimizer",
        """
        optimizer = torch.optim.{optimizer}(model.parameters(), lr=0.01)
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: epoch // 10 / 10)  # <-- planted
        """,
    ),
    Kind(
        "lr assigned 0",
        _codes("304"),
        "optimizer",
        """
        optimizer = torch.optim.{optimizer}(model.parameters(), lr=0.01)
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (0 // 100)  # <-- planted
        """,
    ),
    Kind(
        "excluded by name",
        _codes("301"),
        "optimizer",
        """
        chosen = [p for name, p in model.named_parameters() if not name.startswith("{path}")]  # <-- planted
        optimizer = torch.optim.{optimizer}(chosen, lr=0.01)  # <-- planted
        """,
        lambda site: site.numel > 0 and site.path.count(".") < 3,
    ),
    Kind(
        "only one part held",
        _codes("301"),
        "optimizer",
        "optimizer = torch.optim.{optimizer}({module}.parameters(), lr=0.01)  # <-- planted",
        _has_parameters,
    ),
    Kind(
        "frozen when built",
        _codes("301"),
        "optimizer",
        """
        {module}.requires_grad_(False)
        chosen = filter(lambda p: p.requires_grad, model.parameters())  # <-- planted
        optimizer = torch.optim.{optimizer}(chosen, lr=0.01)  # <-- planted
        {module}.requires_grad_(True)  # <-- planted
        """,
        _has_parameters,
    ),
    Kind(
        "vectors left out",
        _codes("301"),
        "optimizer",
        """
        decay = [p for p in model.parameters() if p.ndim > 1]
        optimizer = torch.optim.{optimizer}([{"params": decay, "weight_decay": 0.0}], lr=0.01)  # <-- planted
        """,
    ),
    Kind(
        "empty: pattern",
        _codes("302"),
        "optimizer",
        """
        chosen = [p for name, p in model.named_parameters() if "adapter_layer" in name]  # <-- planted
        optimizer = torch.optim.{optimizer}([{"params": chosen}], lr=0.01)  # <-- planted
        """,
    ),
    Kind(
        "empty: iterator used up",
        _codes("302"),
        "optimizer",
        """
        parameters = model.parameters()
        size = sum(p.numel() for p in parameters)  # <-- planted
        optimizer = torch.optim.{optimizer}([{"params": list(parameters)}], lr=0.01)  # <-- planted
        """,
    ),
    Kind(
        "foreign tensors",
        _codes("303 301"),
        "optimizer",
        """
        other, _ = subject.make({seed})
        optimizer = torch.optim.{optimizer}(other.parameters(), lr=0.01)  # <-- planted
        """,
    ),
    Kind(
        "held twice",
        _codes("305"),
        "optimizer",
        """
        optimizer = [
            torch.optim.SGD(model.parameters(), lr=0.01),
            torch.optim.SGD({module}.parameters(), lr=0.01),  # <-- planted
        ]
        """,
        _has_parameters,
        quiet=True,
    ),
)

AFTER = (
    Kind(
        "Parameter replaced later",
        _codes("204 301"),
        "after",
        "{module}.{p} = nn.Parameter({module}.{p}.detach().clone())  # <-- planted",
        _own,
    ),
    Kind(
        "layer replaced later",
        _codes("204 301"),
        "after",
        "model.set_submodule('{path}', nn.Linear({module}.in_features, {module}.out_features))  # <-- planted",
        lambda site: site.type == "Linear",
    ),
    Kind(
        "load with assign",
        _codes("204 301"),
        "after",
        """
        state = {name: value.clone() for name, value in {module}.state_dict().items()}
        {module}.load_state_dict(state, assign=True)  # <-- planted
        """,
        _has_parameters,
    ),
    Kind("deepcopy later", _codes("204 303"), "after", "model = copy.deepcopy(model)  # <-- planted"),
    Kind(
        "weight norm later",
        _codes("204 301"),
        "after",
        "nn.utils.parametrizations.weight_norm({module})  # <-- planted",
        lambda site: site.type in ("Linear", "Conv2d"),
    ),
    Kind("frozen later", _codes("306"), "after", "{module}.requires_grad_(False)  # <-- planted", _has_parameters),
)

IN_LOSSES = (
    Kind("loss: detached output", _codes("109 104"), "output", "output = output.detach()  # <-- planted"),
    Kind("loss: output.data", _codes("109 104"), "output", "output = output.data  # <-- planted"),
    Kind("loss: times 0.0", _codes("501"), "loss", "loss = loss * 0.0  # <-- planted"),
    Kind("loss: weight 0", _codes("501"), "loss", "weight = 0.0  # <-- planted\nloss = weight * loss  # <-- planted"),
    Kind(
        "loss: item",
        _codes("109 106 107"),
        "loss",
        "loss = torch.tensor(loss.item(), requires_grad=True)  # <-- planted",
    ),
    Kind(
        "loss: detach, requires_grad_",
        _codes("109 104 107"),
        "loss",
        "loss = loss.detach().requires_grad_()  # <-- planted",
    ),
    Kind("loss: rewrapped", _codes("109 107"), "loss", "loss = torch.tensor(loss, requires_grad=True)  # <-- planted"),
    Kind("loss: Parameter", _codes("109 107"), "loss", "loss = nn.Parameter(loss)  # <-- planted"),
    Kind("loss: data", _codes("109 104"), "loss", "loss = loss.data  # <-- planted"),
    Kind(
        "loss: comparison",
        _codes("109 108"),
        "output",
        "loss = (output > 0).float().mean()  # <-- planted\nreturn loss",
    ),
    Kind("loss: rounded", _codes("501 108"), "loss", "loss = loss.round()  # <-- planted"),
    Kind("loss: sqrt(0)", _codes("502"), "loss", "loss = loss + torch.sqrt(loss - loss)  # <-- planted"),
    Kind("loss: saturated", _codes("501"), "loss", "loss = loss.clamp(max=-1e3)  # <-- planted"),
    Kind(
        "loss: under no_grad",
        _codes("105 109"),
        "output",
        "with torch.no_grad():  # <-- planted\n    loss = subject.criterion(output, batch)\nreturn loss",
    ),
)

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kinds in (ON_VALUES, ON_CALLS, WRAPPERS, ON_PARAMETERS, IN_SETUP, ON_OPTIMIZERS, AFTER, IN_LOSSES)
    for kind in kinds
}

NEUTRAL = frozenset(
    {
        "detach", "data", "detach in place", "torch.tensor", "new_tensor", "nn.Parameter", "detach, requires_grad_",
        "round", "sign", "floor", "masked everywhere", "where never", "zeroed in place",
        "times 0.0", "zero mask", "saturated clamp", "dead relu", "softmax over one", "dropout 1.0",
        "zeroing hook", "no_grad on a copy", "inference mode on a copy", "no_grad block", "set_grad_enabled(False)",
        "inference mode", "no_grad decorator", "reentrant checkpoint", "input detached", "weighed by 0.0",
        "weight detached", "weight.data", "weight rewrapped", "weight under no_grad", "weight rounded", "weight masked",
        "zeroing parameter hook", "zeroing module hook", "detaching forward hook", "dropout layer at 1.0",
        "dropout set to 1.0", "loss: detached output", "loss: output.data", "loss: times 0.0", "loss: weight 0",
        "loss: detach, requires_grad_", "loss: rewrapped", "loss: Parameter", "loss: data", "loss: rounded",
        "loss: saturated", "loss: under no_grad",
    }
)  # fmt: skip
"""The kinds whose cause has a neutral form, so that running the loss without it shows that it is the cause."""

ONE_WAY = frozenset(
    {
        # a number that only the author knows
        "times 0.0", "loss: times 0.0", "loss: weight 0", "weighed by 0.0", "lr 0", "scheduler to 0", "bf16, tiny lr",
        "dropout 1.0", "dropout layer at 1.0", "dropout set to 1.0",
        # a value, a derivative or a place that nothing in the program tells
        "argsort", "Function returns None", "never read", "loss: comparison",
        # what may be meant as it stands, and is only told
        "frozen yet held", "frozen later", "norm weight zero and frozen", "held twice",
    }
)  # fmt: skip
"""The kinds that no edit can take back, because the program does not tell what stood there before."""
