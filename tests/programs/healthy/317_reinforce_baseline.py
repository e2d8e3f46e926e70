"""REINFORCE: sampled actions, log-prob times detached advantage; the baseline learns by regression. Origin: PyTorch examples."""
import torch
from torch import nn
import torch.nn.functional as F


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.pi, self.v = nn.Linear(4, 8), nn.Linear(8, 3), nn.Linear(8, 1)

    def forward(self, s):
        h = torch.tanh(self.body(s))
        return torch.distributions.Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)


def make():
    torch.manual_seed(0)
    model = Policy()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), torch.randn(20, 4)


def loss_fn(model, s):
    dist, value = model(s)
    actions = dist.sample()
    rewards = torch.tensor([1.0 if a == 0 else 0.0 for a in actions.tolist()])
    advantage = rewards - value.detach()
    return (-dist.log_prob(actions) * advantage).mean() + F.smooth_l1_loss(value, rewards)


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
    "body.weight": "trained",
    "body.bias": "trained",
    "pi.weight": "trained",
    "pi.bias": "trained",
    "v.weight": "trained",
    "v.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
