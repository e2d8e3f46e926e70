"""Two processes, one report: what DistributedDataParallel and `fully_shard` do, and what is said of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

import fxaudit
from fxaudit.report import Report
from tests.launching import SECONDS, audited, launched

pytestmark = pytest.mark.alone

SCHEMA = json.loads((Path(fxaudit.__file__).parent / "schema.json").read_text(encoding="utf-8"))

START = """
import contextlib, os, signal, sys, time
import torch
from torch import distributed, nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

distributed.init_process_group("gloo")
rank = distributed.get_rank()
torch.manual_seed(0)
"""

MLP = (
    START
    + """
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
"""
)

PARTS = (
    START
    + """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 8)
        self.extra = nn.Linear(8, 8)
        self.unused = nn.Linear(8, 2)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        x = torch.tanh(self.body(x))
        if rank == 0:  # <- the defect
            x = self.extra(x)
        return self.head(x)
"""
)

LOOP = """
torch.manual_seed(rank)
for step in range(60):
    x = torch.randn(8, 4)
    loss = (ddp(x) - x.sum(1, keepdim=True)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"rank {rank} step {step}\\n", end="", flush=True)  # one write: the ranks share a pipe
"""

HEALTHY = (
    MLP
    + """
ddp = DistributedDataParallel(model)
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
"""
    + LOOP
)


def verdicts(report: Report) -> dict[str, str]:
    return {parameter.name: str(parameter.verdict) for parameter in report}


def line_of(script: str, text: str) -> int:
    [line] = [number for number, line in enumerate(script.splitlines(), 1) if text in line]
    return line


def steps_of(out: str) -> list[int]:
    return [int(step) for step in re.findall(r"rank \d step (\d+)", out)]


def test_healthy_ranks_stop_at_the_same_step_and_one_report_is_printed_and_written(tmp_path: Path) -> None:
    ended = audited(HEALTHY, tmp_path)
    assert ended.statuses == (0, 0)
    report = ended.report
    assert verdicts(report) == dict.fromkeys(["0.weight", "0.bias", "2.weight", "2.bias"], "trained")
    assert report.findings == ()
    assert report.notes == ()
    assert (report.title, report.environment["ranks"]) == ("train.py on 2 ranks", "2")
    assert "All 4 parameters will be updated" in ended.out[0]
    assert steps_of(ended.out[0]) == steps_of(ended.out[1]) and len(steps_of(ended.out[0])) < 50
    assert re.sub(r"rank 1 step \d+\n", "", ended.out[1]) == ""
    jsonschema.validate(json.loads(ended.saved.read_text(encoding="utf-8")), SCHEMA)


@pytest.mark.slow
@pytest.mark.parametrize("built", ["before the wrapper", "over the model inside"])
def test_an_optimizer_over_the_unwrapped_model_is_healthy(built: str, tmp_path: Path) -> None:
    lines = ["optimizer = torch.optim.SGD(model.parameters(), lr=0.1)", "ddp = DistributedDataParallel(model)"]
    ordered = lines if built == "before the wrapper" else lines[::-1]
    ended = audited("\n".join([MLP, *ordered, LOOP]), tmp_path)
    assert ended.statuses == (0, 0)
    assert set(verdicts(ended.report).values()) == {"trained"} and len(ended.report) == 4
    assert ended.report.findings == ()


def test_a_parameter_used_on_some_ranks_only_is_named_with_ranks_and_line_though_the_script_dies(
    tmp_path: Path,
) -> None:
    script = (
        PARTS.replace("self.unused = nn.Linear(8, 2)", "")
        + """
ddp = DistributedDataParallel(Net())
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
"""
        + LOOP
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (1, 1)
    report = ended.report
    [finding] = report.findings
    assert (finding.code, finding.level) == ("FXA410", "error")
    assert finding.message == "rank 0 uses `extra.*`, rank 1 does not"
    assert set(finding.parameters) == {"extra.weight", "extra.bias"}
    assert finding.culprit is not None
    assert finding.culprit.line == line_of(script, "# <- the defect")
    assert report["extra.weight"].verdict == "blocked"
    assert report["body.weight"].verdict == "trained"
    assert report.script_exit is not None and "Expected to have finished reduction" in report.script_exit
    assert any("Rank 1 died" in note for note in report.notes)
    assert ended.out[1].count("error[") == 0 and ended.out[0].count("error[FXA410]") == 1
    assert "Expected to have finished reduction" in ended.err[0]


@pytest.mark.slow
def test_unused_parameters_that_the_wrapper_allows_are_judged_as_without_it(tmp_path: Path) -> None:
    script = (
        PARTS
        + """
