"""ignite: an engine with an update function, an evaluator, and handlers."""

import sys

import torch
from ignite.engine import Engine, Events
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 12), nn.Tanh(), nn.Linear(12, 1))


def main():
    model = build()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-2)
    x = torch.randn(40, 5)
    loader = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=8, shuffle=True)

    def update(engine, batch):
        model.train()
        optimizer.zero_grad()
        x, y = batch
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    def evaluate(engine, batch):
        model.eval()
        with torch.no_grad():
            return nn.functional.l1_loss(model(batch[0]), batch[1]).item()

    trainer, evaluator = Engine(update), Engine(evaluate)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
    losses = []
    trainer.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: losses.append(engine.state.output))
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda engine: scheduler.step())

    @trainer.on(Events.EPOCH_COMPLETED)
    def validate(engine):
        evaluator.run(loader)
        print(f"epoch {engine.state.epoch}: {engine.state.output:.3f} {evaluator.state.output:.3f}")

    trainer.run(loader, max_epochs=3)
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*": "trained"}

if __name__ == "__main__":
    main()
