"""New classes arrive: the classifier grows, old rows are copied, a distillation term to the old model keeps them, and the
optimizer gets a group for the new layer. Origin: iCaRL, learning without forgetting. NEEDS_LOOP"""
import copy

import torch
from torch import nn
import torch.nn.functional as F


class Learner(nn.Module):
    def __init__(self, classes=2):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(5, 10), nn.ReLU())
        self.fc = nn.Linear(10, classes)

    def forward(self, x):
        return self.fc(self.features(x))

    def grow(self, extra):
        old = self.fc
        self.fc = nn.Linear(old.in_features, old.out_features + extra)
        with torch.no_grad():
            self.fc.weight[: old.out_features].copy_(old.weight)
            self.fc.bias[: old.out_features].copy_(old.bias)


def make():
    torch.manual_seed(0)
    model = Learner()
    tasks = [(torch.randn(12, 5), torch.randint(2 * t, 2 * t + 2, (12,))) for t in range(3)]
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), tasks


def train(steps=5):
    model, optimizer, tasks = make()
    previous, losses = None, []
    for number, (x, y) in enumerate(tasks):
        if number:
            previous = copy.deepcopy(model).eval()
            for p in previous.parameters():
                p.requires_grad = False
            gone = set(model.fc.parameters())
            model.grow(2)
            for group in optimizer.param_groups:
                group["params"] = [p for p in group["params"] if p not in gone]
            for p in gone:
                optimizer.state.pop(p, None)
            optimizer.add_param_group({"params": model.fc.parameters(), "lr": 0.05})
        for _ in range(steps):
            logits = model(x)
            loss = F.cross_entropy(logits, y)
            if previous is not None:
                with torch.no_grad():
                    old = previous(x)
                loss = loss + F.kl_div(logits[:, : old.shape[1]].log_softmax(1), old.softmax(1), reduction="batchmean")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {"features.0.weight": "trained", "features.0.bias": "trained", "fc.weight": "trained", "fc.bias": "trained"}
INTENT = {"previous.*": "the model of the last task"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
