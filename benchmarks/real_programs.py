"""What `fxaudit run` costs a whole program: (CPU time under `fxaudit run`) / (CPU time of plain Python).

Small programs after kinds of real ones in which much besides training steps runs before the recording ends: evaluation,
data made by a solver, sampling, updates by hand. Each runs in a process of its own, from the start of Python to its
end, with the import of torch in it: plain, audited (which ends it after the recorded steps), and audited with
`--to-end`, in turn; the least of a few runs counts. Ratios only: the times depend on the machine. With `--scale` the
programs do more, or less, of the same.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

HEAD = """
import os, torch
from torch import nn
torch.manual_seed(0)
torch.set_num_threads(1)
SCALE = float(os.environ.get("SCALE", 1))
"""

EVALUATION = """
# A classifier that is evaluated on the whole validation set before its first step, and after every epoch of two steps.
model = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2),
                      nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
images, labels = torch.randn(int(300 * SCALE), 16, 3, 32, 32), torch.randint(0, 10, (int(300 * SCALE), 16))

def evaluate():
    model.eval()
    correct, total = 0, 0.0
    with torch.no_grad():
        for x, y in zip(images, labels):
            scores = model(x)
            total += nn.functional.cross_entropy(scores, y).item()
            correct += (scores.argmax(1) == y).sum().item()
    return correct / labels.numel(), total / len(images)

for epoch in range(6):
    print(epoch, *evaluate())
    model.train()
    for step in range(2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images[step]), labels[step]).backward()
        optimizer.step()
"""

ODE_DATA = """
# Trajectories of a spiral by Runge and Kutta's method, before a network learns their derivative.
def spiral(y):
    return torch.mm(y ** 3, A)

def rk4(f, y, h):
    k1 = f(y)
    k2 = f(y + h / 2 * k1)
    k3 = f(y + h / 2 * k2)
    k4 = f(y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

A = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
y, points = torch.randn(64, 2), []
with torch.no_grad():
    for step in range(int(30000 * SCALE)):
        y = rk4(spiral, y, 0.001)
        points.append(y)
trajectory = torch.stack(points)
model = nn.Sequential(nn.Linear(2, 50), nn.Tanh(), nn.Linear(50, 2))
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
for step in range(int(1000 * SCALE)):
    optimizer.zero_grad()
    y0 = trajectory[step]
    loss = (rk4(lambda y: model(y ** 3), y0, 0.001) - trajectory[step + 1]).abs().mean()
    loss.backward()
    optimizer.step()
print(loss.item())
"""

SAMPLER = """
# A diffusion model that draws samples before every epoch of one step.
class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Embedding(1000, 128)
        self.inner = nn.Sequential(nn.Linear(130, 256), nn.SiLU(), nn.Linear(256, 256), nn.SiLU(), nn.Linear(256, 2))

    def forward(self, x, t):
        return self.inner(torch.cat([x, self.time(t)], 1))

model = Denoiser()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
betas = torch.linspace(1e-4, 0.02, 1000)
alphas = torch.cumprod(1 - betas, 0)

@torch.no_grad()
def sample(n):
    x = torch.randn(n, 2)
    for t in reversed(range(1000)):
        noise = model(x, torch.full((n,), t))
        mean = (x - betas[t] / (1 - alphas[t]).sqrt() * noise) / (1 - betas[t]).sqrt()
        x = mean + betas[t].sqrt() * torch.randn_like(x) if t > 0 else mean
    return x

for epoch in range(int(12 * SCALE)):
    print(epoch, sample(64).std().item())
    x, t, noise = torch.randn(64, 2), torch.randint(0, 1000, (64,)), torch.randn(64, 2)
    noisy = alphas[t].sqrt()[:, None] * x + (1 - alphas[t]).sqrt()[:, None] * noise
    optimizer.zero_grad()
    (model(noisy, t) - noise).square().mean().backward()
    optimizer.step()
"""

SOLVER = """
# A layer that is the fixed point of a cell: found without gradient, then called once more with it.
class Fixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.state, self.input = nn.Linear(64, 64), nn.Linear(16, 64)
        with torch.no_grad():
            self.state.weight.mul_(0.3)

    def cell(self, z, x):
        return torch.tanh(self.state(z) + self.input(x))

    def forward(self, x):
        z = torch.zeros(len(x), 64)
        with torch.no_grad():
            for _ in range(200):
                new = self.cell(z, x)
                if (new - z).norm() < 0:
                    break
                z = new
        return self.cell(z, x)

model, head = Fixed(), nn.Linear(64, 1)
optimizer = torch.optim.Adam([*model.parameters(), *head.parameters()], lr=1e-3)
for step in range(int(250 * SCALE)):
    x = torch.randn(64, 16)
    optimizer.zero_grad()
    loss = (head(model(x)) - x.sum(1, keepdim=True)).square().mean()
    loss.backward()
    optimizer.step()
print(loss.item())
"""

NEURAL_ODE = """
# Each step solves an equation whose right side is the network, with gradient through 60 steps of the solver.
class Field(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 50), nn.Tanh(), nn.Linear(50, 2))

    def forward(self, t, y):
        return self.net(y ** 3)

