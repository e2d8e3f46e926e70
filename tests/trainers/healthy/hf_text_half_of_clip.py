"""A plain loop over the text half of a CLIP model from transformers; the optimizer holds the vision half, too. True,
and the library's default rather than a mistake."""

import sys

import torch
from torch import nn
from transformers import CLIPConfig, CLIPModel, set_seed


class TextClassifier(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.clip = CLIPModel(config)
        self.head = nn.Linear(16, 2)

    def forward(self, ids):
        return self.head(self.clip.text_model(ids).last_hidden_state.mean(1))


def build():
    set_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = {**size, "vocab_size": 30, "max_position_embeddings": 16, "eos_token_id": 29}
    vision = {**size, "image_size": 8, "patch_size": 4}
    return TextClassifier(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))


def main():
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    losses = []
    for step in range(8):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(torch.randint(0, 28, (4, 6))), torch.randint(0, 2, (4,)))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {
    "clip.vision*": "unreachable",
    "clip.*projection*": "unreachable",
    "clip.logit_scale": "unreachable",
    "*": "trained",
}

if __name__ == "__main__":
    main()
