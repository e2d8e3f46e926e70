"""A small training script, and 23 ways to break it by a line. The guilty line ends with a mark."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAULTS", "HEALTHY", "LOOP", "Fault", "program"]

MARK = "  # <- the fault"
LOOP = "for step in range(100):"
HEALTHY = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(8, 16)
        self.middle = nn.Linear(16, 16)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        hidden = torch.tanh(self.encoder(x))
        hidden = torch.tanh(self.middle(hidden))
        return self.head(hidden)


def criterion(output, target):
    return nn.functional.cross_entropy(output, target)


torch.manual_seed(0)
x, y = torch.randn(32, 8), torch.arange(32) % 3
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for step in range(100):
    optimizer.zero_grad()
    loss = criterion(model(x), y)
    loss.backward()
    optimizer.step()
"""
ENCODED = "hidden = torch.tanh(self.encoder(x))"
BUILT = "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)"
NOT_HELD = (
    "not in (the|any|an) optimizer|in no optimizer|does not hold|not (covered|passed)|replaced-after|took the place"
)


@dataclass(frozen=True)
class Fault:
    """A fault: what it is called, what is replaced by what, and the words by which a text names the cause."""

    name: str
    old: str
    new: str
    words: str
    """A regular expression; any of it counts."""

    def text(self) -> str:
        """The broken program, the guilty line marked by `@` in `new`."""
        if HEALTHY.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.old!r} is not there once")
        return HEALTHY.replace(self.old, self.new).replace("@", MARK)

    def line(self) -> int:
        """The number of the guilty line."""
        return next(n for n, line in enumerate(self.text().splitlines(), 1) if line.endswith(MARK.strip()))


FAULTS = (
    Fault("detach in forward", ENCODED, f"{ENCODED}.detach()@", "detach"),
    Fault(".data in forward", ENCODED, f"{ENCODED}.data@", r"\.data\b"),
    Fault(
        "no_grad block",
        f"        {ENCODED}\n",
        f"        with torch.no_grad():@\n            {ENCODED}\n",
        "no_grad|no-grad|without gradient",
    ),
    Fault(
        "through a Python list",
        ENCODED,
        "hidden = torch.tensor(self.encoder(x).tanh().tolist())@",
        "tolist|torch.tensor",
    ),
    Fault(
        ".item() of a layer",
        ENCODED,
        "hidden = x.repeat(1, 2) * self.encoder(x).norm().item()@",
        r"\.item\b|plain number",
    ),
    Fault(
        "wrapped as a Parameter",
        ENCODED,
        "hidden = nn.Parameter(torch.tanh(self.encoder(x)))@",
        "wrap|new leaf|nn.Parameter",
    ),
    Fault(
        "argmax",
        ENCODED,
        "hidden = nn.functional.one_hot(self.encoder(x).argmax(dim=-1), 16).float()@",
        "argmax|non-differentiable",
    ),
    Fault("round", ENCODED, f"{ENCODED}.round()@", r"\bround\b"),
    Fault("dead ReLU", ENCODED, "hidden = torch.relu(self.encoder(x) - 100.0)@", r"\brelu\b"),
    Fault("times zero", ENCODED, f"{ENCODED} * 0.0@", r"other factor|times zero|\bmul\b|multipl"),
    Fault(
        "sqrt at zero",
        "        return self.head(hidden)\n",
        "        distance = (hidden - hidden).square().sum(dim=-1, keepdim=True).sqrt()@\n"
        "        return self.head(hidden + distance)\n",
        r"\bsqrt\b|Backward0' returned nan",
    ),
    Fault(
        "layer never called",
        "        self.middle = nn.Linear(16, 16)\n        self.head = nn.Linear(16, 3)\n\n    def forward(self, x):\n"
        "        hidden = torch.tanh(self.encoder(x))\n        hidden = torch.tanh(self.middle(hidden))\n",
        "        self.middle = nn.Linear(16, 16)@\n        self.head = nn.Linear(16, 3)\n\n    def forward(self, x):\n"
        "        hidden = torch.tanh(self.encoder(x))\n",
        "never called|not called|never used|unused|never ran|did not run|not run|never execut",
    ),
    Fault(
        "layers in a list",
        "self.middle = nn.Linear(16, 16)\n        self.head = nn.Linear(16, 3)\n\n    def forward(self, x):\n"
        "        hidden = torch.tanh(self.encoder(x))\n        hidden = torch.tanh(self.middle(hidden))\n",
        "self.middle = [nn.Linear(16, 16)]@\n        self.head = nn.Linear(16, 3)\n\n    def forward(self, x):\n"
        "        hidden = torch.tanh(self.encoder(x))\n        hidden = torch.tanh(self.middle[0](hidden))\n",
        r"\blist\b|regist",
    ),
    Fault(
        "only the head in the optimizer",
        BUILT,
        "optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)@",
        NOT_HELD,
    ),
    Fault(
        "head replaced after the optimizer",
        BUILT,
        f"{BUILT}\nmodel.head = nn.Linear(16, 3)@",
        NOT_HELD,
    ),
    Fault(
        "learning rate 0", BUILT, "optimizer = torch.optim.SGD(model.parameters(), lr=0.0)@", r"learning.rate|\blr\b"
    ),
    Fault(
        "step never called",
        "    loss.backward()\n    optimizer.step()\n",
        "    loss.backward()@\n",
        "step. is never|step\\(\\) (is )?never",
    ),
    Fault(
        "cleared before the step",
        "    optimizer.zero_grad()\n    loss = criterion(model(x), y)\n    loss.backward()\n",
        "    loss = criterion(model(x), y)\n    loss.backward()\n    optimizer.zero_grad()@\n",
        "clear|zero_grad",
    ),
    Fault(
        "initialised in forward",
        f"        {ENCODED}\n",
        f"        nn.init.ones_(self.encoder.weight)@\n        {ENCODED}\n",
        "overwrit|reset|in-place|in place",
    ),
    Fault("hook that zeroes", BUILT, f"model.encoder.weight.register_hook(torch.zeros_like)@\n{BUILT}", r"\bhook\b"),
    Fault(
        "loss of a detached output",
        "cross_entropy(output, target)",
        "cross_entropy(output.detach(), target)@",
        "detach",
    ),
    Fault(
        "no_grad around the loss",
        "    loss = criterion(model(x), y)\n",
        "    with torch.no_grad():@\n        loss = criterion(model(x), y)\n",
        "no_grad|no-grad|without gradient",
    ),
    Fault(
        "update below bfloat16",
        f"model = Net()\n{BUILT}",
        "x = x.bfloat16()\nmodel = Net().bfloat16()\noptimizer = torch.optim.SGD(model.parameters(), lr=1e-7)@",
        "rounding|resolution|precision|too small|bfloat16",
    ),
)


def program(fault: Fault | None) -> str:
    """The broken program, or the healthy one."""
    return HEALTHY if fault is None else fault.text()
