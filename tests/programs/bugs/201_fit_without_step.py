"""A class with fit(): forward, backward, clipping and the schedule are all there, the optimizer's step is not.
Origin: made up after discuss.pytorch.org threads "loss does not decrease" with home-made Trainer classes."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 12), nn.GELU(), nn.LayerNorm(12))
        self.out = nn.Linear(12, 3)

    def forward(self, x):
        return self.out(self.body(x))


class Learner:
    def __init__(self, model, lr=1e-2):
        self.model = model
        self.opt = torch.optim.AdamW(model.parameters(), lr=lr)
        self.sched = torch.optim.lr_scheduler.StepLR(self.opt, 2)
        self.history = []

    def fit(self, batches):
        self.model.train()
        for batch in batches:
            self.opt.zero_grad()  # <-- culprit
            loss = loss_fn(self.model, batch)
            loss.backward()  # <-- culprit
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.history.append(loss.item())
        return self


def build():
    torch.manual_seed(0)
    model = Net()
    learner = Learner(model)
    return model, learner.opt, (torch.randn(8, 6), torch.randint(0, 3, (8,))), learner


def make():
    return build()[:3]


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.cross_entropy(model(x), y)


def train(steps=3):
    model, _, batch, learner = build()
    learner.fit([batch] * steps)
    return model, learner.history


KIND = "loop"
EXPECT = {n: "blocked" for n in ("body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias", "out.weight", "out.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
