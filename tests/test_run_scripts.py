"""Scripts of every kind through `run_script`: each behaves as under plain `python`, and is judged right.

Every script runs in a fork of this process (torch is imported once); where it matters it is compared with a real
`python script.py`.
"""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from fxaudit.errors import InvalidTargetError
from fxaudit.report import Report
from fxaudit.run.script import run_script

SETUP = """\
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
def step():
    optimizer.zero_grad()
    loss = model(torch.randn(8, 4)).square().mean()
    loss.backward()
    optimizer.step()
    return loss.item()
"""
ALL_TRAINED = dict.fromkeys(["0.weight", "0.bias", "2.weight", "2.bias"], "trained")


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a script printed, and the report on it."""

    out: str
    err: str
    report: Report

    @property
    def verdicts(self) -> dict[str, str]:
        return {name: parameter.verdict for name, parameter in self.report.parameters.items()}

    @property
    def codes(self) -> set[str]:
        return {finding.code for finding in self.report.findings}


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder of scripts, and the ways to run them."""

    path: Path

    def write(self, name: str, text: str, setup: str = SETUP) -> str:
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(setup + textwrap.dedent(text), encoding="utf-8")
        return str(target)

    def run(self, *argv: str, **options: Any) -> Ran:
        """`run_script(argv)` in a fork, in this folder."""
        printed, complaints, found = self._forked(lambda: run_script(list(argv), **options).to_json())
        return Ran(printed, complaints, Report.from_json(found))

    def death(self, script: str) -> str:
        """What Python itself prints of the exception that ends the script: its own hook, without the frame of
        `exec`."""

        def execute() -> str:
            main = types.ModuleType("__main__")
            sys.modules["__main__"] = main
            sys.path[0] = str(self.path)
            try:
                exec(compile(Path(script).read_text(encoding="utf-8"), script, "exec"), vars(main))
            except BaseException as error:
                assert error.__traceback__ is not None
                tb = error.__traceback__.tb_next
                sys.__excepthook__(type(error), error.with_traceback(tb), tb)
            return ""

        return self._forked(execute)[1]

    def _forked(self, work: Callable[[], str]) -> list[str]:
        """What `work` printed to both streams, and what it returned, in a fork."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as answer:
            child = os.fork()
            if child == 0:
                self._be_the_child(work, (out.fileno(), err.fileno(), answer.fileno()))
            _, status = os.waitpid(child, 0)
            found = [_read(file.fileno()) for file in (out, err, answer)]
        assert os.waitstatus_to_exitcode(status) == 0, found[1]
        return found

    def _be_the_child(self, work: Callable[[], str], files: tuple[int, int, int]) -> None:
        status = 99
        signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may ignore it
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, 60)  # a script that does not end dies of it
            os.chdir(self.path)
            os.dup2(files[0], 1)
            os.dup2(files[1], 2)
            sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
            sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            torch.set_num_threads(1)
            os.pwrite(files[2], work().encode(), 0)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def plain(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """The same under plain `python`."""
        return subprocess.run(
            [sys.executable, *argv], cwd=self.path, capture_output=True, text=True, check=False, timeout=120
        )


def _read(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with open(descriptor, encoding="utf-8", closefd=False) as file:
        return file.read()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# -- how a script ends -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "code", "printed"),
    [
        ("sys.exit(3)", "3", ""),
        ("sys.exit()", None, ""),
        ("sys.exit(0)", None, ""),
        ("sys.exit('out of data')", "1", "out of data\n"),
        ("raise SystemExit(7)", "7", ""),
        ("exit(4)", "4", ""),
        ("sys.exit(True)", "1", ""),
    ],
)
def test_a_script_that_exits_keeps_its_code_and_gets_its_report(
    folder: Folder, statement: str, code: str | None, printed: str
) -> None:
    ran = folder.run(folder.write("train.py", f"import sys\nstep()\nstep()\n{statement}\n"))
    assert (ran.report.script_exit, ran.report.traceback, ran.err) == (code, None, printed)
    assert ran.verdicts == ALL_TRAINED


DYING = {
    "of its own error": """
        step()
        def inner(table):
            return table["missing"]
        def outer():
            return inner({})
        outer()
    """,
    "of a chain of errors": """
        step()
        try:
            {}["missing"]
        except KeyError as error:
            try:
                int("x")
            except ValueError:
                raise RuntimeError("while reading\\nthe config") from error
    """,
    "inside a module": """
        step()
        class Wrong(nn.Module):
            def forward(self, x):
                return nn.functional.linear(x, torch.zeros(2, 5))
        nn.Sequential(Wrong())(torch.ones(1, 4))
    """,
    "inside torch's own code": """
        step()
        torch.nn.functional.cross_entropy(torch.ones(2, 3), torch.tensor([0, 7]))
    """,
    "inside a decorated function": """
        step()
        @torch.no_grad()
        def evaluate():
            raise ValueError("no data")
        evaluate()
    """,
    "in a setattr": """
        step()
        model[0].weight = torch.ones(3, 4)
    """,
    "in an optimizer": """
        step()
        torch.optim.SGD([])
    """,
    "in a closure of an optimizer": """
        def closure():
            raise ZeroDivisionError("in closure")
        optimizer.step(closure)
    """,
    "in a backward": """
        loss = model(torch.ones(1, 4)).sum()
        loss.backward()
        loss.backward()
    """,
    "in a hook": """
        def hook(gradient):
            raise ZeroDivisionError("in hook")
        model[0].weight.register_hook(hook)
        step()
    """,
    "before its first step": """
        import no_such_module
    """,
    "of a syntax error in what it imports": """
        import broken
    """,
}


@pytest.mark.parametrize("way", DYING)
def test_a_script_that_dies_has_the_traceback_that_plain_python_prints(folder: Folder, way: str) -> None:
    folder.write("broken.py", "def f(:\n", setup="")
    script = folder.write("train.py", DYING[way])
    printed, ran = folder.death(script), folder.run(script)
    assert ran.report.traceback == printed
    assert ran.report.script_exit is not None
    assert ran.report.script_exit.split(":")[0] in printed.splitlines()[-1 - ran.report.script_exit.count("\n")]


@pytest.mark.slow
def test_the_traceback_is_that_of_a_real_python(folder: Folder) -> None:
    script = folder.write("train.py", DYING["inside a module"])
    plain, ran = folder.plain(script), folder.run(script)
    assert ran.report.traceback == plain.stderr == folder.death(script)


def test_an_interrupted_script_gets_its_report(folder: Folder) -> None:
    ran = folder.run(folder.write("train.py", "step()\nstep()\nraise KeyboardInterrupt\n"))
    assert ran.report.script_exit == "KeyboardInterrupt"
    assert ran.report.traceback is not None and ran.report.traceback.endswith("KeyboardInterrupt\n")
    assert ran.verdicts == ALL_TRAINED


@pytest.mark.slow
def test_a_signal_interrupts_a_script_as_ever(folder: Folder) -> None:
    text = "import os, signal\nstep()\nstep()\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(10**9): pass\n"
    assert folder.run(folder.write("train.py", text)).report.script_exit == "KeyboardInterrupt"


SWALLOWING = {
    "a bare except": """
        for _ in range(400):
            try:
                step()
                done += 1
            except:
                continue
    """,
    "except BaseException": """
        while done < 400:
            try:
                step()
            except BaseException as error:
                caught = error
            done += 1
    """,
    "a finally that goes on": """
        def epochs():
            global done
            for _ in range(400):
                try:
                    step()
                finally:
                    done += 1
                    continue
        epochs()
    """,
    "except Exception": """
        for _ in range(400):
            try:
                step()
                done += 1
            except Exception:
                raise SystemExit(9)
    """,
}


@pytest.mark.parametrize("way", SWALLOWING)
def test_enough_is_enough_whatever_the_loop_catches(folder: Folder, way: str) -> None:
    text = "done = 0\nimport atexit\n" + textwrap.dedent(SWALLOWING[way]) + "print('the end of the script')\n"
    ran = folder.run(folder.write("train.py", text))
    assert ran.verdicts == ALL_TRAINED
    assert (ran.out, ran.report.script_exit, ran.report.traceback) == ("", None, None)


def test_what_has_to_be_closed_is_closed_when_the_script_is_ended(folder: Folder) -> None:
    text = """
    import contextlib
    @contextlib.contextmanager
    def logging():
        try:
            yield
        finally:
            print("log closed")
    with logging():
        for _ in range(1000):
            step()
    """
    assert folder.run(folder.write("train.py", text)).out == "log closed\n"


def test_a_fixed_number_of_steps_is_recorded(folder: Folder) -> None:
    ran = folder.run(folder.write("train.py", "for number in range(100):\n    print(number)\n    step()\n"), steps=2)
    assert ran.out == "0\n1\n"
    assert ran.verdicts == ALL_TRAINED


# -- as under plain python ---------------------------------------------------------------------------------------------


SURROUNDINGS = """
    '''The script's docstring.'''
    import sys, os
    import argparse
    from dataclasses import dataclass
    from sibling import scale
    import pickle, __main__, inspect

    @dataclass
    class Config:
        lr: float = 0.1

    number: int = 3

    def main():
        parser = argparse.ArgumentParser()
        parser.add_argument("--epochs", type=int)
        parser.add_argument("rest", nargs="*")
        arguments = parser.parse_args()
        print(arguments, parser.prog)
        for epoch in range(arguments.epochs):
            print(epoch, f"{step() * scale:.6f}")

    if __name__ == "__main__":
        print(__name__, os.path.basename(__file__), os.path.dirname(__file__) == os.getcwd(), __doc__, __spec__)
        print(sys.argv[1:], os.path.basename(sys.argv[0]), sys.path[0] == os.getcwd())
        print(sorted(name for name in globals() if name.startswith("__")))
        print(type(__builtins__).__name__)
        print(__main__.Config is Config, pickle.loads(pickle.dumps(Config(0.5))))
        print(__main__.__annotations__, Config.__module__)
        print(inspect.getsource(main).splitlines()[0])
        print(repr(model), model[0].weight, torch.get_rng_state().sum())
        print(torch.is_grad_enabled(), torch.overrides.is_tensor_like(1), sys.exc_info(), sys.gettrace())
        sys.stderr.write("a complaint\\n")
        main()
        print("done", file=sys.stdout, flush=True)
