"""Set prediction: queries are matched with targets under no_grad and on numpy, auxiliary losses for every layer, a "no object" class.
Origin: the DETR recipe, reduced."""
import itertools
import torch
from torch import nn
import torch.nn.functional as F


class SetPredictor(nn.Module):
    def __init__(self, d=8, queries=4, classes=3, layers=2):
        super().__init__()
        self.inp = nn.Conv2d(3, d, 3, stride=2, padding=1)
        self.query = nn.Embedding(queries, d)
        layer = nn.TransformerDecoderLayer(d, 2, 16, dropout=0.1, batch_first=True)
        self.layers = nn.ModuleList(nn.TransformerDecoderLayer(d, 2, 16, dropout=0.0, batch_first=True) for _ in range(layers))
        del layer
        self.cls, self.box = nn.Linear(d, classes + 1), nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Linear(d, 4))

    def forward(self, image):
        memory = self.inp(image).flatten(2).transpose(1, 2)
        h = self.query.weight.expand(len(image), -1, -1)
        outputs = []
        for layer in self.layers:
            h = layer(h, memory)
            outputs.append((self.cls(h), self.box(h).sigmoid()))
        return outputs


@torch.no_grad()
def match(logits, boxes, labels, target):
    cost = (torch.cdist(boxes, target, p=1) - logits.softmax(-1)[:, labels]).cpu().numpy()
    best = min(itertools.permutations(range(len(boxes)), len(target)), key=lambda p: sum(cost[i, j] for j, i in enumerate(p)))
    return torch.as_tensor(best)


def make():
    torch.manual_seed(0)
    model = SetPredictor()
    targets = [(torch.tensor([0, 2]), torch.rand(2, 4)), (torch.tensor([1]), torch.rand(1, 4))]
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), (torch.randn(2, 3, 8, 8), targets)


def loss_fn(model, batch):
    image, targets = batch
    total = 0.0
    for logits, boxes in model(image):
        for b, (labels, target) in enumerate(targets):
            which = match(logits[b], boxes[b], labels, target)
            wanted = torch.full((logits.shape[1],), 3)
            wanted[which] = labels
            total = total + F.cross_entropy(logits[b], wanted) + F.l1_loss(boxes[b][which], target)
    return total


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
    "inp.weight": "trained",
    "inp.bias": "trained",
    "query.weight": "trained",
    "layers.0.self_attn.in_proj_weight": "trained",
    "layers.0.self_attn.in_proj_bias": "trained",
    "layers.0.self_attn.out_proj.weight": "trained",
    "layers.0.self_attn.out_proj.bias": "trained",
    "layers.0.multihead_attn.in_proj_weight": "trained",
    "layers.0.multihead_attn.in_proj_bias": "trained",
    "layers.0.multihead_attn.out_proj.weight": "trained",
    "layers.0.multihead_attn.out_proj.bias": "trained",
    "layers.0.linear1.weight": "trained",
    "layers.0.linear1.bias": "trained",
    "layers.0.linear2.weight": "trained",
    "layers.0.linear2.bias": "trained",
    "layers.0.norm1.weight": "trained",
    "layers.0.norm1.bias": "trained",
    "layers.0.norm2.weight": "trained",
    "layers.0.norm2.bias": "trained",
    "layers.0.norm3.weight": "trained",
    "layers.0.norm3.bias": "trained",
    "layers.1.self_attn.in_proj_weight": "trained",
    "layers.1.self_attn.in_proj_bias": "trained",
    "layers.1.self_attn.out_proj.weight": "trained",
    "layers.1.self_attn.out_proj.bias": "trained",
    "layers.1.multihead_attn.in_proj_weight": "trained",
    "layers.1.multihead_attn.in_proj_bias": "trained",
    "layers.1.multihead_attn.out_proj.weight": "trained",
    "layers.1.multihead_attn.out_proj.bias": "trained",
    "layers.1.linear1.weight": "trained",
    "layers.1.linear1.bias": "trained",
    "layers.1.linear2.weight": "trained",
    "layers.1.linear2.bias": "trained",
    "layers.1.norm1.weight": "trained",
    "layers.1.norm1.bias": "trained",
    "layers.1.norm2.weight": "trained",
    "layers.1.norm2.bias": "trained",
    "layers.1.norm3.weight": "trained",
    "layers.1.norm3.bias": "trained",
    "cls.weight": "trained",
    "cls.bias": "trained",
    "box.0.weight": "trained",
    "box.0.bias": "trained",
    "box.2.weight": "trained",
    "box.2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
