"""Whole scripts with one mistake each: the tried fix is one that a plain run confirms, and that git takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fxaudit.renderers import save
from tests.fixes.trying import best, mended, unchanged

NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 1)
    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))
"""
START = """
model = Net()
START = {n: p.detach().clone() for n, p in model.named_parameters()}
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
LOOP = """
for step in range(4):
    optimizer.zero_grad()
    loss = F.mse_loss(model(x), y)
    loss.backward()
    optimizer.step()
"""
LAYERS = "self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 1)"
WARM_UP = "scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1.0, epoch / 2))\n"
SCRIPTS = {
    "a detach": NET.replace("torch.tanh(self.a(x))", "torch.tanh(self.a(x)).detach()") + START + LOOP,
    "a value taken through data": NET.replace("torch.tanh(self.a(x))", "torch.tanh(self.a(x).data)") + START + LOOP,
    "a region without gradient": NET.replace(
        "        return", "        with torch.no_grad():\n            x = self.a(x)\n        return"
    ).replace("torch.tanh(self.a(x))", "torch.tanh(x)")
    + START
    + LOOP,
    "a decorated method": NET.replace(
        "    def forward", "    @torch.no_grad()\n    def encode(self, x):\n        return self.a(x)\n    def forward"
    ).replace("self.a(x)))", "self.encode(x)))")
    + START
    + LOOP,
    "numpy on the way": NET.replace("torch.tanh(self.a(x))", "torch.from_numpy(self.a(x).detach().numpy())")
    + START
    + LOOP,
    "a list of layers": NET.replace(
        "self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 1)",
        "self.b = nn.Linear(4, 1)\n        self.a = [nn.Linear(4, 4)]",
    ).replace("self.a(x)", "self.a[0](x)")
    + START
    + LOOP,
    "a dict of layers": NET.replace(
        "self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 1)",
        "self.b = nn.Linear(4, 1)\n        self.a = {'in': nn.Linear(4, 4)}",
    ).replace("self.a(x)", "self.a['in'](x)")
    + START
    + LOOP,
    "a Parameter that is no leaf": NET.replace(
        "self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 1)",
        "self.b = nn.Linear(4, 1)\n        self.w = nn.Parameter(torch.randn(4, 4)) * 0.5",
    ).replace("self.a(x)", "x @ self.w")
    + START
    + LOOP,
    "a step that is missing": NET + START + LOOP.replace("    optimizer.step()\n", ""),
    "a step without parentheses": NET + START + LOOP.replace("optimizer.step()", "optimizer.step"),
    "a step behind a wrong condition": NET
    + START
    + LOOP.replace("    optimizer.step()", "    if not model.training:\n        optimizer.step()"),
    "a backward that is missing": NET + START + LOOP.replace("    loss.backward()\n", ""),
    "gradients cleared before the step": NET
    + START
    + LOOP.replace("    optimizer.step()", "    optimizer.zero_grad()\n    optimizer.step()"),
    "gradients never cleared": NET + START + LOOP.replace("    optimizer.zero_grad()\n", ""),
    "half of the model": NET + START.replace("model.parameters()", "model.b.parameters()") + LOOP,
    "an optimizer built too early": NET
    + START.replace(
        "0.1)\n",
        "0.1)\nmodel.b = nn.Linear(4, 1)\nSTART = {n: p.detach().clone() for n, p in model.named_parameters()}\n",
    )
    + LOOP,
    "a rate of whole numbers": NET + START.replace("lr=0.1", "lr=1 // 10") + LOOP,
    "a factor that is rounded": NET
    + START
    + LOOP.replace("F.mse_loss(model(x), y)", "F.mse_loss(model(x), y) * (1 // 2)"),
    "a sibling used twice": NET.replace(
        "self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 1)",
        "self.n1, self.n2, self.b = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)",
    ).replace("torch.tanh(self.a(x))", "self.n1(torch.tanh(self.n1(x)))")
    + START
    + LOOP,
    "a rounding": NET.replace("torch.tanh(self.a(x))", "torch.round(self.a(x))") + START + LOOP,
    "a hook that returns zeros": NET + START + "model.a.weight.register_hook(lambda grad: grad * 0)\n" + LOOP,
    "a layer made where it is called": NET.replace(LAYERS, "self.b = nn.Linear(4, 1)").replace(
        "self.a(x)", "nn.Linear(4, 4)(x)"
    )
    + START
    + LOOP,
    "a part that is a dataclass": "from dataclasses import dataclass\n@dataclass\nclass Part:\n    lin: nn.Linear\n"
    + NET.replace(LAYERS, "self.a, self.b = Part(nn.Linear(4, 4)), nn.Linear(4, 1)").replace(
        "self.a(x)", "self.a.lin(x)"
    )
    + START
    + LOOP,
    "a slot that a parameter scales": NET.replace(
        LAYERS, LAYERS + "\n        self.scale = nn.Parameter(torch.ones(4, 1))"
    ).replace("        return", "        self.a.weight = self.a.weight * self.scale\n        return")
    + START
    + LOOP,
    "a slot that is replaced in the loop": NET
    + START
    + LOOP
    + "    model.a.weight = nn.Parameter(model.a.weight.clamp(-1, 1))\n",
    "an output that no loss counts": NET.replace(LAYERS, LAYERS + "\n        self.c = nn.Linear(4, 1)").replace(
        "return self.b(torch.tanh(self.a(x)))", "return self.b(torch.tanh(self.a(x))), self.c(x)"
    )
    + START
    + LOOP.replace("    loss = F.mse_loss(model(x), y)", "    one, two = model(x)\n    loss = F.mse_loss(one, y)"),
    "an argument that is not handed on": NET.replace(LAYERS, LAYERS + "\n        self.c = nn.Linear(4, 4)").replace(
        "        return self.b(torch.tanh(self.a(x)))",
        "        side = self.c(x)\n        return self.head(self.a(x))\n"
        "    def head(self, h, side=None):\n        return self.b(torch.tanh(h if side is None else h + side))",
    )
    + START
    + LOOP,
    "a layer that comes after the optimizer": NET
    + START
    + "model.c = nn.Linear(1, 1)\nSTART = {n: p.detach().clone() for n, p in model.named_parameters()}\n"
    + LOOP.replace("model(x)", "model.c(model(x))"),
    "groups of which a test of names leaves out some": NET
    + START.replace(
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
        "matrices = [p for n, p in model.named_parameters() if n.startswith('a') and p.dim() == 2]\n"
        "vectors = [p for p in model.parameters() if p.dim() == 1]\n"
        "groups = [{'params': matrices, 'weight_decay': 0.1}, {'params': vectors, 'weight_decay': 0.0}]\n"
        "optimizer = torch.optim.SGD(groups, lr=0.1)",
    )
    + LOOP,
    "a warm-up that never goes on": NET + START + WARM_UP + LOOP,
    "a warm-up whose step is not called": NET + START + WARM_UP + LOOP + "    scheduler.step\n",
    "a warm-up that goes on behind the loop": NET + START + WARM_UP + LOOP + "scheduler.step()\n",
    "everything frozen": NET + START + "for p in model.parameters():\n    p.requires_grad = False\n" + LOOP,
    "the only class there is ignored": NET.replace("nn.Linear(4, 1)", "nn.Linear(4, 3)")
    + START
    + "labels = torch.ones(8, dtype=torch.long)\n"
    + LOOP.replace("F.mse_loss(model(x), y)", "F.cross_entropy(model(x), labels, ignore_index=1)"),
    "a name that nothing bears": NET.replace("self.a,", "self.adapter,").replace("self.a(x)", "self.adapter(x)")
    + START.replace(
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)",
        "START = {n: p for n, p in START.items() if 'adapter' in n}\n"
        "for name, p in model.named_parameters():\n    p.requires_grad = 'adaptor' in name or name == 'b.bias'\n"
        "optimizer = torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=0.1)",
    )
    + LOOP,
    "a softmax over one": NET + START + LOOP.replace("model(x)", "model(x).softmax(-1)"),
}


QUICK = ("a detach", "a list of layers", "a step that is missing", "a region without gradient", "half of the model")


@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in SCRIPTS])
def test_a_tried_fix_makes_the_parameters_train(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = mended(tmp_path, SCRIPTS[name], monkeypatch)
    patch = best(found)
    assert patch.state == "tried", (patch, [f.code for f in found.report.findings])
    save(found.report, tmp_path / "fix.patch")
    subprocess.run(["git", "apply", "--check", "fix.patch"], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "fix.patch"], cwd=tmp_path, check=True)
    assert unchanged(tmp_path / "script.py") == []


@pytest.mark.slow
def test_a_flag_that_ends_gradient_is_turned_where_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut = NET.replace("torch.tanh(self.a(x))", "self.encoded(x)") + (
        "    def encoded(self, x):\n        h = torch.tanh(self.a(x))\n"
        "        if DETACHED:\n            h = h.detach()\n        return h\n\n"
    )
    text = cut.replace("class Net", "DETACHED = True\n\n\nclass Net") + START + LOOP
    patch = best(mended(tmp_path, text, monkeypatch))
    assert patch.state == "tried"
    assert "-DETACHED = True\n+DETACHED = False" in patch.diff


@pytest.mark.slow
def test_a_rate_in_a_file_gets_the_value_that_the_options_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.json").write_text('{\n  "lr": 0.0,\n  "steps": 4\n}\n', "utf-8")
    text = (
        NET
        + """
    import argparse, json
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.05)
    options = vars(parser.parse_args([]))
    options.update(json.load(open("train.json")))
    """.replace("\n    ", "\n")
        + START.replace("lr=0.1", "lr=options['lr']")
        + LOOP
    )
    found = mended(tmp_path, text, monkeypatch)
    patch = best(found)
    assert patch.state == "tried", (patch, [f.code for f in found.report.findings])
    assert '-  "lr": 0.0,\n+  "lr": 0.05,' in patch.diff
    assert '"lr": 0.0' in (tmp_path / "train.json").read_text("utf-8")
