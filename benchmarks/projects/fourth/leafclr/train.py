from __future__ import annotations

from pathlib import Path

import torch

from bank import KeyBank
from encoders import LeafContrast
from leaves import SPECIES, views
from losses import info_nce, probe_loss
from settings import Settings


def optimizer_for(model: LeafContrast, lr: float) -> torch.optim.Optimizer:
    return torch.optim.Adam([p for n, p in model.named_parameters() if not n.startswith("key.")], lr=lr)


def main(settings: Settings) -> None:
    model = LeafContrast(settings.width, settings.dim)
    if settings.freeze_backbone:
        model.backbone.requires_grad_(False)
    model.attach_probe(len(SPECIES))
    opt = optimizer_for(model, settings.lr)
    bank = KeyBank(batches=3)
    for step, (whole, other, crop, species) in enumerate(views(settings.steps)):
        q_whole, q_crop, h = model.queries(whole, crop)
        keys = model.keys(other)
        negatives = bank.tensor()
        loss = info_nce(q_whole, keys, negatives, model.log_scale)
        loss = loss + 0.5 * info_nce(q_crop, keys, negatives, model.log_scale)
        loss = loss + probe_loss(model.probe, h, species)
        opt.zero_grad()
        loss.backward()
        opt.step()
        model.move_key(settings.momentum)
        bank.push(keys)
        if step % 4 == 0:
            print(f"step {step} loss {loss.item():.3f} scale {model.log_scale.exp().item():.2f}")


if __name__ == "__main__":
    torch.manual_seed(9)
    main(Settings.load(Path(__file__).with_name("settings.env")))
