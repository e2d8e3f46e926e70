"""A backbone with a pooler and a language-model head that this task does not use; the optimizer gets the used parts only. Origin: transformers fine-tuning."""
import torch
from torch import nn
import torch.nn.functional as F


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(12, 6)
        self.layer = nn.TransformerEncoderLayer(6, 2, 12, batch_first=True)
        self.pooler = nn.Linear(6, 6)
        self.lm_head = nn.Linear(6, 12)
        self.tagger = nn.Linear(6, 3)

    def forward(self, t, pooled=False):
        h = self.layer(self.emb(t))
        if pooled:
            return torch.tanh(self.pooler(h[:, 0]))
        return self.tagger(h)


def make():
    torch.manual_seed(0)
    m = Backbone()
    used = [p for n, p in m.named_parameters() if not n.startswith(("pooler", "lm_head"))]
    return m, torch.optim.AdamW(used, lr=1e-2), (torch.randint(0, 12, (4, 5)), torch.randint(0, 3, (4, 5)))


def loss_fn(m, b):
    return F.cross_entropy(m(b[0]).flatten(0, 1), b[1].flatten())


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
    "emb.weight": "trained",
    "layer.self_attn.in_proj_weight": "trained",
    "layer.self_attn.in_proj_bias": "trained",
    "layer.self_attn.out_proj.weight": "trained",
    "layer.self_attn.out_proj.bias": "trained",
    "layer.linear1.weight": "trained",
    "layer.linear1.bias": "trained",
    "layer.linear2.weight": "trained",
    "layer.linear2.bias": "trained",
    "layer.norm1.weight": "trained",
    "layer.norm1.bias": "trained",
    "layer.norm2.weight": "trained",
    "layer.norm2.bias": "trained",
    "pooler.weight": "unreachable",
    "pooler.bias": "unreachable",
    "lm_head.weight": "unreachable",
    "lm_head.bias": "unreachable",
    "tagger.weight": "trained",
    "tagger.bias": "trained",
}
CAUSE = "healthy"
INTENT = {'pooler.*': 'other task', 'lm_head.*': 'other task'}

if __name__ == "__main__":
    train()
