"""Direct feedback alignment: the backward of each hidden layer projects the output error by a fixed random matrix.
Origin: Nokland 2016."""
import torch
from torch import nn
import torch.nn.functional as F


class Aligned(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, logits, feedback):
        ctx.save_for_backward(feedback)
        ctx.shape = hidden.shape
        return hidden.clone(), logits.clone()

    @staticmethod
    def backward(ctx, _, error):
        (feedback,) = ctx.saved_tensors
        return error @ feedback, error, None


class Net(nn.Module):
    def __init__(self, sizes=(5, 9, 7), classes=3):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.head = nn.Linear(sizes[-1], classes)
        for i, width in enumerate(sizes[1:]):
            self.register_buffer(f"feedback{i}", torch.randn(classes, width) / 3)

    def forward(self, x):
        kept = []
        for layer in self.layers:
            x = torch.tanh(layer(x.detach()))
            kept.append(x)
        logits = self.head(x.detach())
        for i, hidden in enumerate(kept):
            _, logits = Aligned.apply(hidden, logits, getattr(self, f"feedback{i}"))
        return logits


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), (torch.randn(20, 5), torch.randint(0, 3, (20,)))


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]), batch[1])


def train(steps=4):
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
EXPECT = dict.fromkeys((name for name, _ in make()[0].named_parameters()), "trained")
CAUSE = "healthy"

if __name__ == "__main__":
    train()
