import sys

import torch

from diffusion import conf as C
from diffusion import optim
from diffusion.denoiser import Denoiser
from diffusion.ema import Shadow
from diffusion.process import GaussianProcess


def spiral(n, classes):
    y = torch.randint(0, classes, (n,))
    r = torch.rand(n)
    ang = 3 * r + y * 2 * torch.pi / classes
    return torch.stack([r * ang.cos(), r * ang.sin()], 1) * 2, y


def main(path, *dotlist):
    conf = C.load(path, dotlist)
    torch.manual_seed(conf.seed)
    model = Denoiser(**conf.model)
    process = GaussianProcess(conf.process.steps, conf.select("process.self_cond_prob", 0.0))
    opt = optim.make(model, conf.optim)
    shadow = Shadow(model, conf.train.ema_decay)
    model.train()
    for it in range(conf.train.iterations):
        x0, y = spiral(conf.train.batch, conf.model.classes)
        loss = process.training_loss(model, x0, y)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        shadow.update(model)
        if it % 4 == 0:
            print(f"it {it} loss {loss.item():.4f} ema distance {shadow.distance(model):.4f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
