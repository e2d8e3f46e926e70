import torch

from bus import Bus
from listeners import install
from net import HomeNet
from tasks import ALL, losses_of


def sensor_windows(n_batches, batch=10, length=8, sensors=4, seed=13):
    g = torch.Generator().manual_seed(seed)
    for _ in range(n_batches):
        x = torch.randn(batch, length, sensors, generator=g).cumsum(1) * 0.4
        yield x, {
            "occupancy": (x[:, -1, 0] > 0).float(),
            "temperature": x[:, :, 1].mean(1),
            "power": x[:, -1, 2] - x[:, 0, 3],
        }


def main():
    torch.manual_seed(2)
    model = HomeNet(4, 12, [t.head for t in ALL])
    net_params = [*model.trunk.parameters(), *model.heads.parameters()]
    main_opt = torch.optim.Adam(net_params, lr=5e-3)
    weight_opt = torch.optim.SGD([{"params": model.weighting.parameters()}], lr=2e-2)
    bus = Bus()
    install(bus, model, main_opt, weight_opt)
    for step, (x, y) in enumerate(sensor_windows(12)):
        bus.emit("step.begin", step=step)
        losses = losses_of(model(x), y)
        total = model.weighting.combine(losses)
        total.backward()
        bus.emit("grads.ready", step=step)
        bus.emit("net.updated", step=step)
        if step % 4 == 3:
            print(step, {k: round(v.item(), 3) for k, v in losses.items()})


if __name__ == "__main__":
    main()
