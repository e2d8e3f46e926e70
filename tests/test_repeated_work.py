"""Work without gradient that repeats is recorded once or twice, and nothing is judged otherwise for it."""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from fxaudit.capture.session import Session
from tests.scripts import judged, line_of

Rounds = Callable[[int], None]


def small() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 4))


def evaluation() -> Rounds:
    model = small()

    def rounds(number: int) -> None:
        for _ in range(number):
            model.eval()
            with torch.no_grad():
                scores = model(torch.randn(6, 4))
                loss = nn.functional.cross_entropy(scores, torch.randint(0, 4, (6,))).item()
                right = (scores.argmax(1) == 1).sum().item()
            model.train()
            assert loss + right > 0

    return rounds


def decorated_evaluation() -> Rounds:
    model = small().eval()

    @torch.inference_mode()
    def predict(x: torch.Tensor) -> torch.Tensor:
        return model(x).softmax(1)

    def rounds(number: int) -> None:
        for _ in range(number):
            assert predict(torch.randn(6, 4)).max().tolist() <= 1

    return rounds


def sampler() -> Rounds:
    model = small().eval()

    @torch.no_grad()
    def rounds(number: int) -> None:
        x = torch.randn(6, 4)
        for step in range(number):
            x = x - 0.1 * model(x) + torch.randn_like(x) * (1 / (step + 1))
            x[:, 0] = 0.0
            x.clamp_(-2, 2)

    return rounds


def data() -> Rounds:
    turn = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])

    def slope(y: torch.Tensor) -> torch.Tensor:
        return torch.mm(y**3, turn)

    def rounds(number: int) -> None:
        y = torch.ones(3, 2)
        for _ in range(number):
            first = slope(y)
            y = y + 0.01 * (first + slope(y + 0.01 * first)) / 2
            view = y[0]
            view.mul_(1.0)

    return rounds


def arrays() -> Rounds:
    state = torch.zeros(4)

    def rounds(number: int) -> None:
        nonlocal state
        for _ in range(number):
            array = state.numpy()
            state = torch.from_numpy(array * 0.5) + torch.tensor(array.tolist()) + torch.as_tensor(array)

    return rounds


