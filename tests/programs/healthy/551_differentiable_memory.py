"""A neural Turing machine: learnt initial memory, soft addressing with a learnt sharpening, erase and add, all in one unrolled loop; the final
memory is kept detached for the next episode's log.
Origin: an NTM repository, reduced."""
import torch
from torch import nn
import torch.nn.functional as F


class NTM(nn.Module):
    def __init__(self, x=3, n=5, w=4, h=8):
        super().__init__()
        self.memory = nn.Parameter(torch.randn(n, w) * 0.1)
        self.read0, self.h0 = nn.Parameter(torch.randn(w) * 0.05), nn.Parameter(torch.zeros(h))
        self.cell = nn.GRUCell(x + w, h)
        self.head = nn.Linear(h, w + 2)
        self.erase, self.add, self.out = nn.Linear(h, w), nn.Linear(h, w), nn.Linear(h + w, x)
        self.kept = None

    def address(self, h, memory):
        key, beta, gamma = self.head(h).split([memory.shape[-1], 1, 1], -1)
        w = F.softmax(F.softplus(beta) * F.cosine_similarity(key[:, None], memory, dim=-1), -1)
        w = (w + 1e-8) ** (1 + F.softplus(gamma))
        return w / w.sum(-1, keepdim=True)

    def forward(self, xs):
        b = xs.shape[1]
        memory, read, h = self.memory.expand(b, -1, -1), self.read0.expand(b, -1), self.h0.expand(b, -1)
        ys = []
        for x in xs:
            h = self.cell(torch.cat([x, read], -1), h)
            w = self.address(h, memory)[..., None]
            memory = memory * (1 - w * self.erase(h).sigmoid()[:, None]) + w * self.add(h).tanh()[:, None]
            read = (w * memory).sum(1)
            ys.append(self.out(torch.cat([h, read], -1)))
        self.kept = memory.detach()
        return torch.stack(ys)


def make():
    torch.manual_seed(0)
    model = NTM()
    bits = torch.randint(0, 2, (6, 4, 3)).float()
    return model, torch.optim.RMSprop(model.parameters(), lr=1e-4), (bits, bits.flip(0))


def loss_fn(model, batch):
    return F.binary_cross_entropy_with_logits(model(batch[0]), batch[1])


def train(steps=3):
    model, optimizer, batch = make()
    curve = []
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        curve.append(loss.item())
    return model, curve


KIND = "healthy"
EXPECT = {
    "memory": "trained",
    "read0": "trained",
    "h0": "trained",
    "cell.weight_ih": "trained",
    "cell.weight_hh": "trained",
    "cell.bias_ih": "trained",
    "cell.bias_hh": "trained",
    "head.weight": "trained",
    "head.bias": "trained",
    "erase.weight": "trained",
    "erase.bias": "trained",
    "add.weight": "trained",
    "add.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
