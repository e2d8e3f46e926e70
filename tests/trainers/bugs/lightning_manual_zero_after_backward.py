"""Lightning: in manual optimization the gradients are cleared between `manual_backward` and `step`."""

import sys

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class AutoEncoder(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.encoder = nn.Linear(6, 3)
        self.decoder = nn.Linear(3, 6)
        self.losses = []

    def training_step(self, batch, batch_idx):
        (x,) = batch
        encoder_opt, decoder_opt = self.optimizers()
        loss = nn.functional.mse_loss(self.decoder(self.encoder(x)), x)
        self.manual_backward(loss)
        decoder_opt.step()
        decoder_opt.zero_grad()
        encoder_opt.zero_grad()  # <-- culprit
        encoder_opt.step()
        self.losses.append(loss.item())

    def configure_optimizers(self):
        return [
            torch.optim.Adam(self.encoder.parameters(), lr=1e-2),
            torch.optim.Adam(self.decoder.parameters(), lr=1e-2),
        ]


def build():
    L.seed_everything(0, verbose=False)
    return AutoEncoder()


def main():
    model = build()
    loader = DataLoader(TensorDataset(torch.randn(64, 6)), batch_size=8)
    trainer = L.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.fit(model, loader)
    torch.save({"model": model.state_dict(), "losses": model.losses}, sys.argv[-1])


EXPECT = {"encoder.*": "blocked", "decoder.*": "trained"}
CODES = {"FXA403"}

if __name__ == "__main__":
    main()
