"""ignite: the update function clears the gradients after the backward."""

import sys

import torch
from ignite.engine import Engine, Events
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 12), nn.Tanh(), nn.Linear(12, 1))


def make_update(model, optimizer, criterion):
    def update(engine, batch):
        model.train()
        x, y = batch
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.zero_grad()  # <-- culprit
        optimizer.step()
        return loss.item()

    return update


def main():
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    x = torch.randn(40, 5)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8, shuffle=True)
    trainer = Engine(make_update(model, optimizer, nn.MSELoss()))
    losses = []
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: losses.append(engine.state.output))
    trainer.run(loader, max_epochs=3)
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*": "blocked"}
CODES = {"FXA403"}

if __name__ == "__main__":
    main()