ddp = DistributedDataParallel(Net(), find_unused_parameters=True)
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
"""
        + LOOP
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (1, 1)
    report = ended.report
    [finding] = report.findings
    assert (finding.code, set(finding.parameters)) == ("FXA101", {"unused.weight", "unused.bias"})
    assert "rank" not in finding.message
    assert report["unused.weight"].verdict == "unreachable"
    assert report["extra.weight"].verdict == "trained"  # the others' gradient arrives on rank 1, and its value changes
    assert report.notes == ("`extra.*`: used on rank 0, not used on rank 1.",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "culprit"),
    [
        ("with ddp.no_sync():\n        ddp(torch.randn(8, 4)).square().mean().backward()", "with ddp.no_sync()"),
        ("ddp.module(torch.randn(8, 4)).square().mean().backward()", "ddp.module("),
    ],
    ids=["no_sync", "past the wrapper"],
)
def test_gradients_that_are_never_averaged_are_a_warning(call: str, culprit: str, tmp_path: Path) -> None:
    script = (
        MLP
        + f"""
ddp = DistributedDataParallel(model)
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
torch.manual_seed(rank)
for step in range(8):
    optimizer.zero_grad()
    {call}
    optimizer.step()
"""
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (0, 0)
    report = ended.report
    [finding] = report.findings
    assert (finding.code, finding.level, len(finding.parameters)) == ("FXA409", "warning", 4)
    assert finding.culprit is not None and finding.culprit.line == line_of(script, culprit)
    assert set(verdicts(report).values()) == {"trained"}
    assert any("differ between the ranks" in note for note in report.notes), report.notes


@pytest.mark.slow
def test_gradients_averaged_by_hand_past_the_wrapper_are_healthy(tmp_path: Path) -> None:
    script = (
        MLP
        + """
ddp = DistributedDataParallel(model)
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
torch.manual_seed(rank)
for step in range(60):
    optimizer.zero_grad()
    ddp.module(torch.randn(8, 4)).square().mean().backward()
    for parameter in model.parameters():
        distributed.all_reduce(parameter.grad)
    optimizer.step()
"""
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (0, 0)
    assert ended.report.findings == ()
    assert set(verdicts(ended.report).values()) == {"trained"}


@pytest.mark.slow
def test_ranks_that_train_models_of_their_own_are_told(tmp_path: Path) -> None:
    script = (
        MLP
        + """
ddp = model
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
"""
        + LOOP
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (0, 0)
    assert ended.report.findings == ()
    assert any("each rank trains a model of its own" in note for note in ended.report.notes)


@pytest.mark.slow
def test_fully_shard_after_the_optimizer_leaves_it_with_tensors_that_no_model_has(tmp_path: Path) -> None:
    script = (
        MLP
        + """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
fully_shard(model)
ddp = model
"""
        + LOOP
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (1, 1)
    report = ended.report
    [finding] = report.findings
    assert finding.code == "FXA204"
    assert finding.culprit is not None and finding.culprit.line == line_of(script, "fully_shard(model)")
    names = ["0.weight", "0.bias", "2.weight", "2.bias"]
    expected = {**dict.fromkeys(names, "excluded"), **{f"{name} (old)": "stale" for name in names}}
    assert verdicts(report) == expected


@pytest.mark.slow
def test_a_sharded_model_is_healthy_also_where_a_rank_holds_no_element(tmp_path: Path) -> None:
    script = (
        START
        + """
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
fully_shard(model[0])
fully_shard(model)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
ddp = model
"""
        + LOOP
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (0, 0)
    assert verdicts(ended.report) == dict.fromkeys(["0.weight", "0.bias", "2.weight", "2.bias"], "trained")
    assert ended.report.findings == () and ended.report.notes == ()


@pytest.mark.slow
def test_a_rank_that_needs_to_see_more_keeps_the_others_with_it(tmp_path: Path) -> None:
    script = (
        MLP
        + """