"""


@pytest.mark.slow
def test_a_script_run_to_its_end_prints_what_it_prints_under_plain_python(folder: Folder) -> None:
    folder.write("sibling.py", "scale = 2.0\n", setup="")
    script = folder.write("train.py", SURROUNDINGS)
    plain = folder.plain(script, "--epochs", "8", "a", "-")
    ran = folder.run(script, "--epochs", "8", "a", "-", to_end=True)
    assert plain.returncode == 0, plain.stderr
    assert ran.out == plain.stdout
    assert ran.err == plain.stderr == "a complaint\n"
    assert ran.verdicts == ALL_TRAINED


def test_a_script_has_a_loader_as_under_plain_python(folder: Folder) -> None:
    ran = folder.run(folder.write("train.py", "print(type(__loader__).__name__, __loader__.get_filename())\n"))
    assert ran.out == f"SourceFileLoader {folder.path / 'train.py'}\n"


@pytest.mark.slow
def test_a_script_given_by_a_relative_path_sees_what_plain_python_shows(folder: Folder) -> None:
    folder.write("code/sibling.py", "scale = 2.0\n", setup="")
    text = (
        "import sys, os, sibling\nprint(sys.argv, __file__, sys.path[0] == os.path.abspath('code'))\nstep(), step()\n"
    )
    folder.write("code/train.py", text)
    assert folder.run("code/train.py", "x").out == folder.plain("code/train.py", "x").stdout


@pytest.mark.slow
def test_a_module_runs_as_with_python_m(folder: Folder) -> None:
    folder.write("package/__init__.py", "", setup="")
    folder.write("package/sibling.py", "scale = 2.0\n", setup="")
    text = """
    import sys, os
    from .sibling import scale
    from package import sibling
    print(__name__, __package__, __spec__.name, sys.argv[1:])
    print(os.path.basename(sys.argv[0]), sys.path[0] == os.getcwd(), scale)
    for _ in range(8):
        print(step())
    """
    folder.write("package/train.py", text)
    plain = folder.plain("-m", "package.train", "--x", "1")
    ran = folder.run("package.train", "--x", "1", module=True, to_end=True)
    assert plain.returncode == 0, plain.stderr
    assert ran.out == plain.stdout
    assert ran.verdicts == ALL_TRAINED


def test_a_package_with_a_main_module_runs(folder: Folder) -> None:
    folder.write("package/__init__.py", "", setup="")
    folder.write("package/__main__.py", "for _ in range(100): step()\n")
    assert folder.run("package", module=True).verdicts == ALL_TRAINED


@pytest.mark.slow
def test_a_module_that_dies_has_the_traceback_that_plain_python_prints(folder: Folder) -> None:
    folder.write("package/__init__.py", "", setup="")
    folder.write("package/train.py", "step()\nraise ValueError('no data')\n")
    plain, ran = folder.plain("-m", "package.train"), folder.run("package.train", module=True)
    without_runpy = re.sub(r'  File "<frozen runpy>".*\n', "", plain.stderr)
    assert ran.report.traceback == without_runpy


@pytest.mark.parametrize(
    ("argv", "module", "said"),
    [
        ([], False, "No script was given"),
        (["missing.py"], False, "There is no script 'missing.py'. Expected: the path of a Python file"),
        (["."], False, "'.' is a directory. Expected: the path of a Python file, or `-m package`"),
        pytest.param(["no_such_module"], True, "There is no module 'no_such_module'"),
    ],
)
def test_what_cannot_be_run_is_refused(argv: list[str], module: bool, said: str) -> None:
    before = list(sys.argv), list(sys.path), sys.modules["__main__"]
    with pytest.raises(InvalidTargetError, match=re.escape(said)):
        run_script(argv, module=module)
    assert (sys.argv, sys.path, sys.modules["__main__"]) == before


@pytest.mark.parametrize("text", ["def f(:\n", "return 1\n", "x = '\0'\n"], ids=["syntax", "return", "null byte"])
def test_a_script_with_a_syntax_error_is_refused(folder: Folder, text: str) -> None:
    script = folder.write("train.py", text, setup="")
    with pytest.raises(InvalidTargetError, match=r"train\.py.*(has a syntax error|is no Python source)"):
        run_script([script])


def test_a_script_with_an_encoding_of_its_own_runs(folder: Folder) -> None:
    script = folder.path / "train.py"
    script.write_bytes(
        b"# -*- coding: latin-1 -*-\n" + SETUP.encode() + "print('gr\xfc\xdfe')\nstep(), step()\n".encode("latin-1")
    )
    assert folder.run(str(script)).out == "grüße\n"


# -- what scripts do ---------------------------------------------------------------------------------------------------


def test_a_script_without_training_has_nothing_to_audit(folder: Folder) -> None:
    ran = folder.run(folder.write("hello.py", "print('hello')\n", setup=""))
    assert ran.out == "hello\n"
    assert ran.verdicts == {}
    assert (ran.codes, ran.report.exit_code) == ({"FXA902"}, 3)


def test_a_script_that_never_steps_is_blocked_at_its_loop(folder: Folder) -> None:
    text = """
    for _ in range(8):
        optimizer.zero_grad()
        model(torch.randn(8, 4)).square().mean().backward()
    """
    ran = folder.run(folder.write("train.py", text))
    assert set(ran.verdicts.values()) == {"blocked"}
    assert (ran.codes, ran.report.exit_code) == ({"FXA401"}, 1)


def test_a_script_that_only_builds_a_model_blames_nobody(folder: Folder) -> None:
    ran = folder.run(folder.write("train.py", "print(model(torch.ones(1, 4)).shape)\n"))
    assert ran.out == "torch.Size([1, 1])\n"
    assert ran.report.script_exit is None
    assert set(ran.verdicts) == set(ALL_TRAINED) and "trained" not in ran.verdicts.values()


LOADER = """
from torch.utils.data import DataLoader, Dataset

