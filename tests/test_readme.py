"""The README: its Python runs, its commands and those of the pages work, and what it shows is what fxaudit says."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fxaudit.renderers.text.terminal import render
from fxaudit.report import Report
from tests import pages
from tests.cli.processes import forked

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODELS = textwrap.dedent(
    """
    import torch
    from torch import nn


    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(8, 4)
            self.weight = nn.Parameter(torch.eye(4))

        def forward(self, x):
            return (self.embedding(x) @ self.weight).detach()


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = Encoder()
            self.backbone = nn.Linear(4, 4).requires_grad_(False)
            self.head = nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.backbone(self.encoder(x)))


    model = Net()
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad])
    criterion = nn.CrossEntropyLoss()
    x, y = torch.arange(8), torch.arange(8) % 2
    loss = criterion(model(x), y)


    def train_one_epoch(model, optimizer):
        for _ in range(2):
            optimizer.zero_grad()
            criterion(model(x), y).backward()
            optimizer.step()


    def make():
        return model, lambda: criterion(model(x), y), optimizer
    """
)
SCRIPT = f"{MODELS}\n\nif __name__ == '__main__':\n    train_one_epoch(model, optimizer)\n"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def commands() -> list[str]:
    """The commands of the README, and of the pages that no other test runs."""
    shown = [
        *blocks("sh"),
        *(block for name in ("recordings", "fixes") for block in pages.blocks(pages.page(name), "sh")),
    ]
    lines = [line.partition("#")[0].strip() for block in shown for line in block.splitlines()]
    return list(dict.fromkeys(line for line in lines if line.startswith("fxaudit ")))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has the files which the README's commands name."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "train.py").write_text(SCRIPT, encoding="utf-8")
    (folder / "models.py").write_text(MODELS, encoding="utf-8")
    (folder / "package").mkdir()
    (folder / "package" / "train.py").write_text(SCRIPT, encoding="utf-8")
    (folder / "package" / "__init__.py").touch()
    ended = forked(["run", "--quiet", "-o", "audit.json", "train.py"], folder)
    assert ended.status == 1, ended.err
    shutil.copy(folder / "audit.json", folder / "old.json")
    shutil.copy(folder / "audit.json", folder / "new.json")
    return folder


@pytest.mark.slow
def test_the_python_examples_run_in_their_order(tmp_path: Path) -> None:
    examples = "\n".join(blocks("python"))
    checks = 'assert report["encoder.embedding.weight"].verdict == "unreachable"\nassert not report.ok\n'
    checks += "try:\n    test_every_layer_trains()\n    raise SystemExit('it does not train')\n"
    checks += "except AssertionError as error:\n    assert 'error[FXA104]' in str(error)\n"
    (tmp_path / "readme.py").write_text(MODELS + examples + checks, encoding="utf-8")
    process = subprocess.run(
        [sys.executable, "readme.py"],
        cwd=tmp_path,
        env={"PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert "FXA104" in process.stdout
    assert (tmp_path / "audit.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("line", commands())
def test_every_command_works_as_written(line: str, project: Path) -> None:
    ended = forked(shlex.split(line)[1:], project)
    assert ended.status in (0, 1), ended.err
    assert "Traceback" not in ended.err
    written = re.findall(r"-o (\S+)", line)
    assert written or ended.out
    assert [name for name in written if not (project / name).is_file()] == []


def test_the_report_it_shows_is_the_one_in_the_gallery() -> None:
    report = Report.from_json((ROOT / "reports" / "train_translation.json").read_text(encoding="utf-8"))
    (shown,) = blocks("text")
    assert shown.rstrip() == render(report, width=100).partition("\n1 error.\n")[0].rstrip()


def test_it_shows_two_pictures_that_exist() -> None:
    pictures = re.findall(r"!\[[^\]]+\]\((\S+\.svg)\)", README)
    assert len(pictures) == 2
    assert [path for path in pictures if not (ROOT / path).is_file()] == []
