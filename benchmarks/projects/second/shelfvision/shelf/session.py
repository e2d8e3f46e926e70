from __future__ import annotations

import torch
import torch.nn.functional as F

from . import checkpoints, tuning, zoo


class Session:
    """One fine-tuning session, described by a dict."""

    def __init__(self, spec: dict, callbacks=()) -> None:
        self.spec = spec
        self.callbacks = list(callbacks)
        self.model = zoo.create(spec["arch"])
        self.model.reset_classifier(spec["classes"])
        tuning.select_trainable(self.model, spec["tune"])
        self.optimizer = tuning.optimizer_for(self.model, spec["lr"], spec["head_mult"])
        missing = checkpoints.load_into(
            self.model, checkpoints.pretrained_file(spec["arch"]), skip_prefixes=[self.model.head_name])
        print("not in the checkpoint:", missing)

    def _emit(self, hook: str, *args) -> None:
        for cb in self.callbacks:
            getattr(cb, hook)(self, *args)

    def batch(self):
        y = torch.randint(0, self.spec["classes"], (self.spec["batch"],))
        x = torch.randn(len(y), 3, 6, 6) * 0.5
        x[torch.arange(len(y)), y % 3] += 1.0
        return x, y

    def run(self) -> None:
        self._emit("begin")
        self.model.train()
        for _ in range(self.spec["steps"]):
            x, y = self.batch()
            loss = F.cross_entropy(self.model(x), y)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self._emit("after_step", loss.item())
        self._emit("finish")
