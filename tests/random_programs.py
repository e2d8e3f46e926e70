"""Programs that train something, drawn at random from a seed, as source text.

Each defines `make()`, which returns the model and its optimizers, and `train(model, optimizers, steps, note)`, which
tells `note` each loss before its backward. What stands in it is drawn: shared layers and parameters, branches, loops,
views, writes in place, several losses and optimizers, freezing, cuts of every kind, custom functions, hooks,
checkpoints, autocast, `torch.func`, and mistakes in the loop.
"""

from __future__ import annotations

import random
import textwrap

__all__ = ["source"]

HEADER = '''\
import torch
from torch import nn
from torch.func import functional_call, vmap
from torch.utils.checkpoint import checkpoint


def tick():
    """Called between the statements of a forward and in a backward: a test may end it there."""


class Through(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    @staticmethod
    def backward(ctx, g):
        tick()
        x, y = ctx.saved_tensors
        return g * y, g * x


class HalfBlind(Through):
    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * y, None


class Numb(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, g):
        return torch.zeros_like(g)
'''

KEEPING = [
    "{v} = self.{layer}({a})",
    "{v} = self.{layer}({a})",
    "{v} = self.{layer}(self.{other}({a}))",
    "{v} = {a} * self.{p} + {b}",
    "{v} = {a} @ self.{m}",
    "{v} = torch.tanh({a})",
    "{v} = torch.relu({a}) + 0.1 * {b}",
    "{v} = torch.nn.functional.gelu({a})",
    "{v} = torch.softmax({a}, -1) * {b}",
    "{v} = {a} + {b}",
    "{v} = torch.cat([{a}, {b}], 0)[:4]",
    "{v} = torch.stack([{a}, {b}]).mean(0)",
    "{v} = {a}.reshape(-1).view(4, 3).clone()",
    "{v} = {a}.t().contiguous().t()",
    "{v} = {a}.chunk(3, 1)[{n}].expand(4, 3)",
    "{v} = torch.where({b} > 0, {a}, {b})",
    "{v} = {a}.clone()\n{v}[:, {n}] = {b}[:, {n}]",
    "{v} = {a}.clone()\n{v}.mul_(0.5).add_({b})",
    "{v} = {a}.clone()\n{v}[1:].copy_({b}[1:])",
    "{v} = {a}.clone()\n{v}.view(-1)[:6].zero_()",
    "{v} = {a}\nfor _ in range({n} + 1):\n    {v} = torch.tanh(self.{layer}({v}))",
    "if self.training:\n    {v} = self.{layer}({a})\nelse:\n    {v} = {b}",
    "if float({a}.detach().sum()) > 0:\n    {v} = self.{layer}({b})\nelse:\n    {v} = self.{other}({b})",
    "{v} = self.{layer}({a}) if self.rounds % 2 else self.{other}({a})",
    "{v} = Through.apply({a}, {b})",
    "{v} = checkpoint(self.{layer}, {a}, use_reentrant=False)",
    "{v} = checkpoint(self.{layer}, {a} + self.{p}, use_reentrant=True)",
    "with torch.autocast('cpu', torch.bfloat16):\n    {v} = self.{layer}({a})\n{v} = {v}.float()",
    "{v} = functional_call(self.{layer}, dict(self.{layer}.named_parameters()), ({a},))",
    "{v} = vmap(lambda row: torch.tanh(row) * self.{p})({a})",
    "{v} = {a} * 2\nif {v}.requires_grad:\n    {v}.register_hook(lambda g: g * 3)",
    "{v} = torch.einsum('ij,jk->ik', {a}, self.{m})",
    "{v} = torch.nn.functional.linear({a}, self.{layer}.weight)",
    "{v} = torch.nn.functional.dropout({a}, 0.2, self.training)",
    "{v}, _ = torch.sort({a}, 1)",
]
CUTTING = [
    "{v} = {a}.detach()",
    "{v} = {a}.data",
    "with torch.no_grad():\n    {v} = self.{layer}({a})",
    "{v} = torch.tensor({a}.tolist())",
    "{v} = torch.from_numpy({a}.detach().numpy().copy())",
    "{v} = {a}.detach().clone().requires_grad_()",
    "{v} = ({a} > 0).float()",
    "{v} = torch.round({a})",
    "{v} = torch.nn.functional.one_hot({a}.argmax(1), 3).float()",
    "{v} = torch.full_like({b}, {a}.sum().item())",
    "{v} = {a} * 0.0",
    "{v} = {b} + 0 * self.{layer}({a})",
    "{v} = HalfBlind.apply({b}, {a})",
    "{v} = Numb.apply({a})",
    "{v} = {a} * 1\nif {v}.requires_grad:\n    {v}.register_hook(lambda g: torch.zeros_like(g))",
    "{v} = functional_call(self.{layer}, {{k: p.detach() for k, p in self.{layer}.named_parameters()}}, ({a},))",
    "{v} = torch.sign({a}) * {b}",
    "{v} = {a}.clamp(100, 200)",
    "with torch.set_grad_enabled({n} == 0):\n    {v} = {a} * self.{p}",
    "{v} = {b}\nself.{layer}({a})",
    "{v} = {a}.clone()\n{v}[:] = {b}.detach()",
    "{v} = {a} * 1\n{v}.detach_()",
]
LOOP_MISTAKES = [
    "zero between", "step missing", "backward missing", "one loss only", "never cleared", "step twice", "frozen later",
    "no gradient kept", "thawed late",
]  # fmt: skip