ddp = DistributedDataParallel(model)
optimizer = torch.optim.SGD([
    {"params": model[0].parameters(), "lr": 0.1},
    {"params": model[2].parameters(), "lr": 0.0 if rank else 0.1},
])
"""
        + LOOP
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (0, 0)
    assert steps_of(ended.out[0]) == steps_of(ended.out[1]) == list(range(50))
    report = ended.report
    assert set(verdicts(report).values()) == {"trained"}
    assert "`2.*`: trained on rank 0, blocked on rank 1." in report.notes
    assert any("DistributedDataParallel is there to keep them equal" in note for note in report.notes)


@pytest.mark.slow
def test_a_rank_that_is_killed_is_missing_in_the_report_and_keeps_nobody(tmp_path: Path) -> None:
    script = HEALTHY.replace("    x = ", "    if rank == 0 and step == 2:\n        os.kill(os.getpid(), 9)\n    x = ")
    ended = audited(script, tmp_path)
    assert ended.statuses[0] == -9
    assert ended.statuses[1] == 1
    report = ended.report
    assert report.environment["missing ranks"] == "0"
    assert report.notes[0] == "Rank 0 gave no report: killed, or never there."
    assert set(verdicts(report).values()) == {"trained"}
    # Whether it is ended, or dies of a broken connection first, is up to the machine.
    assert re.search(
        r"(All 4 parameters will be|until then all 4 parameters were) updated", " ".join(ended.out[1].split())
    )


@pytest.mark.slow
def test_a_rank_that_raises_ends_the_others_and_its_traceback_is_shown_once(tmp_path: Path) -> None:
    script = HEALTHY.replace("    x = ", "    if rank == 1 and step == 2:\n        raise LookupError('here')\n    x = ")
    ended = audited(script, tmp_path)
    assert ended.statuses == (1, 1)
    report = ended.report
    assert report.script_exit == "LookupError: here"
    assert report.notes[0] == "Rank 1 died: LookupError: here."
    assert set(verdicts(report).values()) == {"trained"} and report.findings == ()
    assert ended.err[0].count("LookupError: here") == 1 and "LookupError" not in ended.err[1]


@pytest.mark.slow
def test_a_rank_that_waits_for_one_that_came_to_its_end_is_ended_and_told(tmp_path: Path) -> None:
    script = HEALTHY.replace("range(60)", "range(2 - rank)")
    ended = audited(script, tmp_path)
    assert ended.statuses == (1, 1)
    report = ended.report
    where = f"train.py:{line_of(script, 'loss = (ddp(x)')}"  # the second forward exchanges the order of the buckets
    assert report.script_exit == f"rank 0 waits for ever at {where}"
    assert f"Rank 0 waited at {where} for ranks that had ended, and was ended there." in report.notes
    assert set(verdicts(report).values()) == {"trained"}


@pytest.mark.slow
def test_a_rank_that_has_more_to_do_than_the_others_is_let_finish(tmp_path: Path) -> None:
    script = (
        HEALTHY.replace("range(60)", "range(2)")
        + """
if rank == 0:
    time.sleep(8)
    print("evaluated", flush=True)
"""
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (0, 0)
    assert "evaluated" in ended.out[0]
    assert ended.report.notes == () and set(verdicts(ended.report).values()) == {"trained"}


@pytest.mark.slow
def test_a_script_without_a_process_group_is_merged_through_the_launchers_store(tmp_path: Path) -> None:
    script = """
import os, torch
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1 if os.environ["RANK"] == "1" else 0.0)
for step in range(5):
    optimizer.zero_grad()
    model(torch.ones(2, 4)).sum().backward()
    optimizer.step()