def rk4(f, t, y, h):
    k1 = f(t, y)
    k2 = f(t + h / 2, y + h / 2 * k1)
    k3 = f(t + h / 2, y + h / 2 * k2)
    k4 = f(t + h, y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

model = Field()
optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
target = torch.randn(60, 32, 2)
for step in range(int(120 * SCALE)):
    optimizer.zero_grad()
    y, path = torch.ones(32, 2), []
    for n in range(60):
        y = rk4(model, n * 0.01, y, 0.01)
        path.append(y)
    loss = (torch.stack(path) - target).abs().mean()
    loss.backward()
    optimizer.step()
print(loss.item())
"""

MAML = """
# Learning to learn sine curves: five inner updates for each of 25 tasks, gradients through them all.
shapes = [(1, 40), (40,), (40, 40), (40,), (40, 1), (1,)]
weights = [nn.Parameter(torch.randn(s) * 0.1) for s in shapes]
optimizer = torch.optim.Adam(weights, lr=1e-3)

def net(x, w):
    x = torch.relu(x @ w[0] + w[1])
    x = torch.relu(x @ w[2] + w[3])
    return x @ w[4] + w[5]

def task():
    amplitude, phase = torch.rand(1) * 5, torch.rand(1) * 3
    return lambda x: amplitude * torch.sin(x + phase)

for step in range(int(60 * SCALE)):
    total = 0.0
    for _ in range(25):
        curve, fast = task(), weights
        x = torch.rand(10, 1) * 10 - 5
        for inner in range(5):
            loss = (net(x, fast) - curve(x)).square().mean()
            gradients = torch.autograd.grad(loss, fast, create_graph=True)
            fast = [w - 0.01 * g for w, g in zip(fast, gradients)]
        x = torch.rand(10, 1) * 10 - 5
        total = total + (net(x, fast) - curve(x)).square().mean()
    optimizer.zero_grad()
    (total / 25).backward()
    optimizer.step()
print(total.item())
"""

BY_HAND = """
# A language model of words, updated by hand, with its state carried from batch to batch.
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop, self.encoder = nn.Dropout(0.2), nn.Embedding(500, 64)
        self.rnn, self.decoder = nn.LSTM(64, 64, 2, dropout=0.2), nn.Linear(64, 500)

    def forward(self, x, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(x)), hidden)
        return nn.functional.log_softmax(self.decoder(self.drop(output)).view(-1, 500), 1), hidden

model, lr = Model(), 20
words = torch.randint(0, 500, (int(6000 * SCALE), 20))
hidden = tuple(torch.zeros(2, 20, 64) for _ in range(2))
for start in range(0, len(words) - 35, 35):
    model.zero_grad()
    hidden = tuple(h.detach() for h in hidden)
    output, hidden = model(words[start:start + 35], hidden)
    loss = nn.functional.nll_loss(output, words[start + 1:start + 36].reshape(-1))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    for p in model.parameters():
        p.data.add_(p.grad, alpha=-lr)
print(loss.item())
"""

DETECTOR = """
# A detector: anchors are matched to boxes by many small operations in every image, all without gradient.
def iou(a, b):
    low, high = torch.max(a[:, None, :2], b[:, :2]), torch.min(a[:, None, 2:], b[:, 2:])
    inter = (high - low).clamp(min=0).prod(2)
    area = lambda c: (c[:, 2] - c[:, 0]) * (c[:, 3] - c[:, 1])
    return inter / (area(a)[:, None] + area(b) - inter)

def match(anchors, boxes):
    overlap = iou(boxes, anchors)
    best, index = overlap.max(0)
    index[best < 0.3] = -1
    index[overlap.max(1)[1]] = torch.arange(len(boxes))
    return index

def boxes():
    corner = torch.rand(5, 2) * 48
    return torch.cat([corner, corner + 4 + torch.rand(5, 2) * 12], 1)

def suppress(kept, scores):
    order, found = scores.argsort(descending=True), []
    while len(order) and len(found) < 20:
        found.append(order[0].item())
        order = order[1:][iou(kept[order[:1]], kept[order[1:]])[0] < 0.5]
    return found