class Numbers(Dataset):
    def __len__(self):
        return 64
    def __getitem__(self, index):
        assert torch.utils.data.get_worker_info() is not None
        return torch.full((4,), float(index)) * torch.ones(4), torch.zeros(1)

def main():
    for epoch in range(2):
        for x, y in DataLoader(Numbers(), batch_size=8, num_workers=2, shuffle=True):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x / 64), y)
            loss.backward()
            optimizer.step()
            print(f"{loss.item():.8f}")

if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
def test_a_data_loader_with_workers_works_and_gives_the_same_batches(folder: Folder) -> None:
    script = folder.write("train.py", LOADER)
    plain, ran = folder.plain(script), folder.run(script, to_end=True)
    assert plain.returncode == 0, plain.stderr
    assert (ran.out, ran.err) == (plain.stdout, plain.stderr)
    assert ran.verdicts == ALL_TRAINED


def test_a_script_that_is_ended_while_workers_run_ends_cleanly(folder: Folder) -> None:
    ran = folder.run(folder.write("train.py", LOADER))
    assert ran.verdicts == ALL_TRAINED
    assert (ran.err, ran.report.script_exit) == ("", None)


def test_threads_beside_the_loop_do_as_they_like(folder: Folder) -> None:
    text = """
    import threading
    turns, rounds = threading.Semaphore(0), []  # a round beside each step, however busy the machine is
    def other():
        net = nn.Linear(2, 2)
        own = torch.optim.Adam(net.parameters())
        for _ in range(8):
            turns.acquire()
            own.zero_grad()
            with torch.no_grad():
                net(torch.ones(1, 2))
            net(torch.ones(1, 2)).sum().backward()
            own.step()
            rounds.append(net.weight.detach().clone())
    thread = threading.Thread(target=other)
    thread.start()
    try:
        for _ in range(8):
            turns.release()
            step()
    finally:
        turns.release(8)
        thread.join()
        print(len(rounds), torch.equal(rounds[0], rounds[-1]))
    """
    ran = folder.run(folder.write("train.py", text), to_end=True)
    assert (ran.out, ran.err) == ("8 False\n", "")
    assert ran.verdicts == ALL_TRAINED


