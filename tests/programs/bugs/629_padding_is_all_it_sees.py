"""A question answering model attends to a passage. key_padding_mask is True where nothing should be seen, and is made the other way round: what
is attended to is the padding.
Origin: "MultiheadAttention mask semantics" thread; retold."""
import torch
from torch import nn


class Reader(nn.Module):
    def __init__(self, vocab=20, d=8):
        super().__init__()
        self.src = nn.Embedding(vocab, d, padding_idx=0)
        self.question = nn.Embedding(vocab, d)
        self.attention = nn.MultiheadAttention(d, 2, batch_first=True)
        self.out = nn.Linear(d, 3)

    def forward(self, passage, question):
        ignore = passage != 0  # <-- culprit
        memory = self.src(passage)
        q = self.question(question)
        context, _ = self.attention(q, memory, memory, key_padding_mask=ignore)
        return self.out((q + context).mean(1))


def make():
    torch.manual_seed(0)
    model = Reader()
    passage = torch.randint(1, 20, (4, 7))
    passage[:, 5:] = 0
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (passage, torch.randint(1, 20, (4, 3)), torch.randint(0, 3, (4,)))


def loss_fn(model, batch):
    passage, question, y = batch
    return nn.functional.cross_entropy(model(passage, question), y)


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "forward"
EXPECT = {
    "src.weight": "blocked",
    "question.weight": "trained",
    "attention.in_proj_weight": "blocked",
    "attention.in_proj_bias": "trained",
    "attention.out_proj.weight": "trained",
    "attention.out_proj.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "zero_gradient"

if __name__ == "__main__":
    train()