def source(seed: int) -> str:
    """The program of that seed."""
    draw = random.Random(seed)
    layers = [f"l{number}" for number in range(draw.randint(2, 4))]
    return "\n\n".join([HEADER, _model(draw, layers), _make(draw, layers), _train(draw)])


def _model(draw: random.Random, layers: list[str]) -> str:
    init = ["super().__init__()", "self.rounds = 0"]
    for name in layers:
        init.append(
            f"self.{name} = {draw.choice(['nn.Linear(3, 3)', 'nn.Linear(3, 3)', 'nn.Linear(3, 3, bias=False)'])}"
        )
    if draw.random() < 0.3:
        init.append(f"self.shared = self.{draw.choice(layers)}")
        layers = [*layers, "shared"]
    if draw.random() < 0.2:
        init.append(f"self.{layers[0]}.weight = self.{layers[1]}.weight")
    init += ["self.p0 = nn.Parameter(torch.randn(3))", "self.p1 = nn.Parameter(torch.randn(3))"]
    init += ["self.m0 = nn.Parameter(torch.randn(3, 3))"]
    values, body = ["x"], ["self.rounds += 1"]
    cuts = draw.choice([0, 0.1, 0.3])
    for number in range(draw.randint(3, 9)):
        form = draw.choice(CUTTING if draw.random() < cuts else KEEPING)
        name = f"v{number}"
        first = values[-1] if draw.random() < 0.7 else draw.choice(values)
        body += form.format(
            v=name, a=first, b=draw.choice(values), layer=draw.choice(layers), other=draw.choice(layers),
            p=draw.choice(["p0", "p1"]), m="m0", n=draw.randint(0, 2),
        ).split("\n")  # fmt: skip
        values.append(name)
        body.append("tick()")
    ends = [values[-1], *(draw.choice(values) for _ in range(draw.randint(0, 2)))]
    body.append(f"return {', '.join(ends)},")
    return "class Net(nn.Module):\n" + textwrap.indent(
        "def __init__(self):\n" + textwrap.indent("\n".join(init), "    ") + "\n\ndef forward(self, x):\n"
        + textwrap.indent("\n".join(body), "    "), "    ",
    )  # fmt: skip


def _make(draw: random.Random, layers: list[str]) -> str:
    body = ["torch.manual_seed(0)", "model = Net()"]
    for name in layers:
        if draw.random() < 0.12:
            body.append(f"model.{name}.requires_grad_(False)")
    if draw.random() < 0.1:
        body.append("model.p0.requires_grad = False")
    kinds = ["SGD({}, lr={})", "SGD({}, lr={}, momentum=0.9)", "Adam({}, lr={})", "AdamW({}, lr={}, weight_decay=0.1)"]
    rate = draw.choice(["0.01", "0.01", "0.01", "0.01", "0.0"])
    kind = draw.choice(kinds)
    match draw.choice(["all", "all", "split", "some"]):
        case "all":
            body.append(f"optimizers = [torch.optim.{kind.format('model.parameters()', rate)}]")
        case "split":
            body.append("given = list(model.parameters())")
            cut = draw.randint(1, 3)
            body.append(
                f"optimizers = [torch.optim.{kind.format(f'given[:{cut}]', rate)}, "
                f"torch.optim.{draw.choice(kinds).format(f'given[{cut}:]', '0.01')}]"
            )
        case "some":
            body.append(
                f"given = [p for n, p in model.named_parameters() if not n.startswith({draw.choice(layers)!r})]"
            )
            body.append(f"optimizers = [torch.optim.{kind.format('given', rate)}]")
    body.append("return model, optimizers")
    return "def make():\n" + textwrap.indent("\n".join(body), "    ")


def _train(draw: random.Random) -> str:
    mistake = draw.choice(LOOP_MISTAKES) if draw.random() < 0.25 else ""
    weight = draw.choice(["1.0", "1.0", "0.5", "0.0"])
    loss = draw.choice(["{}.square().mean()", "torch.tanh({}).sum()", "nn.functional.l1_loss({}, target)"])
    body = [
        "torch.manual_seed(1)",
        "target = torch.randn(4, 3)",
        "for step in range(steps):",
        "    x = torch.randn(4, 3)",
        "    for optimizer in optimizers:" if mistake != "never cleared" else "    for optimizer in []:",
        "        optimizer.zero_grad()",
        "    outs = model(x)",
        f"    losses = [{loss.format('out')} for out in outs]",
        "    loss = losses[0]",
        "    for one in losses[1:]:",
        f"        loss = loss + {weight} * one",
    ]
    match mistake:
        case "frozen later":
            body += ["    if step == 3:", "        model.l0.requires_grad_(False)"]
        case "thawed late":
            body += ["    if step == 2:", "        model.requires_grad_(True)"]
        case "one loss only":
            body += ["    loss = losses[-1]"]
    body.append("    note(loss)")
    ready = "loss.requires_grad" + (" and step > 100" if mistake == "backward missing" else "")
    if mistake == "no gradient kept":
        asked = "[p for p in model.parameters() if p.requires_grad]"
        body += [f"    if {ready}:", f"        torch.autograd.grad(loss, {asked}, allow_unused=True)"]
    else:
        body += [f"    if {ready}:", "        loss.backward()"]
    if mistake == "zero between":
        body += ["    for optimizer in optimizers:", "        optimizer.zero_grad()"]
    which = "optimizers[1:]" if mistake == "step missing" else "optimizers"
    body += [f"    for optimizer in {which}:", "        optimizer.step()"] * (2 if mistake == "step twice" else 1)
    return "def train(model, optimizers, steps, note=lambda loss: None):\n" + textwrap.indent("\n".join(body), "    ")
