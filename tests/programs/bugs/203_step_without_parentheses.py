"""`self.optimizer.step` is written without parentheses, in a method that is called for each batch.
Origin: made up after a classic slip, seen in discuss.pytorch.org threads."""
import torch
from torch import nn


class Regression(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 7, batch_first=True)
        self.out = nn.Linear(7, 1)

    def forward(self, x):
        return self.out(self.rnn(x)[0][:, -1])


class Runner:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def update(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step  # <-- culprit

    def run(self, batches):
        out = []
        for batch in batches:
            loss = loss_fn(self.model, batch)
            self.update(loss)
            out.append(loss.item())
        return out


def build():
    torch.manual_seed(0)
    model = Regression()
    runner = Runner(model)
    return model, runner.optimizer, (torch.randn(5, 6, 3), torch.randn(5, 1)), runner


def make():
    return build()[:3]


def loss_fn(model, batch):
    return nn.functional.mse_loss(model(batch[0]), batch[1])


def train(steps=3):
    model, _, batch, runner = build()
    return model, runner.run([batch] * steps)


KIND = "loop"
EXPECT = {n: "blocked" for n in ("rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0", "out.weight", "out.bias")}
CAUSE = "no_step"

if __name__ == "__main__":
    train()
