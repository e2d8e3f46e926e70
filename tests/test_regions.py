"""Regions without gradients, however nested, left and decorated: the line that switched gradients off is named, and no
other; after each of them gradients flow again."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import fxaudit
from fxaudit.report import Report
from fxaudit.run.copy import in_copy
from tests.scripts import codes, judged, verdicts

HEAD = """\
import contextlib, functools, sys, torch
from torch import nn

def passed_on(**names):
    def wrap(function):
        @functools.wraps(function)
        def inner(*args, **kwargs): return function(*args, **kwargs)
        return inner
    return wrap

class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 8), nn.Linear(8, 8)
    def forward(self, x): return self.b(self.a(x).relu())
"""
TAIL = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.out = Encoder(), nn.Linear(8, 2)
    def forward(self, x): return self.out(encode(self.enc, x).clone())

torch.manual_seed(0)
model = Net()
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
for _ in range(4):
    optimizer.zero_grad()
    model(torch.randn(8, 6)).square().mean().backward()
    optimizer.step()
"""
CUT = {
    "a block": """
def encode(enc, x):
    with torch.no_grad():  # here
        return enc(x)
""",
    "a decorator": """
@torch.no_grad()  # here
def encode(enc, x): return enc(x)
""",
    "a switch as a decorator": """
@torch.set_grad_enabled(False)  # here
def encode(enc, x): return enc(x)
""",
    "a switch, off and on": """
def encode(enc, x):
    torch.set_grad_enabled(False)  # here
    y = enc(x)
    torch.set_grad_enabled(True)
    return y
""",
    "a switch as a block, on again inside": """
def encode(enc, x):
    with torch.set_grad_enabled(mode=False):  # here
        with torch.set_grad_enabled(True): torch.ones(1).add(1)
        return enc(x)
""",
    "inference_mode(False) in a block inside": """
def encode(enc, x):
    with torch.inference_mode():  # here
        with torch.inference_mode(False): torch.ones(1).add(1)
        return enc(x)
""",
    "three in one statement inside, and one more": """
def encode(enc, x):
    with torch.no_grad():  # here
        with torch.enable_grad(), torch.no_grad(), torch.inference_mode(False): torch.ones(1).add(1)
        with torch.no_grad(): torch.ones(1).add(1)
        return enc(x)
""",
    "enable_grad inside, left by an exception that is suppressed": """
def encode(enc, x):
    with torch.no_grad():  # here
        with contextlib.suppress(ValueError), torch.enable_grad(): raise ValueError
        return enc(x)
""",
    "inference_mode(False) inside": """
@torch.inference_mode(False)
def device(enc): return enc.a.weight.device

@torch.inference_mode()  # here
def encode(enc, x):
    device(enc)
    return enc(x)
""",
    "enable_grad inside, left again": """
def encode(enc, x):
    with torch.no_grad():  # here
        with torch.enable_grad(): enc.a.weight.sum()
        return enc(x)
""",
    "set_grad_enabled(True) inside, left by an exception": """
def encode(enc, x):
    with torch.inference_mode():  # here
        try:
            with torch.set_grad_enabled(True): raise ValueError
        except ValueError:
            return enc(x)
""",
    "the inner of two is left": """
def encode(enc, x):
    with torch.no_grad():  # here
        with torch.inference_mode(): x = x + 1
        with torch.no_grad(): x = x + 1
        return enc(x)
""",
    "left out of order": """
def encode(enc, x):
    first, second = torch.no_grad(), torch.enable_grad()
    first.__enter__()  # here
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    y = enc(x)
    torch.set_grad_enabled(True)
    return y
""",
    "a bare call": """
def encode(enc, x):
    torch.set_grad_enabled(False)  # here
    with torch.enable_grad(): x = x + 1
    y = enc(x)
    torch.set_grad_enabled(True)
    return y
""",
    "one object, entered twice": """
off = torch.set_grad_enabled(False); torch.set_grad_enabled(True)
def encode(enc, x):
    with off: x = x + 1
    torch.set_grad_enabled(True)
    with off:  # here
        y = enc(x)
    torch.set_grad_enabled(True)
    return y
""",
    "a generator that is decorated": """
@torch.no_grad()  # here
def layers(enc, x):
    with torch.enable_grad(): yield x + 1
    yield enc(x)

def encode(enc, x):
    return list(layers(enc, x))[-1]
""",
    "a generator that leaks": """
def layers():
    with torch.no_grad():  # here
        yield

def encode(enc, x):
    kept = layers()
    next(kept)
    y = enc(x)
    kept.close()
    return y
""",
    "around a wrapper": """
@torch.inference_mode()  # here
@passed_on(a="b")
def encode(enc, x): return enc(x)
""",
    "inside a wrapper": """
@passed_on(a="b")
@torch.no_grad()  # here
def encode(enc, x): return enc(x)
""",
    "around two wrappers": """
@torch.set_grad_enabled(False)  # here
@passed_on()
@functools.lru_cache(maxsize=None)
def encode(enc, x): return enc(x)
""",
    "a context manager of one's own": """
@contextlib.contextmanager
def frozen():
    with torch.no_grad():  # here
        yield

def encode(enc, x):
    with frozen(): return enc(x)
""",
    "an exit stack": """
def encode(enc, x):
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.no_grad())  # here
        with torch.enable_grad(): x = x * 1
        return enc(x)
""",
    "a library's helper": """
sys.path.insert(0, "site-packages")
from helpers import embedded

def encode(enc, x):
    return embedded(enc, x)  # here
""",
}


