"""Only the biases of a pretrained encoder and some learned prefix rows train; everything else is frozen by name, the
optimizer is handed all parameters that require grad. Origin: BitFit and prefix tuning together."""
import torch
from torch import nn
import torch.nn.functional as F


class Tuned(nn.Module):
    def __init__(self, d=8, prefix=3):
        super().__init__()
        layer = nn.TransformerEncoderLayer(d, 2, 16, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.prefix = nn.Parameter(0.02 * torch.randn(prefix, d))
        self.classifier = nn.Linear(d, 2)

    def forward(self, x):
        x = torch.cat([self.prefix.expand(len(x), -1, -1), x], 1)
        return self.classifier(self.encoder(x)[:, 0])


def make():
    torch.manual_seed(0)
    model = Tuned()
    for name, p in model.encoder.named_parameters():
        p.requires_grad = "bias" in name
    trainable = filter(lambda p: p.requires_grad, model.parameters())
    return model, torch.optim.AdamW(trainable, lr=1e-2), (torch.randn(6, 5, 8), torch.randint(0, 2, (6,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
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
EXPECT = {n: "trained" if p.requires_grad else "frozen" for n, p in make()[0].named_parameters()}
INTENT = {"encoder.*weight": "pretrained"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
