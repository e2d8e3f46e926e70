"""A masked autoencoder: patches are shuffled by argsort of noise, some dropped, mask tokens put in their place by gather; the loss counts only
what was hidden.
Origin: He et al. 2022."""
import torch
from torch import nn


class MAE(nn.Module):
    def __init__(self, d=8, n=6):
        super().__init__()
        self.embed = nn.Linear(5, d)
        self.pos = nn.Parameter(0.1 * torch.randn(1, n, d))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, d))
        self.encoder = nn.TransformerEncoderLayer(d, 2, 12, dropout=0.0, batch_first=True)
        self.decoder = nn.TransformerEncoderLayer(d, 2, 12, dropout=0.0, batch_first=True)
        self.out = nn.Linear(d, 5)

    def forward(self, x, keep=3):
        b, n, _ = x.shape
        order = torch.rand(b, n).argsort(1)
        restore = order.argsort(1)
        h = self.embed(x) + self.pos
        d = h.shape[-1]
        seen = h.gather(1, order[:, :keep, None].expand(-1, -1, d))
        seen = self.encoder(seen)
        full = torch.cat([seen, self.mask_token.expand(b, n - keep, -1)], 1)
        full = full.gather(1, restore[..., None].expand(-1, -1, d)) + self.pos
        hidden = (restore >= keep).float()
        loss = (self.out(self.decoder(full)) - x).pow(2).mean(-1)
        return (loss * hidden).sum() / hidden.sum()


def make():
    torch.manual_seed(0)
    model = MAE()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3), torch.randn(6, 6, 5)


def loss_fn(model, x):
    return model(x)


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
    "embed.weight": "trained",
    "embed.bias": "trained",
    "pos": "trained",
    "mask_token": "trained",
    "encoder.self_attn.in_proj_weight": "trained",
    "encoder.self_attn.in_proj_bias": "trained",
    "encoder.self_attn.out_proj.weight": "trained",
    "encoder.self_attn.out_proj.bias": "trained",
    "encoder.linear1.weight": "trained",
    "encoder.linear1.bias": "trained",
    "encoder.linear2.weight": "trained",
    "encoder.linear2.bias": "trained",
    "encoder.norm1.weight": "trained",
    "encoder.norm1.bias": "trained",
    "encoder.norm2.weight": "trained",
    "encoder.norm2.bias": "trained",
    "decoder.self_attn.in_proj_weight": "trained",
    "decoder.self_attn.in_proj_bias": "trained",
    "decoder.self_attn.out_proj.weight": "trained",
    "decoder.self_attn.out_proj.bias": "trained",
    "decoder.linear1.weight": "trained",
    "decoder.linear1.bias": "trained",
    "decoder.linear2.weight": "trained",
    "decoder.linear2.bias": "trained",
    "decoder.norm1.weight": "trained",
    "decoder.norm1.bias": "trained",
    "decoder.norm2.weight": "trained",
    "decoder.norm2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
