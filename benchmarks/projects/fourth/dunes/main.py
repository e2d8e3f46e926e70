from pathlib import Path

import torch
import yaml
from torch import nn

from build import build
from guard import Keeper, guard


class Diffusion(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.schedule = build(cfg["schedule"])
        self.net = build(cfg["denoiser"], steps=self.schedule.steps)

    def loss(self, x, kind):
        t = torch.randint(0, self.schedule.steps, (len(x),))
        eps = torch.randn_like(x)
        return (self.net(self.schedule.mix(x, eps, t), t, kind) - eps).pow(2).mean()


def profiles(n, batch=12, length=16):
    u = torch.linspace(0, 6.2832, length + 1)[:-1]
    for _ in range(n):
        kind = torch.randint(0, 3, (batch,))
        yield torch.sin(u * (kind + 1)[:, None] + torch.rand(batch, 1))[:, None], kind


@torch.no_grad()
def validate(model):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return sum(model.loss(*b).item() for b in profiles(4)) / 4


def main():
    cfg = yaml.safe_load(Path(__file__).with_name("config.yaml").read_text())
    torch.manual_seed(cfg["seed"])
    model = Diffusion(cfg)
    guard(model.net.mid)
    keeper = Keeper(model.net)
    opt = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
    for epoch in range(cfg["epochs"]):
        for x, kind in profiles(cfg["batches"]):
            loss = model.loss(x, kind)
            opt.zero_grad()
            loss.backward()
            opt.step()
        value = validate(model)
        print(f"epoch {epoch} validation {value:.3f}", "saved" if keeper.epoch_end(value) else "went back")


if __name__ == "__main__":
    main()
