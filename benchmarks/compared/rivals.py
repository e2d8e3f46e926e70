"""How each tool is used, as its own documentation says, and what it says then.

    python -m benchmarks.compared.rivals NAME FILE

writes to FILE what the tool says of every program: whether it raised an alarm, and its text. Each program runs in a
process of its own that is forked from this one.
"""

from __future__ import annotations

import contextlib
import io
import json
import multiprocessing
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.compared.programs import FAULTS, HEALTHY, LOOP, program

__all__ = ["RIVALS", "answers"]

SECONDS = 120
Said = tuple[bool, str]
Use = Callable[[str], Said]


def _made(path: str) -> dict[str, Any]:
    """Model, criterion, optimizer and data of the program, made; its loop not run."""
    setup = Path(path).read_text("utf-8").partition(LOOP)[0]
    space: dict[str, Any] = {"__name__": "__main__", "__file__": path}
    exec(compile(setup, path, "exec"), space)
    return space


def _looped(path: str, space: dict[str, Any], steps: int = 3) -> None:
    """Run the program's own loop, some steps of it."""
    setup, _, loop = Path(path).read_text("utf-8").partition(LOOP)
    above = "\n" * setup.count("\n")
    exec(compile(f"{above}for step in range({steps}):{loop}", path, "exec"), space)


def _raised(work: Callable[[], object]) -> Said:
    """An exception is the alarm."""
    try:
        work()
    except Exception:
        return True, traceback.format_exc()
    return False, ""


def plain(path: str) -> Said:
    """PyTorch itself: does the script raise?"""
    return _raised(lambda: _looped(path, _made(path)))


def anomaly(path: str) -> Said:
    """The script in anomaly mode."""

    def work() -> None:
        with torch.autograd.set_detect_anomaly(True):
            _looped(path, _made(path))

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        raised, text = _raised(work)
    return raised, "\n".join([text, *(str(warning.message) for warning in told)])


def ddp(path: str) -> Said:
    """The model inside `DistributedDataParallel`, one process, with `TORCH_DISTRIBUTED_DEBUG=DETAIL`."""
    os.environ.update(TORCH_DISTRIBUTED_DEBUG="DETAIL", GLOO_SOCKET_IFNAME="lo")

    def work() -> None:
        space = _made(path)
        space["model"] = torch.nn.parallel.DistributedDataParallel(space["model"])
        _looped(path, space)

    with tempfile.TemporaryDirectory() as folder:
        torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=0, world_size=1)
        return _raised(work)


def torchviz(path: str) -> Said:
    """A picture: a reader who counts sees that a parameter of the model is not in it."""
    import torchviz as tool

    def work() -> None:
        space = _made(path)
        named = dict(space["model"].named_parameters())
        loss = space["criterion"](space["model"](space["x"]), space["y"])
        drawn = tool.make_dot(loss, params=named).source
        missing = [name for name in named if name not in drawn]
        if missing:
            raise AssertionError(f"not in the picture: {missing}")

    return _raised(work)


def torchtest(path: str) -> Said:
    """`assert_vars_change`, the first test of its documentation."""
    from torchtest import assert_vars_change

    space = _made(path)
    batch = [space["x"], space["y"]]
    return _raised(
        lambda: assert_vars_change(space["model"], space["criterion"], space["optimizer"], batch, torch.device("cpu"))
    )


def torchtest2(path: str) -> Said:
    """`check_model`, with the optimizer; its warnings on what trains count, too."""
    import torchtest2 as tool

    made = _made(path)
    report = tool.check_model(
        made["model"], made["x"], made["y"], loss_fn=made["criterion"], optimizer=made["optimizer"]
    )
    warned = [found for found in report.warnings if found.name in ("gradient_flow", "params_change")]
    return bool(report.failures or warned), str(report)


