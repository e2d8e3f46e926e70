"""The callbacks for Lightning and transformers, and the block for accelerate, in their real loops."""

from __future__ import annotations

import importlib.util
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.errors import InvalidModelError, InvalidOptionError, MissingLibraryError, UnknownFormatError
from fxaudit.integrations.hosts import host
from fxaudit.integrations.watching import LoopAudit
from tests.integrations.apart import apart, needs

HAS_TENSORBOARD = importlib.util.find_spec("tensorboard") is not None


def digest(model: nn.Module) -> list[Any]:
    """The weights to the last bit, and the state of the random numbers."""
    return [[p.detach().flatten().tolist() for p in model.parameters()], torch.get_rng_state().sum().item()]


def texts(folder: Path) -> str:
    """What TensorBoard has been given as text."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = ""
    for file in folder.rglob("events.out.tfevents.*"):
        events = EventAccumulator(str(file))
        events.Reload()
        for tag in events.Tags()["tensors"]:
            found += "".join(event.tensor_proto.string_val[0].decode() for event in events.Tensors(tag))
    return found


# -- Lightning ---------------------------------------------------------------------------------------------------


def fitted(folder: Path, callbacks: list[Any], *, head_held: bool, **options: Any) -> Any:
    """A model after a fit of two epochs with dropout and shuffled batches, and its trainer."""
    import lightning as L
    from torch.utils.data import DataLoader, TensorDataset

    class Net(L.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Dropout(0.2))
            self.head = nn.Linear(12, 3)
            self.seen = 0

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            self.seen += 1
            if options.get("dies_at") == self.seen:
                raise ZeroDivisionError("on purpose")
            x, y = batch
            return nn.functional.cross_entropy(self.head(self.body(x)), y)

        def configure_optimizers(self) -> Any:
            generator = torch.optim.Adam((self if head_held else self.body).parameters())
            return generator

    L.seed_everything(0, verbose=False)
    model = Net()
    loader = DataLoader(TensorDataset(torch.randn(32, 6), torch.randint(0, 3, (32,))), batch_size=8, shuffle=True)
    trainer = L.Trainer(
        max_epochs=2, accelerator="cpu", logger=options.get("logger", False), enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=folder, callbacks=callbacks,
    )  # fmt: skip
    try:
        trainer.fit(model, loader)
    except ZeroDivisionError:
        model.seen = -model.seen
    return model, trainer


@needs("lightning")
def test_lightning_trains_bit_for_bit_the_same_with_the_callback(tmp_path: Path) -> None:
    def work(watched: bool) -> dict[str, Any]:
        from fxaudit.integrations.lightning import AuditCallback

        model, _ = fitted(tmp_path, [AuditCallback()] if watched else [], head_held=True)
        return {"digest": digest(model), "seen": model.seen}

    plain = apart(lambda: work(False))
    assert plain["seen"] == 8
    assert apart(lambda: work(True)) == plain


@needs("lightning")
def test_lightning_stops_at_an_error_and_names_the_line(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        from lightning.pytorch.loggers import CSVLogger

        from fxaudit.integrations.lightning import AuditCallback

        told: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger("fxaudit").addHandler(handler)
        callback = AuditCallback(steps=3, stop_on="error")
        model, trainer = fitted(tmp_path, [callback], head_held=False, logger=CSVLogger(tmp_path))
        assert callback.report is not None
        (finding,) = callback.report.findings
        return {
            "code": finding.code,
            "line": finding.culprit.code if finding.culprit else "",
            "optimizers": [(one.name, one.type) for one in callback.report.optimizers],
            "seen": model.seen,
            "told": told,
            "folder": trainer.log_dir,
        }

    found = apart(work)
    assert found["code"] == "FXA301"
    assert found["line"].startswith("generator = torch.optim.Adam(")
    assert found["optimizers"] == [["generator", "Adam"]]
    assert found["seen"] == 3
    assert len(found["told"]) == 1
    assert "error[FXA301]" in found["told"][0]
    folder = Path(found["folder"])
    assert json.loads((folder / "fxaudit.json").read_text(encoding="utf-8"))["findings"][0]["code"] == "FXA301"
    assert (folder / "fxaudit.html").is_file()
    rows = (folder / "metrics.csv").read_text(encoding="utf-8")
    assert "fxaudit/errors" in rows and "fxaudit/excluded" in rows


@pytest.mark.slow
@needs("lightning", "tensorboard")
def test_lightning_tells_tensorboard(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        from lightning.pytorch.loggers import TensorBoardLogger

        from fxaudit.integrations.lightning import AuditCallback

        fitted(tmp_path, [AuditCallback()], head_held=False, logger=TensorBoardLogger(tmp_path))
        return {}

    apart(work)
    assert "FXA301" in texts(tmp_path)


@needs("lightning")
def test_a_fit_that_dies_has_its_verdict_and_leaves_torch_as_it_was(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        from fxaudit.integrations.lightning import AuditCallback

        before = (torch.Tensor.backward, torch.optim.Optimizer.__init__, nn.Module.__call__)
        callback = AuditCallback()
        model, _ = fitted(tmp_path, [callback], head_held=False, dies_at=2)
        after = (torch.Tensor.backward, torch.optim.Optimizer.__init__, nn.Module.__call__)
        modes = len(torch.overrides._get_current_function_mode_stack())
        assert callback.report is not None
        return {"same": before == after, "modes": modes, "verdicts": callback.report.verdicts(), "seen": model.seen}

    found = apart(work)
    assert found == {"same": True, "modes": 0, "verdicts": {"trained": 2, "excluded": 2}, "seen": -2}


# -- transformers ------------------------------------------------------------------------------------------------


def trained(folder: Path, callbacks: list[Any], *, detached: bool, report_to: str = "none", model: Any = None) -> Any:
    """A small BERT after six steps of the Trainer."""
    from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

    class Own(Trainer):  # type: ignore[misc]
        def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **kwargs: Any) -> Any:
            hidden = model.bert(input_ids=inputs["input_ids"]).pooler_output
            if detached:
                hidden = hidden.detach()  # guilty
            return nn.functional.cross_entropy(model.classifier(hidden), inputs["labels"])

    set_seed(0)
    config = BertConfig(hidden_size=8, intermediate_size=8, num_attention_heads=2, num_hidden_layers=1, vocab_size=30)
    model = model or BertForSequenceClassification(config)
    data = [{"input_ids": torch.randint(0, 30, (5,)), "labels": torch.tensor(n % 2)} for n in range(24)]
    args = TrainingArguments(
        output_dir=str(folder), max_steps=6, per_device_train_batch_size=4, report_to=report_to, use_cpu=True,
        save_strategy="no", disable_tqdm=True, logging_steps=2,
    )  # fmt: skip
    trainer = Own(model=model, args=args, train_dataset=data, callbacks=callbacks)
    trainer.train()
    return model, trainer


@pytest.mark.slow
@needs("transformers", "accelerate")
def test_transformers_trains_bit_for_bit_the_same_with_the_callback(tmp_path: Path) -> None:
    def work(watched: bool) -> dict[str, Any]:
        from fxaudit.integrations.transformers import AuditCallback

        model, trainer = trained(tmp_path, [AuditCallback()] if watched else [], detached=False)
        history = [{k: v for k, v in row.items() if k in ("loss", "step")} for row in trainer.state.log_history]
        return {"digest": digest(model), "history": history}

    assert apart(lambda: work(True)) == apart(lambda: work(False))


@pytest.mark.slow
@needs("transformers", "accelerate")
@pytest.mark.parametrize("report_to", ["none", pytest.param("tensorboard", marks=needs("tensorboard"))])
def test_transformers_stops_at_an_error_and_names_the_line(report_to: str, tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        from fxaudit.integrations.transformers import AuditCallback

        callback = AuditCallback(stop_on="error", save=["verdict.json"])
        _, trainer = trained(tmp_path, [callback], detached=True, report_to=report_to)
        assert callback.report is not None
        return {
            "findings": [(f.code, f.culprit.code if f.culprit else "") for f in callback.report.findings],
            "steps": trainer.state.global_step,
            "optimizers": [(one.name, one.type, one.steps) for one in callback.report.optimizers],
        }

    found = apart(work)
    assert found["findings"][0] == ["FXA104", "hidden = hidden.detach()  # guilty"]
    assert found["steps"] == 3
    assert found["optimizers"] == [["trainer.optimizer", "AdamW", 3]]
    assert (tmp_path / "verdict.json").is_file()
    if report_to == "tensorboard":
        assert "FXA104" in texts(tmp_path)


@pytest.mark.slow
@needs("transformers", "accelerate")
def test_a_training_that_died_is_watched_no_more_after_close(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        import transformers

        from fxaudit.integrations.transformers import AuditCallback

        class Dies(transformers.TrainerCallback):  # type: ignore[misc]
            def on_step_end(self, *args: Any, **kwargs: Any) -> None:
                raise ZeroDivisionError

        before = (torch.Tensor.backward, torch.optim.Optimizer.__init__)
        callback = AuditCallback()
        try:
            trained(tmp_path, [callback, Dies()], detached=True)
        except ZeroDivisionError:
            callback.close()
        after = (torch.Tensor.backward, torch.optim.Optimizer.__init__)
        assert callback.report is not None
        return {"same": before == after, "codes": [finding.code for finding in callback.report.findings]}

    assert apart(work) == {"same": True, "codes": ["FXA104"]}


# -- accelerate --------------------------------------------------------------------------------------------------


def looped(accelerator: Any, audit: Any, *, detached: bool) -> tuple[nn.Module, int]:
    """Eight steps of a loop with what the accelerator has prepared: (the model, how many steps were made)."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 1))
    model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.1))
    steps = 0
    with audit(accelerator):
        for _ in range(8):
            optimizer.zero_grad()
            hidden = model[0](torch.randn(3, 4))
            if detached:
                hidden = hidden.detach()  # guilty
            loss = model[2](model[1](hidden)).square().mean()
            accelerator.backward(loss)
            steps += 1
            optimizer.step()
    return model, steps