def test_training_in_another_thread_is_judged_right_or_not_at_all(folder: Folder) -> None:
    text = """
    import threading
    def work():
        for _ in range(8):
            step()
        print("trained")
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    """
    ran = folder.run(folder.write("train.py", text), to_end=True)
    assert ran.out == "trained\n"
    assert set(ran.verdicts.values()) <= {"trained", "unknown"}
    assert not [finding for finding in ran.report.findings if finding.level == "error"]


def test_a_script_in_functions_that_changes_its_directory_is_judged_by_its_lines(folder: Folder) -> None:
    text = """
    import os, torch
    from torch import nn
    os.makedirs("elsewhere", exist_ok=True)
    os.chdir("elsewhere")
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 1)
        def forward(self, x):
            return self.b(self.a(x).detach())
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    def main():
        for _ in range(20):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).square().mean().backward()
            optimizer.step()
    main()
    """
    folder.write("train.py", text, setup="")
    ran = folder.run("train.py")
    assert ran.verdicts == {
        "a.weight": "unreachable",
        "a.bias": "unreachable",
        "b.weight": "trained",
        "b.bias": "trained",
    }
    (finding,) = ran.report.findings
    assert finding.culprit is not None
    assert (finding.code, finding.culprit.code.strip()) == ("FXA104", "return self.b(self.a(x).detach())")


