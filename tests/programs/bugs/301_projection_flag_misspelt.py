"""A SimCLR-like model with a dict of options. The option is written `projector` in the config, and looked up under another
name: get() falls back to False, the projector never runs.
Origin: config typo threads on discuss.pytorch.org ("why is .grad None for my projection head"); retold."""
import torch
import torch.nn as nn
import torch.nn.functional as F

CONFIG = {"dim": 12, "width": 16, "projector": True, "temperature": 0.2, "lr": 3e-3}


class ContrastiveNet(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.encoder = nn.Sequential(nn.Linear(cfg["dim"], cfg["width"]), nn.ReLU(), nn.Linear(cfg["width"], 8))
        self.projector = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))

    def forward(self, x):
        z = self.encoder(x)
        if self.cfg.get("use_projector", False):  # <-- culprit
            z = self.projector(z)
        return F.normalize(z, dim=1)


def make(cfg=CONFIG):
    torch.manual_seed(0)
    model = ContrastiveNet(cfg)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg["lr"])
    x = torch.randn(10, cfg["dim"])
    views = (x + 0.1 * torch.randn_like(x), x + 0.1 * torch.randn_like(x))
    return model, optimizer, views


def info_nce(a, b, temperature):
    logits = a @ b.T / temperature
    return F.cross_entropy(logits, torch.arange(len(a)))


def loss_fn(model, batch):
    v1, v2 = batch
    a, b = model(v1), model(v2)
    t = model.cfg["temperature"]
    return 0.5 * (info_nce(a, b, t) + info_nce(b, a, t))


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    for epoch in range(steps):
        model.train()
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    return model, history


KIND = "forward"
EXPECT = {
    "encoder.0.weight": "trained",
    "encoder.0.bias": "trained",
    "encoder.2.weight": "trained",
    "encoder.2.bias": "trained",
    "projector.0.weight": "unreachable",
    "projector.0.bias": "unreachable",
    "projector.2.weight": "unreachable",
    "projector.2.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