class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        convolutions = [nn.Conv2d(3 if n == 0 else 32, 32, 3, stride=2, padding=1) for n in range(3)]
        self.body = nn.Sequential(*(part for c in convolutions for part in (c, nn.BatchNorm2d(32), nn.ReLU())))
        self.scores, self.offsets = nn.Conv2d(32, 1, 1), nn.Conv2d(32, 4, 1)
        cells = torch.stack(torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij"), -1).reshape(-1, 2) * 8.0
        self.register_buffer("anchors", torch.cat([cells, cells + 12], 1))

    def forward(self, images):
        h = self.body(images)
        return self.scores(h).flatten(1), self.offsets(h).flatten(2).transpose(1, 2)

model = Detector()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

def evaluate(n):
    model.eval()
    found = 0
    with torch.no_grad():
        for _ in range(n):
            scores, offsets = model(torch.randn(1, 3, 64, 64))
            found += len(suppress(model.anchors + offsets[0], scores[0]))
    model.train()
    return found

for epoch in range(4):
    print(epoch, evaluate(int(100 * SCALE)))
    for step in range(2 if epoch < 3 else int(60 * SCALE)):
        images, truth = torch.randn(16, 3, 64, 64), [boxes() for _ in range(16)]
        scores, offsets = model(images)
        loss = 0.0
        for n, t in enumerate(truth):
            with torch.no_grad():
                index = match(model.anchors, t)
            chosen = index >= 0
            loss = loss + nn.functional.binary_cross_entropy_with_logits(scores[n], chosen.float())
            loss = loss + (offsets[n][chosen] - (t[index[chosen]] - model.anchors[chosen]) / 10).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""

AGENT = """
# An agent: it acts in an environment made of tensors, and a target network follows the trained one after every action.
import copy
net = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
target = copy.deepcopy(net)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
memory, state = [], torch.zeros(4)
M = torch.randn(4, 4) * 0.1
for action_number in range(int(4000 * SCALE)):
    with torch.no_grad():
        action = net(state).argmax() if torch.rand(()) > 0.1 else torch.randint(0, 2, ())
        new = torch.tanh(M @ state + (action.float() - 0.5) * 0.3 + 0.05 * torch.randn(4))
        reward = -new.square().sum()
        for p, q in zip(net.parameters(), target.parameters()):
            q.mul_(0.99).add_(p, alpha=0.01)
    memory.append((state, action, reward, new))
    state = new
    if action_number >= 1000 * SCALE and action_number % 4 == 0:
        chosen = [memory[i] for i in torch.randint(0, len(memory), (32,)).tolist()]
        s, a, r, n = (torch.stack(part) for part in zip(*chosen))
        with torch.no_grad():
            goal = r + 0.9 * target(n).max(1)[0]
        optimizer.zero_grad()
        loss = (net(s).gather(1, a[:, None])[:, 0] - goal).square().mean()
        loss.backward()
        optimizer.step()
print(loss.item())
"""

FIRST_ORDER = """
# Learning to learn sine curves: a copy of the model for each task, with an optimizer of its own.
import copy
net = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(int(50 * SCALE)):
    optimizer.zero_grad()
    for _ in range(25):
        learner = copy.deepcopy(net)
        inner = torch.optim.SGD(learner.parameters(), lr=0.01)
        amplitude = torch.rand(1) * 5
        for k in range(5):
            x = torch.rand(10, 1) * 10 - 5
            inner.zero_grad()
            (learner(x) - amplitude * torch.sin(x)).square().mean().backward()
            inner.step()
        x = torch.rand(10, 1) * 10 - 5
        inner.zero_grad()
        loss = (learner(x) - amplitude * torch.sin(x)).square().mean()
        loss.backward()
        for p, q in zip(net.parameters(), learner.parameters()):
            p.grad = q.grad / 25 if p.grad is None else p.grad + q.grad / 25
    optimizer.step()
print(loss.item())
"""

PROGRAMS = {
    "evaluation before each second step": EVALUATION,
    "data by Runge and Kutta": ODE_DATA,
    "sampler": SAMPLER,
    "fixed point in each step": SOLVER,
    "neural ODE": NEURAL_ODE,
    "MAML": MAML,
    "first-order MAML": FIRST_ORDER,
    "update by hand": BY_HAND,
    "detector": DETECTOR,
    "agent with a target network": AGENT,
}


def cpu_seconds(command: list[str], folder: Path, scale: float) -> float:
    """User and system time of one run of `command`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "SCALE": str(scale)}
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(script: Path, rounds: int, scale: float) -> list[float]:
    """The least seconds of a few runs in turn: plain, audited, audited and run to its end."""
    run = [sys.executable, "-m", "fxaudit", "run"]
    commands = [[sys.executable, script.name], [*run, script.name], [*run, "--to-end", script.name]]
    found = [[cpu_seconds(command, script.parent, scale) for command in commands] for _ in range(rounds)]
    return [min(seconds) for seconds in zip(*found, strict=True)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", default="", help="part of a program's name")
    given = parser.parse_args()
    print(f"{'':36}{'plain':>8}{'run':>10}{'run --to-end':>16}")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in PROGRAMS.items():
            if given.only not in name:
                continue
            script = Path(folder, f"{name.split()[0].lower()}_{len(name)}.py")
            script.write_text(HEAD + text, encoding="utf-8")
            plain, ended, whole = measure(script, given.rounds, given.scale)
            print(f"{name:36}{plain:>6.1f} s{ended / plain:>10.2f}{whole / plain:>16.2f}", flush=True)


if __name__ == "__main__":
    main()