def test_a_dropped_model_and_its_optimizer_say_nothing(folder: Folder) -> None:
    text = """
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(20):
        step()
    """
    ran = folder.run(folder.write("train.py", text))
    assert ran.verdicts == ALL_TRAINED
    assert ran.report.findings == ()


def test_what_a_script_patches_in_torch_stays_patched_for_it(folder: Folder) -> None:
    text = """
    original = nn.Linear.forward
    calls = []
    def counted(self, x):
        calls.append(1)
        return original(self, x)
    nn.Linear.forward = counted
    for _ in range(8):
        step()
    print(len(calls))
    """
    ran = folder.run(folder.write("train.py", text), to_end=True)
    assert ran.out == "16\n"
    assert ran.verdicts == ALL_TRAINED


def test_subprocesses_and_forks_of_a_script_are_left_alone(folder: Folder) -> None:
    text = """
    import os, multiprocessing, subprocess, sys
    def child(queue):
        queue.put([step() for _ in range(12)][-1] >= 0)
    if __name__ == "__main__":
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        process = context.Process(target=child, args=(queue,))
        torch.set_num_threads(1)
        process.start()
        print(queue.get(timeout=50), process.join(), process.exitcode)
        print(subprocess.check_output([sys.executable, "-c", "print('sub')"], text=True).strip(), flush=True)
        for _ in range(8):
            step()
    """
    ran = folder.run(folder.write("train.py", text), to_end=True)
    assert ran.out == "True None 0\nsub\n"
    assert ran.verdicts == ALL_TRAINED


