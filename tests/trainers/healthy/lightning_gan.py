"""Lightning: a GAN with manual optimization and two optimizers."""

import sys

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader


class GAN(L.LightningModule):
    def __init__(self, latent=4):
        super().__init__()
        self.automatic_optimization = False
        self.latent = latent
        self.generator = nn.Sequential(nn.Linear(latent, 16), nn.ReLU(), nn.Linear(16, 6))
        self.discriminator = nn.Sequential(nn.Linear(6, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
        self.losses = []

    def forward(self, z):
        return self.generator(z)

    def training_step(self, real, batch_idx):
        g_opt, d_opt = self.optimizers()
        bce = nn.functional.binary_cross_entropy_with_logits
        z = torch.randn(len(real), self.latent).type_as(real)
        ones, zeros = torch.ones(len(real), 1).type_as(real), torch.zeros(len(real), 1).type_as(real)

        self.toggle_optimizer(g_opt)
        g_loss = bce(self.discriminator(self(z)), ones)
        g_opt.zero_grad()
        self.manual_backward(g_loss)
        g_opt.step()
        self.untoggle_optimizer(g_opt)

        self.toggle_optimizer(d_opt)
        d_loss = (bce(self.discriminator(real), ones) + bce(self.discriminator(self(z).detach()), zeros)) / 2
        d_opt.zero_grad()
        self.manual_backward(d_loss)
        d_opt.step()
        self.untoggle_optimizer(d_opt)
        self.log_dict({"g": g_loss, "d": d_loss}, prog_bar=True)
        self.losses += [g_loss.item(), d_loss.item()]

    def configure_optimizers(self):
        return (
            torch.optim.Adam(self.generator.parameters(), lr=2e-3, betas=(0.5, 0.999)),
            torch.optim.Adam(self.discriminator.parameters(), lr=2e-3, betas=(0.5, 0.999)),
        )


def build():
    L.seed_everything(1, verbose=False)
    return GAN()


def main():
    model = build()
    loader = DataLoader(torch.randn(40, 6), batch_size=8)
    trainer = L.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False)
    trainer.fit(model, loader)
    torch.save({"model": model.state_dict(), "losses": model.losses}, sys.argv[-1])


EXPECT = {"*": "trained"}

if __name__ == "__main__":
    main()