def pytest_torch(path: str) -> Said:
    """Its assertions on gradients and, where it has one, on the optimizer."""
    import pytest_torch as tool

    made = _made(path)
    loss = lambda output: made["criterion"](output, made["y"])  # noqa: E731
    alarms = []
    for check in (tool.assert_gradients_finite, tool.assert_all_params_receive_grad):
        raised, text = _raised(lambda check=check: check(made["model"], made["x"], loss))
        alarms += [text] if raised else []
    if hasattr(tool, "assert_optimizer_coverage"):
        raised, text = _raised(lambda: tool.assert_optimizer_coverage(made["model"], made["optimizer"]))
        alarms += [text] if raised else []
    return bool(alarms), "\n".join(alarms)


def guardtower(path: str) -> Said:
    """`audit`, with the optimizer and the inputs."""
    import guardtower as tool

    made = _made(path)
    closure = lambda: made["criterion"](made["model"](made["x"]), made["y"])  # noqa: E731
    report = tool.audit(made["model"], closure, optimizer=made["optimizer"], inputs=made["x"])
    return bool(report.errors or report.warnings), "\n".join(str(found) for found in [*report.errors, *report.warnings])


def torch_audit(path: str) -> Said:
    """`autopatch` around the program's own loop; warnings count, too."""
    from torch_audit import autopatch

    made = _made(path)
    auditor = autopatch(made["model"], optimizer=made["optimizer"], every_n_steps=1, run_static=True, run_init=True)
    raised, text = _raised(lambda: _looped(path, made))
    result = auditor.finish(report=False)
    alarms = [found for found in result.findings if found.severity.name in ("WARN", "WARNING", "ERROR", "FATAL")]
    return raised or bool(alarms), "\n".join([text, *(str(found) for found in alarms)])


def fxaudit_run(path: str) -> Said:
    """`fxaudit run train.py`."""
    from fxaudit import cli

    os.chdir(Path(path).parent)
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        status = cli.main(["run", "--format", "brief", Path(path).name])
    return status == 1, told.getvalue()


def fxaudit_audit(path: str) -> Said:
    """`fxaudit.audit`, which sees what the other tools see: one batch, not the program's loop."""
    import fxaudit
    from fxaudit.renderers import render

    made = _made(path)
    closure = lambda: made["criterion"](made["model"](made["x"]), made["y"])  # noqa: E731
    report = fxaudit.audit(made["model"], closure, made["optimizer"])
    return not report.ok, str(render(report, "brief"))


RIVALS: dict[str, Use] = {
    "fxaudit run": fxaudit_run,
    "fxaudit.audit": fxaudit_audit,
    "PyTorch itself": plain,
    "anomaly mode": anomaly,
    "DistributedDataParallel": ddp,
    "torchviz": torchviz,
    "torchtest": torchtest,
    "torchtest2": torchtest2,
    "pytest-torch": pytest_torch,
    "guardtower": guardtower,
    "torch-audit": torch_audit,
}


def _told(use: Use, path: str, answer: Any) -> None:
    torch.set_num_threads(1)
    sink = io.StringIO()
    try:
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            alarm, text = use(path)
        answer.send({"alarm": alarm, "text": text, "failed": ""})
    except BaseException:
        answer.send({"alarm": False, "text": "", "failed": traceback.format_exc()})


def _apart(use: Use, path: str) -> dict[str, Any]:
    """What the tool says of a program, from a process of its own."""
    context = multiprocessing.get_context("fork")
    mine, its = context.Pipe()
    child = context.Process(target=_told, args=(use, path, its))
    child.start()
    its.close()
    try:
        return mine.recv() if mine.poll(SECONDS) else {"alarm": False, "text": "", "failed": "it took too long"}
    except EOFError:
        return {"alarm": False, "text": "", "failed": "it ended without an answer"}
    finally:
        child.kill()
        child.join()


def answers(name: str) -> dict[str, dict[str, Any]]:
    """What the tool `name` says of the healthy program and of each faulty one."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for fault in (None, *FAULTS):
            path = Path(folder, "train.py")
            path.write_text(program(fault), encoding="utf-8")
            found["healthy" if fault is None else fault.name] = _apart(RIVALS[name], str(path))
    return found


if __name__ == "__main__":
    assert HEALTHY
    Path(sys.argv[2]).write_text(json.dumps(answers(sys.argv[1]), indent=1), encoding="utf-8")
