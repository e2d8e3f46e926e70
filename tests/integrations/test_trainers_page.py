"""docs/trainers.md: what it shows runs."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from tests.integrations.apart import needs
from tests.pages import blocks, page, run_python

BEFORE = {
    "lightning": """
        import torch
        from lightning import LightningModule
        from torch import nn
        from torch.utils.data import DataLoader, TensorDataset


        class Module(LightningModule):
            def __init__(self):
                super().__init__()
                self.layer = nn.Linear(4, 2)

            def training_step(self, batch):
                return nn.functional.cross_entropy(self.layer(batch[0]), batch[1])

            def configure_optimizers(self):
                return torch.optim.SGD(self.parameters(), lr=0.1)


        module = Module()
        loader = DataLoader(TensorDataset(torch.randn(16, 4), torch.arange(16) % 2), batch_size=4)
    """,
    "transformers": """
        import torch
        from transformers import DistilBertConfig, DistilBertForSequenceClassification

        sizes = dict(dim=8, hidden_dim=8, n_heads=2, n_layers=1, vocab_size=30)
        model = DistilBertForSequenceClassification(DistilBertConfig(**sizes))
        data = [{"input_ids": torch.randint(0, 30, (5,)), "labels": n % 2} for n in range(24)]
    """,
    "accelerate": """
        import torch
        from torch import nn

        net, criterion = nn.Linear(4, 2), nn.CrossEntropyLoss()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        loader = torch.utils.data.DataLoader([(torch.randn(4), n % 2) for n in range(16)], batch_size=4)
    """,
    "peft": """
        import torch
        from torch import nn


        class Base(nn.Module):
            def __init__(self):
                super().__init__()
                self.first, self.head = nn.Linear(4, 4), nn.Linear(4, 2)

            def forward(self, x):
                return self.head(self.first(x).relu())


        base, criterion = Base(), nn.CrossEntropyLoss()
        x, y = torch.randn(8, 4), torch.arange(8) % 2
    """,
}


@pytest.mark.slow
@pytest.mark.parametrize("library", [pytest.param(name, marks=needs(name)) for name in BEFORE])
def test_its_example_runs(library: str, tmp_path: Path) -> None:
    (shown,) = [block for block in blocks(page("trainers"), "python") if f"from {library} import" in block]
    run_python(f"{textwrap.dedent(BEFORE[library])}\n{shown}", tmp_path)


def test_every_example_of_the_page_is_run() -> None:
    assert len(blocks(page("trainers"), "python")) == len(BEFORE)
