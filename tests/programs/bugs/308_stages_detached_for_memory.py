"""Out of memory on a deep net; somebody advised to detach the features between the stages. Only the last stage and the head
go on learning.
Origin: "CUDA out of memory, can I detach intermediate features?" threads; retold."""
import torch
import torch.nn as nn


class Stage(nn.Module):
    def __init__(self, cin, cout):
        super().__init__()
        self.conv = nn.Conv1d(cin, cout, 5, padding=2)
        self.norm = nn.GroupNorm(2, cout)
        self.act = nn.SiLU()

    def forward(self, x):
        return self.act(self.norm(self.conv(x)))


class AudioNet(nn.Module):
    widths = (1, 4, 6, 8)

    def __init__(self, classes=5, save_memory=True):
        super().__init__()
        self.save_memory = save_memory
        self.stages = nn.ModuleList(Stage(a, b) for a, b in zip(self.widths, self.widths[1:]))
        self.head = nn.Linear(self.widths[-1], classes)

    def forward(self, wave):
        x = wave
        for stage in self.stages:
            if self.save_memory:
                x = x.detach()  # <-- culprit
            x = stage(x)
        return self.head(x.mean(-1))


def make():
    torch.manual_seed(0)
    model = AudioNet()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    return model, optimizer, (torch.randn(6, 1, 20), torch.randint(0, 5, (6,)))


def loss_fn(model, batch):
    wave, label = batch
    return nn.CrossEntropyLoss()(model(wave), label)


def train(steps=3):
    model, optimizer, batch = make()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 2)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return model, losses


KIND = "forward"
EXPECT = {
    "stages.0.conv.weight": "unreachable",
    "stages.0.conv.bias": "unreachable",
    "stages.0.norm.weight": "unreachable",
    "stages.0.norm.bias": "unreachable",
    "stages.1.conv.weight": "unreachable",
    "stages.1.conv.bias": "unreachable",
    "stages.1.norm.weight": "unreachable",
    "stages.1.norm.bias": "unreachable",
    "stages.2.conv.weight": "trained",
    "stages.2.conv.bias": "trained",
    "stages.2.norm.weight": "trained",
    "stages.2.norm.bias": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
}
CAUSE = "detached"

if __name__ == "__main__":
    train()
