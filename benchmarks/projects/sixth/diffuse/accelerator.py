class Accumulator:
    """Steps the optimizer once per `every` micro-batches."""

    def __init__(self, optimizer, every):
        self.optimizer, self.every = optimizer, every
        self.optimizer.zero_grad()
        self.count = 0

    def backward(self, loss):
        (loss / self.every).backward()
        self.count += 1
        if self.count % self.every == 0:
            self.optimizer.step()
            self.optimizer.zero_grad()


class Loop:
    def __init__(self, model, diffusion, optimizer, accumulate):
        self.model, self.diffusion, self.optimizer, self.accumulate = model, diffusion, optimizer, accumulate

    def epoch(self, loader):
        acc = Accumulator(self.optimizer, self.accumulate)
        total = 0.0
        for x, y in loader:
            loss = self.diffusion.loss(self.model, x, y)
            acc.backward(loss)
            total += loss.item()
        return total / len(loader)
