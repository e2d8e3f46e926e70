"""A regression trained with `cross_entropy`: over one class softmax is always 1, and the gradient exactly 0."""

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


class Trainer:
    def __init__(self, model, loader, optimizer):
        self.model = model
        self.loader = loader
        self.optimizer = optimizer

    def run_batch(self, inputs, targets):
        self.optimizer.zero_grad()
        output = self.model(inputs)
        loss = F.cross_entropy(output, targets)  # <- the defect
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def train(self, epochs):
        for epoch in range(epochs):
            losses = [self.run_batch(inputs, targets) for inputs, targets in self.loader]
            print(f"epoch {epoch}: loss {sum(losses) / len(losses):.4f}")


def main():
    data = TensorDataset(torch.rand(256, 20), torch.rand(256, 1))
    model = torch.nn.Linear(20, 1)
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    Trainer(model, DataLoader(data, batch_size=32, shuffle=True), optimizer).train(epochs=4)
    print(f"weights equal bit for bit: {torch.equal(before, model.weight)}")


if __name__ == "__main__":
    main()
