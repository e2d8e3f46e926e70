"""`%fxaudit` and `%%fxaudit`, in an IPython shell and in a real kernel."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.apart import apart, needs
from tests.pages import ROOT, blocks, page

CELL = """import torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 2)
    def forward(self, x):
        h = self.first(x).detach()
        return self.last(h)
model, criterion = Net(), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(8, 4), torch.arange(8) % 2
def loss(): return criterion(model(x), y)
computed = loss()
"""


@pytest.fixture(scope="module", autouse=True)
def _warm(first_step_paid: None) -> None:
    """Import once what every copy would import."""
    if importlib.util.find_spec("IPython") is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module("IPython.core.interactiveshell")
    importlib.import_module("fxaudit.api")
    importlib.import_module("fxaudit.renderers.html.markup")


def said(*cells: str) -> dict[str, Any]:
    """What an IPython shell made of the cells: the last result as a report, and what the last cell said on stderr."""

    def work() -> dict[str, Any]:
        import contextlib
        import io

        from IPython.core.interactiveshell import InteractiveShell

        shell = InteractiveShell.instance()
        for cell in ("%load_ext fxaudit", CELL, *cells):
            err = io.StringIO()
            with contextlib.redirect_stderr(err), contextlib.redirect_stdout(io.StringIO()):
                result = shell.run_cell(cell, store_history=True)
        report = result.result
        return {
            "err": err.getvalue(),
            "success": result.success,
            "verdicts": report.verdicts() if report is not None else None,
            "codes": [finding.code for finding in report.findings] if report is not None else [],
            "patches": [(f.patch.state, [*f.patch.files]) for f in report.findings if f.patch] if report else [],
            "places": [str(finding.culprit) for finding in report.findings] if report is not None else [],
            "optimizers": [(one.name, one.steps) for one in report.optimizers] if report is not None else [],
            "events": [str(event.source) for step in report.steps for event in step.events]
            if report is not None
            else [],
            "shown": str(report),
            "has_model": "net" in shell.user_ns,
        }

    return apart(work)


@pytest.mark.slow
@needs("IPython")
def test_a_patch_for_a_cell_is_tried_and_shown_under_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = said("%fxaudit --fix model loss() optimizer")
    assert found["patches"] == [["tried", ["Cell In[2]"]]]
    assert "2 parameters train, nothing else changes its verdict" in found["shown"]
    assert "- h = self.first(x).detach()" in found["shown"] and "+ h = self.first(x)" in found["shown"]
    refused = said("%fxaudit --fix -o fix.patch model loss() optimizer")
    assert refused["err"] == "fxaudit: There is no patch to write: the edit is one of Cell In[2], which is no file.\n"
    assert list(tmp_path.iterdir()) == []


LOOP = """for _ in range(4):
    optimizer.zero_grad()
    loss().backward()
    optimizer.step()
"""


@needs("IPython")
@pytest.mark.parametrize("loss", ["criterion(model(x), y)", "loss", "(lambda: loss())", "lambda:loss()"])
def test_the_line_magic_audits_one_batch(loss: str) -> None:
    found = said(f"# a comment\n%fxaudit model {loss} optimizer")
    assert found["codes"] == ["FXA104"], found["err"]
    assert found["places"] == ["Cell In[2], line 8"]
    assert found["optimizers"] == [["optimizer", 0]]
    assert "Cell In[3], line 2" in found["events"] or "Cell In[2], line 13" in found["shown"]
    assert found["verdicts"] == {"trained": 2, "unreachable": 2}


@needs("IPython")
def test_the_line_magic_takes_a_computed_loss_or_none() -> None:
    assert said("%fxaudit model computed optimizer")["verdicts"] == {"trained": 2, "unreachable": 2}
    assert said("%fxaudit model")["codes"] == ["FXA104"]


@needs("IPython")
def test_the_cell_magic_watches_the_cell_and_counts_its_own_line() -> None:
    found = said(f"%%fxaudit model optimizer\n{LOOP}")
    assert found["codes"] == ["FXA104"]
    assert found["optimizers"] == [["optimizer", 3]]
    assert "Cell In[3], line 5" in found["events"]


@needs("IPython")
def test_the_cell_magic_without_a_model_finds_what_the_cell_makes() -> None:
    made = "net = Net()\nheld = torch.optim.SGD(net.last.parameters(), lr=0.1)\n"
    loop = LOOP.replace("loss()", "criterion(net(x), y)").replace("optimizer", "held")
    found = said(f"%%fxaudit --steps 2\n{made}{loop}")
    assert found["codes"] == ["FXA104"]
    assert found["optimizers"] == [["held", 2]]
    assert found["has_model"] is True


@needs("IPython")
def test_a_cell_that_raises_has_its_report() -> None:
    def work() -> dict[str, Any]:
        import contextlib
        import io

        from IPython.core.interactiveshell import InteractiveShell

        import fxaudit

        shell = InteractiveShell.instance()
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            for cell in ("%load_ext fxaudit", CELL):
                shell.run_cell(cell, store_history=True)
            result = shell.run_cell(f"%%fxaudit model optimizer\n{LOOP}    1 / 0\n", store_history=True)
        assert isinstance(result.result, fxaudit.Report)
        return {"codes": [finding.code for finding in result.result.findings], "out": out.getvalue()}

    found = apart(work)
    assert found["codes"] == ["FXA104"]
    assert "ZeroDivisionError" in found["out"]


@needs("IPython")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%fxaudit", "fxaudit: no model is given.\nExpected one of:"),
        ("%fxaudit nett", "fxaudit: name 'nett' is not defined."),
        ("%fxaudit model --stepz 3", "fxaudit: there is no option --stepz.\nExpected one of:"),
        ("%fxaudit model --steps none", "fxaudit: --steps cannot be 'none'."),
        ("%fxaudit model --expect a=frozn", "fxaudit: --expect cannot be 'a=frozn'."),
        ("%fxaudit model -o a.docx", "fxaudit: No report format fits 'a.docx'"),
        ("%fxaudit model( loss", "fxaudit: 'model( loss' is no expression."),
        ("%fxaudit x", "fxaudit: `model` is a Tensor"),
    ],
)
def test_a_wrong_line_is_told_in_words(line: str, message: str) -> None:
    found = said(line)
    assert found["err"].startswith(message)
    assert (found["success"], found["verdicts"]) == (True, None)


@needs("nbclient", "ipykernel")
@pytest.mark.slow
def test_the_page_works_in_a_real_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    kernel = tmp_path / "kernels" / "here"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    spec = {"argv": argv, "display_name": "here", "language": "python", "env": {"PYTHONPATH": path}}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    load, line, cell = blocks(page("notebooks"), "ipython")
    sources = [load, CELL, line, f"report = {line}print(report)", cell]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, timeout=120, kernel_name="here", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [{kind for output in one.outputs for kind in output.get("data", {})} for one in notebook.cells]
    assert "text/html" in shown[2] and "text/html" in shown[4]
    assert "FXA104" in "".join(output["data"]["text/html"] for output in notebook.cells[2].outputs)
    assert "Cell In[2], line 8 in Net.forward" in notebook.cells[3].outputs[0]["text"]
