"""A gradient penalty whose interpolates stay on the model as an attribute, for a plot; the last activations do, too, undetached.
Origin: WGAN-GP code with visdom plots."""
import torch
from torch import nn


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.Tanh())
        self.out = nn.Linear(8, 1, bias=False)
        self.last = None

    def forward(self, x):
        self.last = self.net(x)
        return self.out(self.last)


def make():
    torch.manual_seed(0)
    critic = Critic()
    return critic, torch.optim.Adam(critic.parameters(), lr=1e-3), (torch.randn(8, 3), torch.randn(8, 3) + 1)


def loss_fn(critic, batch):
    real, fake = batch
    critic.mixed = torch.lerp(real, fake, torch.rand(len(real), 1)).requires_grad_()
    (slope,) = torch.autograd.grad(critic(critic.mixed).sum(), critic.mixed, create_graph=True)
    penalty = (slope.norm(dim=1) - 1).pow(2).mean()
    return critic(fake).mean() - critic(real).mean() + 10 * penalty


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "net.0.weight": "trained",
    "net.0.bias": "trained",
    "out.weight": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
