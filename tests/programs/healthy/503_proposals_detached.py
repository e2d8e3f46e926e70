"""A two-stage detector in small: proposals are detached before the second stage, the first has its own loss, and the best proposals
are picked by topk indices.
Origin: Faster R-CNN."""
import torch
from torch import nn
import torch.nn.functional as F


class TwoStage(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.backbone = nn.Linear(4, d)
        self.objectness, self.deltas = nn.Linear(d, 1), nn.Linear(d, 2)
        self.refine, self.classify = nn.Linear(d + 2, 2), nn.Linear(d + 2, 3)

    def forward(self, x):
        h = F.relu(self.backbone(x))
        score, delta = self.objectness(h).squeeze(-1), self.deltas(h)
        keep = score.detach().topk(5, dim=1).indices
        picked = keep.unsqueeze(-1)
        proposals = delta.detach().gather(1, picked.expand(-1, -1, 2))
        roi = torch.cat([h.gather(1, picked.expand(-1, -1, h.shape[-1])), proposals], -1)
        return score, delta, keep, proposals + self.refine(roi), self.classify(roi)


def make():
    torch.manual_seed(0)
    model = TwoStage()
    batch = (torch.randn(3, 9, 4), torch.randint(0, 2, (3, 9)).float(), torch.randn(3, 9, 2), torch.randint(0, 3, (3, 9)))
    return model, torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9), batch


def loss_fn(model, batch):
    x, objects, boxes, classes = batch
    score, delta, keep, refined, logits = model(x)
    losses = {
        "objectness": F.binary_cross_entropy_with_logits(score, objects),
        "rpn_box": F.smooth_l1_loss(delta, boxes),
        "box": F.smooth_l1_loss(refined, boxes.gather(1, keep.unsqueeze(-1).expand(-1, -1, 2))),
        "class": F.cross_entropy(logits.flatten(0, 1), classes.gather(1, keep).flatten()),
    }
    return sum(losses.values())


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "healthy"
EXPECT = {
    "backbone.weight": "trained",
    "backbone.bias": "trained",
    "objectness.weight": "trained",
    "objectness.bias": "trained",
    "deltas.weight": "trained",
    "deltas.bias": "trained",
    "refine.weight": "trained",
    "refine.bias": "trained",
    "classify.weight": "trained",
    "classify.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
