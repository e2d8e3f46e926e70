"""nn.TransformerEncoder deep-copies the layer it is given. The layer itself was kept as an attribute, is registered, and never runs.
Origin: "unused parameters with DDP: encoder_layer" issues; retold."""
import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self, d=8, vocab=20):
        super().__init__()
        self.emb = nn.Embedding(vocab, d)
        self.encoder_layer = nn.TransformerEncoderLayer(d, 2, 12, dropout=0.0, batch_first=True)  # <-- culprit
        self.encoder = nn.TransformerEncoder(self.encoder_layer, num_layers=1)
        self.out = nn.Linear(d, vocab)

    def forward(self, ids):
        return self.out(self.encoder(self.emb(ids)))


def make():
    torch.manual_seed(0)
    model = Encoder()
    ids = torch.randint(0, 20, (4, 6))
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0), ids


def loss_fn(model, ids):
    logits = model(ids)
    return nn.functional.cross_entropy(logits.flatten(0, 1), ids.roll(-1, 1).flatten())


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


KIND = "registration"
EXPECT = {
    "emb.weight": "trained",
    "encoder.layers.0.self_attn.in_proj_weight": "trained",
    "encoder.layers.0.self_attn.in_proj_bias": "trained",
    "encoder.layers.0.self_attn.out_proj.weight": "trained",
    "encoder.layers.0.self_attn.out_proj.bias": "trained",
    "encoder.layers.0.linear1.weight": "trained",
    "encoder.layers.0.linear1.bias": "trained",
    "encoder.layers.0.linear2.weight": "trained",
    "encoder.layers.0.linear2.bias": "trained",
    "encoder.layers.0.norm1.weight": "trained",
    "encoder.layers.0.norm1.bias": "trained",
    "encoder.layers.0.norm2.weight": "trained",
    "encoder.layers.0.norm2.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
    "encoder_layer.self_attn.in_proj_weight": "unreachable",
    "encoder_layer.self_attn.in_proj_bias": "unreachable",
    "encoder_layer.self_attn.out_proj.weight": "unreachable",
    "encoder_layer.self_attn.out_proj.bias": "unreachable",
    "encoder_layer.linear1.weight": "unreachable",
    "encoder_layer.linear1.bias": "unreachable",
    "encoder_layer.linear2.weight": "unreachable",
    "encoder_layer.linear2.bias": "unreachable",
    "encoder_layer.norm1.weight": "unreachable",
    "encoder_layer.norm1.bias": "unreachable",
    "encoder_layer.norm2.weight": "unreachable",
    "encoder_layer.norm2.bias": "unreachable",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