def test_the_process_is_what_it_was_after_a_script_ran_in_it(folder: Folder) -> None:
    script = folder.write(
        "train.py", "import sys\nsys.argv.append('more')\nsys.path.insert(0, 'x')\nfor _ in range(9): step()\n"
    )
    before = list(sys.argv), list(sys.path), sys.modules["__main__"], torch.is_grad_enabled(), torch.nn.Module.__call__
    state = torch.get_rng_state()
    run_script([script])
    torch.set_rng_state(state)
    assert (sys.argv, sys.path, sys.modules["__main__"], torch.is_grad_enabled(), torch.nn.Module.__call__) == before


def test_the_copy_that_goes_on_trains_though_it_writes_nothing(folder: Folder) -> None:
    text = """
    import json, os, tempfile
    from pathlib import Path
    optimizer = torch.optim.SGD([], lr=0.1)
    os.makedirs("runs/one", exist_ok=True)
    Path("runs/two").mkdir(parents=True, exist_ok=True)
    scratch = tempfile.gettempdir()
    with open("runs/one/log.txt", "x") as log:
        for number in range(6):
            log.write(f"{step()}\\n")
            torch.save(model.state_dict(), f"runs/{number}.pt")
            Path("runs/state.json").write_text(json.dumps({"step": number}))
    """
    ran = folder.run(folder.write("train.py", text))
    assert set(ran.verdicts.values()) == {"excluded"}
    assert "FXA302" in ran.codes
    assert sorted(path.name for path in folder.path.iterdir()) == ["train.py"]


def test_what_the_scripts_variables_hold_is_still_there_when_a_script_that_ended_by_itself_is_judged(
    tmp_path: Path,
) -> None:
    from fxaudit.run.script import run_script

    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nfrom torch import nn\n"
        "model, scale = nn.Linear(3, 1), nn.Parameter(torch.ones(1))\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.1)\n"
        "for _ in range(2):\n"
        "    optimizer.zero_grad(); (model(torch.ones(2, 3)) * scale).sum().backward(); optimizer.step()\n",
        encoding="utf-8",
    )
    report = run_script([str(script)])
    assert report["scale"].verdict == "unregistered"
    assert [finding.code for finding in report.findings if finding.level == "error"] == ["FXA205"]
