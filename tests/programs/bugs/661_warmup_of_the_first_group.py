"""All groups begin at rate 0, and the warm-up raises them - the first of them. The other groups never leave 0.
Origin: made up after warm-up loops that write `param_groups[0]["lr"]`."""
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.rnn, self.out = nn.Embedding(15, 5), nn.GRU(5, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, ids):
        return self.out(self.rnn(self.embed(ids))[0]).transpose(1, 2)


def make():
    torch.manual_seed(0)
    model = Tagger()
    groups = [{"params": part.parameters()} for part in (model.out, model.rnn, model.embed)]
    optimizer = torch.optim.AdamW(groups, lr=0.0)
    return model, optimizer, (torch.randint(0, 15, (6, 4)), torch.randint(0, 3, (6, 4)))


def loss_fn(model, batch):
    return nn.functional.cross_entropy(model(batch[0]), batch[1])


def train(steps=6, peak=1e-2, warmup=3):
    model, optimizer, batch = make()
    losses = []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = peak * min(1.0, (step + 1) / warmup)  # <-- culprit
        optimizer.zero_grad()
        loss = loss_fn(model, batch)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model, losses


KIND = "loop"
EXPECT = {
    "embed.weight": "blocked",
    "rnn.weight_ih_l0": "blocked",
    "rnn.weight_hh_l0": "blocked",
    "rnn.bias_ih_l0": "blocked",
    "rnn.bias_hh_l0": "blocked",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "lr_zero"

if __name__ == "__main__":
    train()
