import torch

from data import batches


class Loop:
    def __init__(self, net, tasks, lr, epochs, batch, ignore_index):
        self.net, self.tasks = net, tasks
        self.epochs, self.batch, self.ignore_index = epochs, batch, ignore_index
        self.opt = torch.optim.Adam(net.parameters(), lr=lr)
        self.skipped = 0

    def losses(self, outputs, targets):
        return {t.name: t.loss(outputs[t.name], targets[t.name], self.ignore_index) for t in self.tasks}

    def combine(self, losses):
        return sum(t.weight * losses[t.name] for t in self.tasks)

    def optimise(self, loss):
        self.opt.zero_grad()
        loss.backward()
        if not torch.isfinite(loss):
            self.skipped += 1
            return
        self.opt.step()

    def run(self, x, targets):
        for epoch in range(self.epochs):
            for xb, tb in batches(x, targets, self.batch):
                losses = self.losses(self.net(xb), tb)
                self.optimise(self.combine(losses))
            text = " ".join(f"{k}={v.item():.3f}" for k, v in losses.items())
            print(f"epoch {epoch} {text} skipped={self.skipped}")
