"""A closure of the trainer binds the gradients of the workers' mean into the server's model when the server is made; the workers make new ones in every round."""
import torch
from torch import nn


class Server:
    def __init__(self, model, lr=0.05):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        self.buffers = None

    def receive(self, gradients):
        if self.buffers is None:
            self.buffers = gradients
            for p, g in zip(self.model.parameters(), self.buffers):
                p.grad = g  # <-- culprit

    def step(self):
        self.optimizer.step()


def make():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    return model, None, (torch.randn(8, 4), torch.randn(8, 1))


def loss_fn(model, batch):
    return (model(batch[0]) - batch[1]).square().mean()


def train(steps=6):
    model, _, _ = make()
    server, losses = Server(model), []
    for _ in range(steps):
        batch = torch.randn(8, 4), torch.randn(8, 1)
        loss = loss_fn(model, batch)
        server.receive(torch.autograd.grad(loss, list(model.parameters())))
        server.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {n: "trained" for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "never_cleared"

if __name__ == "__main__":
    train()
