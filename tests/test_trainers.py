"""Training loops that libraries write: Lightning, Hugging Face's Trainer, accelerate, ignite, and classes with a `fit`.

Each file in tests/trainers is a script as its author would run it; it saves the trained parameters where `--output`
says, and `build()` makes the model as it was at first. `EXPECT` maps name patterns to verdicts (the first that matches
counts), `CODES` names the rules one of which must speak, `RAISES` what the script dies of. Lines that an expert would
edit end with the comment `# <-- culprit`.
"""

from __future__ import annotations

import ast
import fnmatch
import functools
import importlib
import importlib.util
import runpy
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

import fxaudit
from fxaudit.report import Report
from fxaudit.run.copy import in_copy

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parent / "trainers"
BUGS = sorted((FOLDER / "bugs").glob("*.py"))
HEALTHY = sorted((FOLDER / "healthy").glob("*.py"))
LIBRARIES = {
    "lightning": ["lightning"],
    "transformers": ["transformers", "transformers.trainer", "transformers.models.gpt2.modeling_gpt2"],
    "accelerate": ["accelerate"],
    "ignite": ["ignite.engine"],
    "tqdm": ["tqdm"],
}
"""What the programs import, and what of it takes long enough to be imported before the copies are made."""
ENDED_EARLY = "lightning_classifier hf_causal_lm accelerate_loop ignite_engine lightning_heads_in_a_list".split()


def imports(path: Path) -> set[str]:
    """The libraries among the file's imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str() as module):
                found.add(module.partition(".")[0])
    return found & set(LIBRARIES)


def cases(paths: list[Path]) -> list[Any]:
    """The programs as test parameters; skipped where a library of theirs is not installed."""
    found = []
    for path in paths:
        missing = sorted(name for name in imports(path) if importlib.util.find_spec(name) is None)
        reason = f"needs {' and '.join(missing)}: pip install fxaudit[trainers]"
        found.append(pytest.param(path, id=path.stem, marks=pytest.mark.skipif(bool(missing), reason=reason)))
    return found


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Import once what every copy would import, and pay for the first optimizer of the process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, modules in LIBRARIES.items():
            if importlib.util.find_spec(name) is not None:
                for module in modules:
                    importlib.import_module(module)
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.ones(1)
    torch.optim.SGD([weight], lr=0.1).step()


@pytest.fixture(scope="module", autouse=True)
def _folder() -> Iterator[None]:
    yield
    outcome.cache_clear()
    shutil.rmtree(results(), ignore_errors=True)
    results.cache_clear()


@functools.cache
def results() -> Path:
    """Where the programs save what they trained."""
    return Path(tempfile.mkdtemp(prefix="fxaudit-trainers-"))


def load(path: Path) -> ModuleType:
    """The program as a module; nothing is trained."""
    spec = importlib.util.spec_from_file_location(f"trainer_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@functools.cache
def stated(path: Path) -> dict[str, Any]:
    """What the program says of itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {"EXPECT", "CODES", "RAISES", "ARGUMENTS"}
    return {
        target.id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in names
    }


def arguments(path: Path, output: Path) -> list[str]:
    """The command line of the program."""
    given = stated(path).get("ARGUMENTS", ["--output", "{output}"])
    return [str(path), *(argument.format(output=output) for argument in given)]


def copied(work: Callable[[], str]) -> str:
    """What `work` returns in a process of its own."""

    def quiet() -> str:
        warnings.simplefilter("ignore")  # what the programs are warned of is their authors' business
        return work()

    answer, why = in_copy(quiet, seconds=120.0)
    assert answer is not None, why
    return answer


@dataclass(frozen=True)
class Outcome:
    """A program's parameters at first, after a plain run and after a watched one, with the report of the latter."""

    initial: dict[str, torch.Tensor]
    plain: dict[str, Any]
    watched: dict[str, Any]
    error: str
    report: Report


@functools.cache
def outcome(path: Path) -> Outcome:
    """Run the program plainly, and under `fxaudit run --to-end`."""
    first, plain, watched = (results() / f"{path.stem}.{name}.pt" for name in ("first", "plain", "watched"))

    def work() -> str:
        torch.save(load(path).build().state_dict(), first)
        sys.argv = arguments(path, plain)
        try:
            runpy.run_path(str(path), run_name="__main__")
        except Exception as error:  # RAISES says which
            return type(error).__name__
        return ""

    def work_watched() -> str:
        from fxaudit.run.script import run_script

        return run_script(arguments(path, watched), to_end=True).to_json()

    error = copied(work)
    report = Report.from_json(copied(work_watched))
    saved = [torch.load(file) if file.exists() else {} for file in (first, plain, watched)]
    return Outcome(saved[0], saved[1], saved[2], error, report)


def wanted(path: Path, name: str) -> str | None:
    """The verdict that the program states for a parameter."""
    return next((v for pattern, v in stated(path)["EXPECT"].items() if fnmatch.fnmatchcase(name, pattern)), None)


def wrong(report: Report, path: Path) -> dict[str, str]:
    """The parameters whose verdict is not the stated one."""
    return {p.name: p.verdict for p in report if p.verdict != wanted(path, p.name)}