"""
    ended = audited(script, tmp_path, "--fail-on", "note")
    report = ended.report
    assert verdicts(report) == {"weight": "trained", "bias": "trained"}
    assert "`{weight,bias}`: blocked on rank 0, trained on rank 1." in report.notes
    assert report.findings == ()
    assert ended.statuses == (0, 0)


@pytest.mark.slow
def test_ranks_that_meet_in_some_steps_only_are_ended_too(tmp_path: Path) -> None:
    script = (
        MLP
        + """
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
torch.manual_seed(rank)
for step in range(4001):
    optimizer.zero_grad()
    model(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
    if step % 1000 == 0:  # rank 0 is here at once, and leaves before; rank 1 waits for it
        time.sleep(0.5 * rank)
        for parameter in model.parameters():
            distributed.all_reduce(parameter.data)
"""
    )
    ended = audited(script, tmp_path)
    assert ended.statuses == (0, 0)
    assert set(verdicts(ended.report).values()) == {"trained"}
    assert ended.report.script_exit is None
    assert not any("waited" in note for note in ended.report.notes)


@pytest.mark.slow
def test_an_audit_on_every_rank_comes_back_though_only_one_of_them_would_rehearse(tmp_path: Path) -> None:
    script = (
        MLP
        + """
import fxaudit
ddp = DistributedDataParallel(model)
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
with torch.no_grad():
    model[2].weight.zero_()
x = torch.randn(8, 4)
report = fxaudit.audit(ddp, lambda: ddp(x).square().mean() * (1 - rank), optimizer)
with open(f"audited{rank}.json", "w") as file:
    file.write(report.to_json())
total = torch.ones(1)
distributed.all_reduce(total)
assert total.item() == 2
"""
    )
    assert run_plainly(script, tmp_path) == (0, 0)
    reports = [Report.from_json((tmp_path / f"audited{rank}.json").read_text()) for rank in (0, 1)]
    for report in reports:
        assert list(report.parameters) == ["0.weight", "0.bias", "2.weight", "2.bias"]
        assert report["2.weight"].verdict == "trained"
        assert report["0.weight"].verdict == "unknown"


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["", "distributed.destroy_process_group()"])
def test_without_a_launchers_store_the_one_of_the_process_group_is_used(ending: str, tmp_path: Path) -> None:
    ended = audited(HEALTHY.replace("range(60)", "range(2)") + ending, tmp_path, store=False)
    assert ended.statuses == (0, 0), ended.err
    assert ended.report.title == "train.py on 2 ranks" and ended.report.notes == ()
    assert "will be updated" in ended.out[0] and "will be updated" not in ended.out[1]
    assert ended.err == ("", "")


@pytest.mark.slow
def test_watch_works_in_processes_that_only_share_a_process_group(tmp_path: Path) -> None:
    script = WATCHED.replace("WATCHING", "(0, 1)").replace(
        'init_process_group("gloo")',
        'init_process_group("gloo", init_method="file://" + os.path.abspath("group"), '
        'rank=int(os.environ.pop("RANK")), world_size=int(os.environ.pop("WORLD_SIZE")))',
    )
    assert "file://" in script
    assert run_plainly(script, tmp_path, store=False) == (0, 0)
    first = Report.from_json((tmp_path / "watched0.json").read_text())
    assert first.environment["ranks"] == "2" and "missing ranks" not in first.environment


def torchrun(folder: Path, script: str, *command: str) -> subprocess.CompletedProcess[str]:
    """`torchrun --nproc-per-node 2 command train.py`, with a free port."""
    (folder / "train.py").write_text(script, encoding="utf-8")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "PYTHONPATH": str(Path(fxaudit.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [*launcher, *command, "train.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


@pytest.mark.slow
def test_torchrun_starts_it_as_a_module_and_ends_well_where_nothing_is_wrong(tmp_path: Path) -> None:
    ended = torchrun(tmp_path, HEALTHY, "-m", "fxaudit", "run", "-o", "report.json")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("train.py on 2 ranks: All 4 parameters will be updated.") == 1
    assert "Traceback" not in ended.stderr
    report = Report.from_json((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(verdicts(report).values()) == {"trained"} and report.notes == ()
    for rank in (0, 1):
        assert f"rank {rank} step 2" in ended.stdout


@pytest.mark.slow
def test_torchrun_takes_a_finding_for_a_failure_and_is_told_what_it_is(tmp_path: Path) -> None:
    program = tmp_path / "fxaudit"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fxaudit "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    script = HEALTHY.replace("optimizer.step()", "")
    ended = torchrun(tmp_path, script, "--no-python", str(program), "run", "--quiet", "-o", "report.json")
    assert ended.returncode == 1
    assert "ChildFailedError" in ended.stderr
    assert "fxaudit ended with 1, see its report" in ended.stderr
    assert "SIGTERM) received" not in ended.stderr
    report = Report.from_json((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [found.code for found in report.findings] == ["FXA401"]


WATCHED = (
    PARTS
    + """
import fxaudit
ddp = DistributedDataParallel(Net(), find_unused_parameters=True)
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)

