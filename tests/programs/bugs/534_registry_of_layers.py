"""Layers are fetched from a module-level registry that makes them on demand, "as tf.get_variable did".
Origin: porting TF1 code, "parameters() is empty" questions; retold."""
import torch
from torch import nn

VARIABLES = {}


def get_layer(name, n_in, n_out):
    if name not in VARIABLES:
        VARIABLES[name] = nn.Linear(n_in, n_out)  # <-- culprit
    return VARIABLES[name]


class Ported(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        h = torch.relu(get_layer("dense/0", x.shape[-1], 8)(x))
        return self.scale * get_layer("dense/1", 8, 1)(h)


def make():
    torch.manual_seed(0)
    VARIABLES.clear()
    model = Ported()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2), (torch.randn(9, 4), torch.randn(9, 1))


def loss_fn(model, batch):
    x, y = batch
    return nn.functional.mse_loss(model(x), y)


def train(steps=3):
    model, optimizer, batch = make()
    history = []
    model.train()
    for epoch in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        history.append(float(loss))
    return model, history


KIND = "registration"
EXPECT = {
    "scale": "trained",
    "?w0": "unregistered",
    "?b0": "unregistered",
    "?w1": "unregistered",
    "?b1": "unregistered",
}
CAUSE = "unregistered_container"

if __name__ == "__main__":
    train()
