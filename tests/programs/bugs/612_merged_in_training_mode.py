"""Low-rank adapters that are merged for inference by an overridden train(). The test for the mode is the wrong way round: they count as
merged while training, and forward leaves them out.
Origin: a fork of a LoRA layer; retold."""
import torch
from torch import nn
import torch.nn.functional as F


class LoRALinear(nn.Linear):
    def __init__(self, i, o, r=2):
        super().__init__(i, o)
        self.lora_a = nn.Parameter(torch.randn(r, i) * 0.1)
        self.lora_b = nn.Parameter(torch.zeros(o, r))
        self.weight.requires_grad_(False)
        self.bias.requires_grad_(False)
        self.merged = False

    def train(self, mode=True):
        super().train(mode)
        if mode and not self.merged:  # <-- culprit
            self.weight.data += self.lora_b.data @ self.lora_a.data
            self.merged = True  # <-- culprit
        return self

    def forward(self, x):
        y = F.linear(x, self.weight, self.bias)
        if not self.merged:
            y = y + x @ self.lora_a.T @ self.lora_b.T
        return y


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.head_norm = LoRALinear(5, 8), LoRALinear(8, 3), None
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.fc2(torch.relu(self.fc1(x))) * self.scale


def make():
    torch.manual_seed(0)
    model = Net().train()
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-2)
    return model, optimizer, (torch.randn(10, 5), torch.randint(0, 3, (10,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


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


KIND = "forward"
EXPECT = {
    "scale": "trained",
    "fc1.weight": "frozen",
    "fc1.bias": "frozen",
    "fc1.lora_a": "unreachable",
    "fc1.lora_b": "unreachable",
    "fc2.weight": "frozen",
    "fc2.bias": "frozen",
    "fc2.lora_a": "unreachable",
    "fc2.lora_b": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