def train():
    for step in range(4):
        optimizer.zero_grad()
        ddp(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()

with fxaudit.watch(ddp, optimizer) if rank in WATCHING else contextlib.nullcontext() as watch:
    train()
train()
total = torch.ones(1)
distributed.all_reduce(total)
assert total.item() == 2
if watch is not None:
    with open(f"watched{rank}.json", "w") as file:
        file.write(watch.report.to_json())
distributed.destroy_process_group()
"""
)


def run_plainly(script: str, folder: Path, *, store: bool = True) -> tuple[int, ...]:
    (folder / "train.py").write_text(script, encoding="utf-8")

    def work() -> int:
        exec(compile(script, str(folder / "train.py"), "exec"), {"__name__": "__main__"})
        return 0

    return launched(work, folder, store=store).statuses


@pytest.mark.slow
def test_watch_is_merged_on_rank_0_and_leaves_the_process_group_alone(tmp_path: Path) -> None:
    assert run_plainly(WATCHED.replace("WATCHING", "(0, 1)"), tmp_path) == (0, 0)
    first, second = (Report.from_json((tmp_path / f"watched{rank}.json").read_text()) for rank in (0, 1))
    assert first.environment["ranks"] == "2" and "ranks" not in second.environment
    assert first.notes == ("`extra.*`: used on rank 0, not used on rank 1.",)
    assert verdicts(first) == verdicts(second)
    assert {name for name, verdict in verdicts(first).items() if verdict == "unreachable"} == {
        "unused.weight",
        "unused.bias",
    }


@pytest.mark.slow
def test_watch_on_one_rank_only_does_not_wait_for_the_others_long(tmp_path: Path) -> None:
    assert run_plainly(WATCHED.replace("WATCHING", "(0,)"), tmp_path) == (0, 0)
    report = Report.from_json((tmp_path / "watched0.json").read_text())
    assert report.environment["missing ranks"] == "1"
    assert report["body.weight"].verdict == "trained"


NUMBERS = (
    START
    + """
def numbers(model, wrap):
    torch.manual_seed(0)
    found = []
    model = wrap(model())
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    torch.manual_seed(rank)
    for step in range(6):
        x = torch.randn(8, 4)
        loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item().hex())
    for parameter in model.parameters():
        local = parameter.to_local() if hasattr(parameter, "to_local") else parameter
        found += [number.hex() for number in local.detach().flatten().tolist()]
    return found

def made():
    return nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.3), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 1))

with open(f"{sys.argv[1]}{rank}", "w") as file:
    file.write("\\n".join(numbers(made, DistributedDataParallel) + numbers(made, fully_shard)))
"""
)


@pytest.mark.slow
def test_the_numbers_are_bit_for_bit_those_of_a_plain_run(tmp_path: Path) -> None:
    def plain() -> int:
        sys.argv = ["train.py", "plain"]
        exec(compile(NUMBERS, "train.py", "exec"), {"__name__": "__main__"})
        return 0

    assert launched(plain, tmp_path).statuses == (0, 0)
    assert audited(NUMBERS, tmp_path, "--to-end", args=["observed"]).statuses == (0, 0)
    for rank in (0, 1):
        numbers = (tmp_path / f"plain{rank}").read_text()
        assert len(set(numbers.split())) > 100
        assert (tmp_path / f"observed{rank}").read_text() == numbers


SHARDED_ON_META = """
import json, os, sys
import torch
from torch import distributed, nn
from torch.distributed.checkpoint.state_dict import get_model_state_dict, set_model_state_dict
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

distributed.init_process_group("gloo")
rank = distributed.get_rank()


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 2 * width)
        self.down = nn.Linear(2 * width, width)

    def forward(self, x):
        return x + self.down(torch.nn.functional.gelu(self.up(self.norm(x))))


class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.embed = nn.Linear(4, width)
        self.blocks = nn.ModuleList(Block(width) for _ in range(2))
        self.head = nn.Linear(width, 1)

    def forward(self, x):
        x = self.embed(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


with torch.device("meta"):
    model = Net()
policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32)
for block in model.blocks:
    fully_shard(block, mp_policy=policy)
fully_shard(model, mp_policy=policy)
model.to_empty(device="cpu")
with torch.no_grad():
    for parameter in model.parameters():
        local = parameter.to_local()
        local.copy_(torch.linspace(-0.5, 0.7, local.numel()).view_as(local))
set_model_state_dict(model, get_model_state_dict(model))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
torch.manual_seed(rank)
losses = []
for _ in range(6):
    x = torch.randn(16, 4)
    optimizer.zero_grad()
    loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    losses.append(loss.item())
model.to(torch.float64)
print(f"LOSSES {rank} {json.dumps(losses)}\\n", end="", flush=True)
distributed.destroy_process_group()
"""


def _losses(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith("LOSSES")]


@pytest.mark.slow
def test_a_model_sharded_on_the_meta_device_is_given_memory_and_trains_as_under_plain_python(tmp_path: Path) -> None:
    def plain() -> int:
        exec(compile(SHARDED_ON_META, "train.py", "exec"), {"__name__": "__main__"})
        return 0

    (tmp_path / "plain").mkdir()
    expected = launched(plain, tmp_path / "plain")
    assert expected.statuses == (0, 0), expected.err
    ended = audited(SHARDED_ON_META, tmp_path, "--to-end")
    assert ended.statuses == (0, 0), ended.err
    assert [_losses(out) for out in ended.out] == [_losses(out) for out in expected.out]
    assert all(len(_losses(out)) == 1 for out in ended.out)
    assert set(ended.report.verdicts()) == {"trained"}
