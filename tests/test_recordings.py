"""A recording is a value: it can be written, read and judged again, anywhere, and judging changes nothing in it."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.capture.frozen import Recording
from fxaudit.capture.recording_file import from_bytes, to_bytes
from fxaudit.cli import main
from fxaudit.errors import FxauditError, InvalidRecordingError
from fxaudit.judge.from_file import judged_again
from fxaudit.judge.write_up import Options, judged
from fxaudit.run import examination

SCRIPT = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 4)
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.encoder(x).detach())

model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
for _ in range(5):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    scheduler.step()
"""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Recording]:
    """Every recording that is judged."""
    kept: list[Recording] = []

    def keeping(recording: Recording, options: Options) -> Any:
        kept.append(recording)
        return judged(recording, options)

    monkeypatch.setattr(examination, "judged", keeping)
    return kept


def watched(loop: Any) -> None:
    with fxaudit.watch() as watching:
        loop()
    assert watching.report is not None


def some_loop() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
    optimizer = torch.optim.Adam(model[2].parameters(), lr=0.0)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()


def test_judging_twice_gives_the_same_and_changes_nothing_in_the_recording(seen: list[Recording]) -> None:
    watched(some_loop)
    [recording] = seen
    before = to_bytes(recording)
    assert judged(recording, Options()) == judged(recording, Options())
    assert to_bytes(recording) == before


def test_nothing_in_a_recording_is_alive(seen: list[Recording]) -> None:
    watched(some_loop)
    alive = torch.Tensor, nn.Module, torch.optim.Optimizer, type(sys), type(sys._getframe())
    queue: list[object] = [seen[0].__dict__, seen[0].record.__dict__]
    known: set[int] = set()
    while queue:
        value = queue.pop()
        if id(value) in known:
            continue
        known.add(id(value))
        assert not isinstance(value, alive), value
        if isinstance(value, dict):
            queue.extend([*value, *value.values()])
        elif isinstance(value, list | tuple | set | frozenset):
            queue.extend(value)
        elif hasattr(type(value), "__dataclass_fields__"):
            queue.extend(getattr(value, name) for name in type(value).__dataclass_fields__)
    assert len(known) > 500


def test_what_is_read_from_a_file_is_what_was_written_to_it(seen: list[Recording]) -> None:
    watched(some_loop)
    data = to_bytes(seen[0])
    assert to_bytes(from_bytes(data)) == data
    assert from_bytes(data).record.ops == seen[0].record.ops
    assert from_bytes(data).record.events == seen[0].record.events
    assert from_bytes(data).record.sizes == seen[0].record.sizes != {}


@pytest.mark.slow
def test_the_file_is_judged_without_the_script_and_without_torch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT, encoding="utf-8")
    at_once = subprocess.run(
        [sys.executable, "-m", "fxaudit", "run", "--record", "seen.fxr", "train.py"],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert at_once.returncode == 1 and "FXA104" in at_once.stdout, at_once.stderr
    Path("train.py").unlink()
    without_torch = (
        "import sys; sys.modules['torch'] = None; from fxaudit.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    (tmp_path / "elsewhere").mkdir()
    again = subprocess.run(
        [sys.executable, "-c", without_torch, "judge", str(tmp_path / "seen.fxr")],
        cwd=tmp_path / "elsewhere",
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.returncode, again.stdout) == (1, at_once.stdout), again.stderr


@pytest.mark.slow
def test_a_recording_names_no_folder_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT, encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "fxaudit", "run", "-q", "--record", "seen.fxr", "train.py"],
        env=_environment(),
        check=False,
    )
    text = zlib.decompress(Path("seen.fxr").read_bytes()).decode()
    for folder in (str(tmp_path), sys.prefix, str(Path(torch.__file__).parent), str(Path.home()) + "/"):
        assert folder not in text


def test_expectations_are_met_or_not_when_it_is_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text(SCRIPT, encoding="utf-8")
    assert main(["run", "-q", "--record", "seen.fxr", "train.py"]) == 1
    assert main(["judge", "-q", "seen.fxr", "--expect", "encoder.*=unreachable"]) == 0
    assert main(["judge", "-q", "seen.fxr", "--expect", "decoder.*=trained"]) == 2
    assert "decoder.*" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no fxaudit recording"),
        (b"{}", "no fxaudit recording"),
        (zlib.compress(b"[1, 2]"), "no fxaudit recording"),
        (zlib.compress(b'{"format": "fxaudit recording", "version": 99}'), "version 99"),
        (zlib.compress(b'{"format": "fxaudit recording", "version": 2}'), "damaged"),
    ],
)
def test_what_is_no_recording_is_told_in_one_line(
    data: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.fxr"
    file.write_bytes(data)
    assert main(["judge", str(file)]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


def test_a_missing_file_and_a_place_that_cannot_be_written_are_told_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(tmp_path / "missing.fxr")]) == 2
    assert "missing.fxr" in capsys.readouterr().err
    script = tmp_path / "train.py"
    script.write_text("raise SystemExit('it ran')", encoding="utf-8")
    assert main(["run", "--record", str(tmp_path / "no" / "folder.fxr"), str(script)]) == 2
    assert "it ran" not in (told := capsys.readouterr().err) and "no directory" in told


@pytest.mark.slow
def test_a_mutated_recording_is_refused_or_judged_and_never_raises_anything_else(
    seen: list[Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FXAUDIT_STRICT", raising=False)
    watched(some_loop)
    document = json.loads(zlib.decompress(to_bytes(seen[0])))
    places = [*_places(document, ())]
    generator = random.Random(4)
    refused = 0
    for _ in range(120):
        changed = json.loads(json.dumps(document))
        *way, last = generator.choice(places)
        holder = changed
        for key in way:
            holder = holder[key]
        holder[last] = generator.choice([None, -7, 10**6, "text", [], {}, True, 0.5, [[[]]]])
        try:
            judged_again(zlib.compress(json.dumps(changed).encode()), Options())
        except InvalidRecordingError:
            refused += 1
        except FxauditError as error:
            raise AssertionError(f"{way} {last}") from error
    assert refused > 10


def _places(value: Any, way: tuple[Any, ...]) -> Any:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield (*way, key)
        yield from _places(value[key], (*way, key))


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(Path(fxaudit.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
