import torch

from denoiser import Denoiser, LabelContext
from ema import DiffusionSystem, warm_start
from process import Noising, blobs
from settings import from_env


def main():
    s = from_env()
    torch.manual_seed(s.seed)
    system = DiffusionSystem(
        Denoiser(s.width), LabelContext(s.n_classes, s.width, s.label_drop), s.ema_decay
    )
    if s.freeze_stem:
        system.net.stem.requires_grad_(False)
    noising = Noising(s.timesteps)
    opt = torch.optim.Adam([p for p in system.parameters() if p.requires_grad], lr=s.lr)
    system.net = warm_start(system.net, system.shadow)

    for step in range(s.steps):
        x0, labels = blobs(32, s.n_classes)
        t = noising.draw(len(x0))
        xt, eps = noising.corrupt(x0, t)
        loss = (system.net(xt, t, system.ctx(labels)) - eps).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        system.follow()
        if step % 5 == 4:
            with system.averaged() as net:
                val = (net(xt, t, system.ctx(labels)) - eps).pow(2).mean()
            print(f"{step + 1} loss {loss.item():.4f} averaged {val.item():.4f}")


main()
