"""Masked language model; decoder weight is the embedding, decoder bias registered twice. Origin: BERT heads."""
import torch
from torch import nn
import torch.nn.functional as F


class MLM(nn.Module):
    def __init__(self, v=20, d=8):
        super().__init__()
        self.emb = nn.Embedding(v, d, padding_idx=0)
        self.enc = nn.TransformerEncoderLayer(d, 2, 16, dropout=0.1, batch_first=True)
        self.decoder = nn.Linear(d, v)
        self.decoder.weight = self.emb.weight
        self.bias = self.decoder.bias

    def forward(self, t):
        return self.decoder(self.enc(self.emb(t), src_key_padding_mask=t == 0))


def make():
    torch.manual_seed(0)
    model = MLM()
    t = torch.randint(2, 20, (4, 7))
    t[:, 5:] = 0
    labels = torch.full_like(t, -100)
    labels[:, 1] = t[:, 1]
    t = t.masked_fill(labels != -100, 1)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2), (t, labels)


def loss_fn(model, batch):
    return F.cross_entropy(model(batch[0]).transpose(1, 2), batch[1], ignore_index=-100)


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
    "bias": "trained",
    "emb.weight": "trained",
    "enc.self_attn.in_proj_weight": "trained",
    "enc.self_attn.in_proj_bias": "trained",
    "enc.self_attn.out_proj.weight": "trained",
    "enc.self_attn.out_proj.bias": "trained",
    "enc.linear1.weight": "trained",
    "enc.linear1.bias": "trained",
    "enc.linear2.weight": "trained",
    "enc.linear2.bias": "trained",
    "enc.norm1.weight": "trained",
    "enc.norm1.bias": "trained",
    "enc.norm2.weight": "trained",
    "enc.norm2.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
