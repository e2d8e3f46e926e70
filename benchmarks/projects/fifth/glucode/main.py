import torch
import torch.nn.functional as F

from envfile import load_env

load_env("settings.env")
from settings import Settings  # noqa: E402
from model import GlucoseODE  # noqa: E402
import patients  # noqa: E402


def main():
    cfg = Settings()
    print(cfg.describe())
    torch.manual_seed(cfg.seed)
    rng = torch.Generator().manual_seed(cfg.seed)
    net = GlucoseODE(cfg.latent)
    optimizer = torch.optim.Adam(net.parameters(), lr=cfg.lr)
    times = patients.times()
    for step in range(cfg.steps):
        window, future, event = patients.simulate(cfg.batch, rng)
        glucose, logit = net(window, times)
        fit = F.mse_loss(glucose, future)
        alarm = F.binary_cross_entropy_with_logits(logit, event)
        loss = fit + cfg.event_weight * alarm
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 3 == 0:
            print(f"{step:2d} fit {fit.item():.4f} alarm {alarm.item():.4f}")


main()