def watched(folder: Path, text: str) -> Report:
    """The report on the script `text`, run in a `watch` block of a forked copy of this process."""
    script = folder / "script.py"
    script.write_text(text, encoding="utf-8")

    def work() -> str:
        with fxaudit.watch() as watch:
            exec(compile(text, str(script), "exec"), {"__name__": "__main__"})
        return watch.report.to_json()

    answer, why = in_copy(work, seconds=100.0)
    assert answer is not None, why
    return Report.from_json(answer)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a library beside it, to run scripts in."""
    library = tmp_path / "site-packages"
    library.mkdir()
    (library / "helpers.py").write_text(
        "import torch\n@torch.inference_mode()\ndef embedded(model, x):\n"
        "    with torch.inference_mode(False): model.a.weight.device\n    return model(x)\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("judge", [judged, watched])
@pytest.mark.parametrize("name", CUT)
def test_one_cause_at_the_line_that_switches_gradients_off(
    name: str, judge: Callable[[Path, str], Report], folder: Path
) -> None:
    report = judge(folder, HEAD + CUT[name] + TAIL)
    assert codes(report) == ["FXA105"]
    (finding,) = report.findings
    assert finding.culprit is not None
    lines = {number: text for number, text in finding.culprit.context}
    assert "# here" in lines[finding.culprit.line], str(finding.culprit)
    assert len(finding.parameters) == 4


def test_after_every_region_gradients_flow_and_nothing_is_said(folder: Path) -> None:
    ways = "".join(
        f"def way{number}():\n{textwrap.indent(text, '    ')}\n    return encode\n"
        for number, text in enumerate(CUT.values())
    )
    listed = ", ".join(f"way{number}()" for number in range(len(CUT)))
    used = "return self.out(encode(self.enc, x).clone())"
    assert used in TAIL
    after = TAIL.replace(used, "[way(self.enc, x) for way in WAYS]; return self.out(self.enc(x))")
    report = watched(folder, f"{HEAD}{ways}WAYS = [{listed}]\n{after}")
    assert set(report.verdicts()) == {"trained"}
    assert [finding for finding in report.findings if finding.level != "note"] == []


WHOLE = {
    "enabled in a region": """
def encode(enc, x):
    with torch.no_grad():
        with torch.enable_grad(): return enc(x)
""",
    "inference mode switched off in it": """
def encode(enc, x):
    with torch.inference_mode():
        with torch.inference_mode(False): return enc(torch.ones(8, 6))
""",
    "a region that was left": """
@torch.no_grad()
def looked_at(enc, x): return enc(x).mean().item()

def encode(enc, x):
    looked_at(enc, x)
    return enc(x)
""",
}


@pytest.mark.parametrize("name", WHOLE)
def test_regions_that_cut_nothing_off_are_no_finding(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + WHOLE[name] + TAIL)
    assert (codes(report), set(verdicts(report).values())) == ([], {"trained"})


CACHED = {
    "kept by the module": """
class Cached(Encoder):
    kept = None
    def forward(self, x):
        if self.kept is None: self.kept = self.a(x).relu()
        return self.b(self.kept)

model = Cached()
def loss(x):
    model.kept = None
    with torch.no_grad():  # opened here
        wanted = model(x)
    return (model(x) - wanted - 1).square().mean()  # used here
""",
    "kept by torch": """
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import weight_norm
model = nn.Sequential(weight_norm(nn.Linear(6, 8)), nn.ReLU(), nn.Linear(8, 2))
def loss(x):
    with parametrize.cached():
        with torch.no_grad():  # opened here
            wanted = model(x)
        return (model(x) - wanted - 1).square().mean()  # used here
""",
}


@pytest.mark.parametrize("name", CACHED)
def test_what_is_kept_from_a_region_is_named_where_it_is_used_again(name: str, tmp_path: Path) -> None:
    loop = """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    loss(torch.randn(8, 6)).backward()
    optimizer.step()
"""
    report = judged(tmp_path, HEAD + CACHED[name] + loop)
    (finding,) = report.findings
    lines = [finding.culprit, *(related.source for related in finding.related)]
    told = [dict(line.context)[line.line] for line in lines if line is not None]
    assert ("# opened here" in told[0], any("# used here" in line for line in told[1:])) == (True, True)