def named_lines(report: Report, path: Path) -> set[int]:
    """The lines of the program that the findings above note name: culprits, the frames above them, related lines."""
    lines = set()
    for finding in report.findings:
        sources = [finding.culprit, *(related.source for related in finding.related)]
        for source in sources:
            if source is not None and finding.level != "note":
                lines |= {f.line for f in (source, *source.frames) if Path(f.file).name == path.name}
    return lines


def marked_lines(path: Path) -> set[int]:
    """The lines that an expert would edit."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {n for n, text in enumerate(lines, 1) if text.endswith("# <-- culprit")}


def alarms(report: Report) -> list[str]:
    """The findings above note."""
    return [f"{finding.code} {finding.message}" for finding in report.findings if finding.level != "note"]


@pytest.mark.parametrize("path", cases([*BUGS, *HEALTHY]))
def test_what_the_program_states_is_true(path: Path) -> None:
    seen = outcome(path)
    assert seen.error == stated(path).get("RAISES", "")
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    for name, value in seen.plain.get("model", {}).items():
        first = seen.initial.get(name)
        if first is not None and first.shape == value.shape and not name.endswith(buffers):
            assert (wanted(path, name) == "trained") == (not torch.equal(first, value)), name


@pytest.mark.parametrize("path", cases([*BUGS, *HEALTHY]))
def test_watching_changes_no_loss_and_no_parameter(path: Path) -> None:
    seen = outcome(path)
    assert seen.plain.keys() == seen.watched.keys()
    assert seen.plain.get("losses") == seen.watched.get("losses")
    for name, value in seen.plain.get("model", {}).items():
        assert torch.equal(value, seen.watched["model"][name]), name
    assert (seen.report.script_exit or "").partition(":")[0] == seen.error


@pytest.mark.parametrize("path", cases(BUGS))
def test_a_broken_program_is_judged_right(path: Path) -> None:
    report = outcome(path).report
    assert wrong(report, path) == {}
    assert {f.code for f in report.findings if f.level != "note"} & stated(path)["CODES"], alarms(report)
    assert named_lines(report, path) & marked_lines(path), [str(f.culprit) for f in report.findings]


@pytest.mark.parametrize("path", cases(HEALTHY))
def test_a_healthy_program_raises_no_alarm(path: Path) -> None:
    report = outcome(path).report
    assert wrong(report, path) == {}
    assert alarms(report) == []


@pytest.mark.parametrize("path", cases([p for p in (*BUGS, *HEALTHY) if p.stem in ENDED_EARLY]))
def test_a_trainer_is_ended_when_enough_was_seen(path: Path) -> None:
    output = results() / f"{path.stem}.ended.pt"

    def work() -> str:
        from fxaudit.run.script import run_script

        return run_script(arguments(path, output)).to_json()

    report = Report.from_json(copied(work))
    assert wrong(report, path) == {}
    assert report.script_exit is None and report.traceback is None
    assert not output.exists()


@pytest.mark.parametrize("path", cases([p for p in (*BUGS, *HEALTHY) if p.stem in ENDED_EARLY]))
def test_a_trainer_is_watched_from_within(path: Path) -> None:
    output = results() / f"{path.stem}.within.pt"

    def work() -> str:
        sys.argv = arguments(path, output)
        module = load(path)
        with fxaudit.watch() as watching:
            module.main()
        return watching.report.to_json()

    assert wrong(Report.from_json(copied(work)), path) == {}
    found = torch.load(output)
    assert all(torch.equal(value, found["model"][name]) for name, value in outcome(path).plain["model"].items())


PARTS = """
import sys
import torch
from torch import nn
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertIntermediate, BertModel

config = BertConfig(hidden_size=16, intermediate_size=16, num_attention_heads=2, num_hidden_layers=1, vocab_size=30)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.mlp, self.last = nn.Linear(16, 16), BertIntermediate(config), nn.Linear(16, 2)

    def forward(self, x):
        h = self.first(x)
        self.mlp(h)  # guilty
        return self.last(h)


class Around(nn.Module):
    def __init__(self):
        super().__init__()
        self.bert, self.last = BertModel(config), nn.Linear(16, 2)

    def forward(self, x):
        return self.last(self.bert(x).last_hidden_state)


torch.manual_seed(0)
model = {name}()
batch = torch.randn(4, 16) if {name} is Net else torch.randint(0, 30, (4, 6))
optimizer = torch.optim.Adam(model.parameters())
for _ in range(4):
    optimizer.zero_grad()
    model(batch).square().mean().backward()
    optimizer.step()
"""


def test_a_librarys_layer_that_the_users_model_puts_to_no_use_is_no_default_of_the_library(tmp_path: Path) -> None:
    from tests.judged import run

    path = tmp_path / "train.py"
    path.write_text(PARTS.replace("{name}", "Net"), encoding="utf-8")
    report = run(path)
    loud = [finding for finding in report.findings if finding.level == "error"]
    assert [finding.code for finding in loud] == ["FXA103"], str(report)
    found = loud[0]
    assert found.culprit is not None
    assert found.culprit.code.endswith("# guilty")
    path.write_text(PARTS.replace("{name}", "Around"), encoding="utf-8")
    pooler = [f for f in run(path).findings if any("pooler" in name for name in f.parameters)]
    assert [finding.level for finding in pooler] == ["note"]