def targets() -> Rounds:
    model = small()
    followers = [copy.deepcopy(model) for _ in range(3)]

    def rounds(number: int) -> None:
        for _ in range(number):
            with torch.no_grad():
                for mine, its in zip(model.parameters(), followers[0].parameters(), strict=True):
                    its.mul_(0.9).add_(mine, alpha=0.1)
                torch._foreach_lerp_(list(followers[1].parameters()), list(model.parameters()), 0.1)
            for mine, its in zip(model.parameters(), followers[2].parameters(), strict=True):
                its.data.copy_(its.data * 0.9 + mine.data * 0.1)
                its.data = 0.5 * its.data

    return rounds


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(context: object, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    @staticmethod
    def backward(context: object, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * 2


def custom() -> Rounds:
    model = small().eval()

    @torch.no_grad()
    def rounds(number: int) -> None:
        for _ in range(number):
            Doubled.apply(model(Doubled.apply(torch.randn(6, 4)))).sum()

    return rounds


def kept(session: Session) -> dict[str, int]:
    """How much of everything there is in the record, and behind it."""
    record, recorder = session.record, session.recorder
    gc.collect()
    return {
        "operations": len(record.ops),
        "values": len(record.values),
        "calls": len(record.calls),
        "events": len(record.events),
        "tracks": len(record.tracks),
        "tensors followed": len(recorder._current),
        "storages": len(recorder._storage) + len(recorder._aliases),
        "left torch": len(recorder.escapes),
        "attributes": sum(len(entries) for info in session.modules for entries in info.attributes.values()),
        "modes": sum(len(info.modes) for info in session.modules),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    "make", [evaluation, decorated_evaluation, sampler, data, arrays, targets, custom], ids=lambda make: make.__name__
)
def test_a_thousand_rounds_keep_no_more_than_thirty(make: Callable[[], Rounds]) -> None:
    torch.manual_seed(0)
    rounds = make()
    session = Session()
    with session.recording():
        found = []
        for number in (10, 10, 10, 970):  # each begins with something new: its own first round
            rounds(number)
            found.append((kept(session), len(gc.get_objects())))
    (before, objects), (after, more) = found[2:]
    assert after == before
    assert before["operations"] <= 200
    assert more - objects < 100


def test_a_step_begins_anew() -> None:
    model = small()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    session = Session()
    counts = []
    with session.recording():
        for _ in range(4):
            with torch.no_grad():
                for _ in range(10):
                    model(torch.ones(6, 4))
            counts.append(len(session.record.ops))
            model(torch.randn(6, 4)).square().mean().backward()
            optimizer.step()
            counts.append(len(session.record.ops))
    made = [later - earlier for earlier, later in zip(counts[::2], counts[2::2], strict=False)]
    assert made[0] == made[1] == made[2]
    assert counts[0] > 0


HEAD = """
    import copy, torch
    from torch import nn
    torch.manual_seed(0)
"""
LOOP = """
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    PRELUDE
    for step in range(4):
        optimizer.zero_grad()
        loss = (LOSS).square().mean()
        loss.backward()
        optimizer.step()
        AFTER
"""
REGION = """
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        def encode(self, x):
            with torch.no_grad():
                return torch.tanh(self.encoder(x))
        def forward(self, x):
            return self.head(self.encode(x))
    model = Two()
"""
SAME_LINE = """
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers, self.head = nn.ParameterList(torch.randn(4, 4) for _ in range(7)), nn.Linear(4, 1)
        @torch.no_grad()
        def encode(self, x):
            for weight in self.layers:
                scaled = weight * 0.5
                x = torch.tanh(x @ scaled)
            return x
        def forward(self, x):
            return self.head(self.encode(x))
    model = Deep()
"""
CACHE = """
    class Cached(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.head, self.cache = nn.Linear(4, 4), nn.Linear(4, 1), None
        @torch.no_grad()
        def remember(self, x):
            self.cache = self.encoder(x).relu()
        def forward(self, x):
            return self.head(self.cache)
    model = Cached()
    model.remember(torch.ones(3, 4))
"""
MASK = """
    def mask(n):
        return torch.zeros(n)
    model = nn.Linear(4, 1)
"""
ITEM = """
    model = nn.Sequential(nn.Linear(4, 1), nn.Linear(1, 1))
    def scale(x):
        return model[0](x).mean().item()
"""
BACK = """
    model = nn.Linear(4, 1)
    old = copy.deepcopy(model)
    def follow():
        with torch.no_grad():
            for mine, its in zip(model.parameters(), old.parameters()):
                mine.copy_(its)
"""
ROUND_TRIP = """
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    def through(x):
        return torch.from_numpy(model[0](x).detach().numpy())
"""
BROKEN = {
    "region": (REGION, "with torch.no_grad(): model(x)", "model(torch.randn(3, 4))", ""),
    "region without one around it": (REGION, "model.encode(x)", "model(torch.randn(3, 4))", ""),
    "layers at the same line": (SAME_LINE, "model.encode(x)", "model(torch.randn(3, 4))", ""),
    "cache": (CACHE, "model.remember(x)", "model(torch.randn(3, 4))", ""),
    "mask": (MASK, "mask(3).sum()", "model(torch.randn(3, 4)) * mask(3)[:, None]", ""),
    "item": (ITEM, "with torch.no_grad(): scale(x)", "model[1](torch.ones(3, 1) * scale(torch.randn(3, 4)))", ""),
    "copied back": (BACK, "follow()", "model(torch.randn(3, 4)) - 1", "follow()"),
    "array": (ROUND_TRIP, "with torch.no_grad(): through(x)", "model[1](through(torch.randn(3, 4)))", ""),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_program_is_judged_alike_after_many_rounds_of_the_same(name: str, tmp_path: Path) -> None:
    model, prelude, loss, after = BROKEN[name]
    said = []
    for rounds in (0, 60):
        text = LOOP.replace(
            "PRELUDE", f"for x in torch.randn({rounds}, 3, 4):\n        {prelude}" if rounds else "pass"
        )
        text = HEAD + model + text.replace("LOSS", loss).replace("AFTER", after)
        report = judged(tmp_path, text)
        said.append(
            [
                {parameter.name: (parameter.verdict, parameter.reason) for parameter in report},
                [(found.code, found.parameters, found.message, line_of(found)) for found in report.findings],
            ]
        )
    assert said[0] == said[1]
    assert said[0][1]


WEIGHTS = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    heads = nn.ModuleList(nn.Linear(4, 1) for _ in range(5))
    optimizer = torch.optim.SGD(heads.parameters(), lr=0.1)
    def weight(w):
        return torch.ones(1) * w
    for step in range(4):
        optimizer.zero_grad()
        x = torch.randn(3, 4)
        loss = sum(head(x).square().mean() * weight(w) for head, w in zip(heads, WEIGHTS))
        loss.backward()
        optimizer.step()
"""


def test_a_zero_that_comes_after_many_other_numbers_is_told_as_one_that_comes_first(tmp_path: Path) -> None:
    said = []
    for weights in ((0.0, 1.0, 2.0, 1.0, 1.0), (1.0, 2.0, 1.0, 1.0, 0.0)):
        report = judged(tmp_path, WEIGHTS.replace("WEIGHTS", str(weights)))
        dead = f"{weights.index(0.0)}.weight"
        assert {p.name for p in report if p.verdict != "trained"} == {dead, dead.replace("weight", "bias")}
        said.append([(found.code, line_of(found), found.fact) for found in report.findings])
    assert said[0] == said[1]
    assert said[0]
