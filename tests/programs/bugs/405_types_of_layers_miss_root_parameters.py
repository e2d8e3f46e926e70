"""Weight decay for Linear, none for LayerNorm and Embedding, found by module type. The class token and the positions are Parameters
of the model itself, in no such layer.
Origin: made up after minGPT's configure_optimizers and its assertion."""
import torch
from torch import nn


class TinyViT(nn.Module):
    def __init__(self, dim=8, patches=4, classes=3):
        super().__init__()
        self.patch = nn.Linear(12, dim)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.positions = nn.Parameter(torch.randn(1, patches + 1, dim) * 0.02)
        self.norm = nn.LayerNorm(dim)
        self.mix = nn.Linear(dim, dim)
        self.head = nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch(x)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.positions
        x = x + torch.softmax(x @ x.transpose(1, 2), -1) @ self.mix(self.norm(x))
        return self.head(x[:, 0])


def split_weight_decay(model):
    decay, plain = [], []
    for module in model.modules():
        if isinstance(module, nn.Linear):  # <-- culprit
            decay.append(module.weight)
            plain.append(module.bias)
        elif isinstance(module, (nn.LayerNorm, nn.Embedding)):  # <-- culprit
            plain.extend(module.parameters())
    return [{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]


def make():
    torch.manual_seed(0)
    model = TinyViT()
    return model, torch.optim.AdamW(split_weight_decay(model), lr=1e-3), (torch.randn(5, 4, 12), torch.randint(0, 3, (5,)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "optimizer"
EXPECT = {f"{m}.{n}": "trained" for m in ("patch", "norm", "mix", "head") for n in ("weight", "bias")} | {
    "cls_token": "excluded", "positions": "excluded"}
CAUSE = "not_listed"

if __name__ == "__main__":
    train()