@needs("accelerate")
def test_accelerate_trains_bit_for_bit_the_same_in_the_block() -> None:
    def work(watched: bool) -> dict[str, Any]:
        import contextlib

        import accelerate

        from fxaudit.integrations.accelerate import audited

        model, steps = looped(
            accelerate.Accelerator(cpu=True), audited if watched else contextlib.nullcontext, detached=False
        )
        return {"digest": digest(model), "steps": steps}

    assert apart(lambda: work(True)) == apart(lambda: work(False))


@needs("accelerate")
def test_accelerate_leaves_the_block_at_an_error_and_tells_the_trackers(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        import accelerate

        from fxaudit.integrations.accelerate import audited

        accelerator = accelerate.Accelerator(
            cpu=True, project_dir=str(tmp_path), log_with="tensorboard" if HAS_TENSORBOARD else None
        )
        accelerator.init_trackers("run")
        made: list[Any] = []

        def audit(accelerator: Any) -> Any:
            made.append(audited(accelerator, steps=3, stop_on="error"))
            return made[0]

        _, steps = looped(accelerator, audit, detached=True)
        accelerator.end_training()
        (finding,) = made[0].report.findings
        return {
            "code": finding.code,
            "line": finding.culprit.code,
            "steps": steps,
            "optimizers": [(one.name, one.type, one.steps) for one in made[0].report.optimizers],
        }

    found = apart(work)
    assert found["code"] == "FXA104"
    assert found["line"] == "hidden = hidden.detach()  # guilty"
    assert found["steps"] == 3
    assert found["optimizers"] == [["optimizer", "SGD", 3]]
    assert (tmp_path / "fxaudit.html").is_file()
    if HAS_TENSORBOARD:
        assert "FXA104" in texts(tmp_path)


@needs("accelerate")
def test_accelerate_wants_something_prepared() -> None:
    def work() -> dict[str, Any]:
        import accelerate

        from fxaudit.integrations.accelerate import audited

        with (
            pytest.raises(InvalidModelError, match="has prepared no model yet"),
            audited(accelerate.Accelerator(cpu=True)),
        ):
            pass
        return {}

    apart(work)


# -- without any host --------------------------------------------------------------------------------------------


def test_a_missing_host_library_is_named() -> None:
    with pytest.raises(MissingLibraryError, match=r"needs nowhere_to_be_found, which is not installed"):
        host("fxaudit.integrations.nowhere", "nowhere_to_be_found.inner", "nor_this")


def test_wrong_options_are_refused_before_any_step() -> None:
    with pytest.raises(InvalidOptionError, match="`stop_on` is 'fatal'"):
        LoopAudit(expect=None, steps=None, stop_on="fatal", save=())  # type: ignore[arg-type]
    with pytest.raises(UnknownFormatError):
        LoopAudit(expect=None, steps=None, stop_on=None, save=["verdict.docx"])
    with pytest.raises(InvalidOptionError, match="of 2 processes"):
        LoopAudit(expect=None, steps=None, stop_on="error", save=()).begin(nn.Linear(1, 1), processes=2)


def test_a_wrapper_around_an_optimizer_is_looked_into() -> None:
    class Wrapper:
        def __init__(self, inner: torch.optim.Optimizer) -> None:
            self.inner = inner

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def step(self) -> None:
            self.inner.step()

    model = nn.Linear(2, 1)
    wrapped = Wrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    with fxaudit.watch(model, wrapped) as watching:
        for _ in range(3):
            wrapped.zero_grad()
            model(torch.ones(1, 2)).sum().backward()
            wrapped.step()
    assert [(one.name, one.type, one.steps) for one in watching.report.optimizers] == [("wrapped", "SGD", 3)]


POOLER = """
import torch
from torch import nn
from transformers import BertConfig, BertModel


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = dict(hidden_size=8, intermediate_size=8, num_attention_heads=2, num_hidden_layers=1, vocab_size=9)
        self.bert, self.out = BertModel(BertConfig(**sizes)), nn.Linear(8, 2)

    def forward(self, x):
        return self.out(self.bert(x).last_hidden_state)


torch.manual_seed(0)
net = Net()
optimizer = torch.optim.Adam(net.parameters())
"""


@pytest.mark.slow
@needs("transformers")
def test_what_a_librarys_model_leaves_unused_is_its_default_also_where_nobody_saw_it_made(tmp_path: Path) -> None:
    def work() -> dict[str, Any]:
        space: dict[str, Any] = {}
        exec(compile(POOLER, str(tmp_path / "net.py"), "exec"), space)
        net, ids = space["net"], torch.randint(0, 9, (2, 5))
        report = fxaudit.audit(net, lambda: net(ids).square().mean(), space["optimizer"])
        assert report["bert.pooler.dense.weight"].verdict == "unreachable"
        return {"loud": [finding.message for finding in report.findings if finding.level == "error"]}

    assert apart(work) == {"loud": []}
