import torch


class Shadow:
    """Exponential moving average of weights, kept as plain tensors."""

    def __init__(self, model, decay):
        self.decay = decay
        self.values = {n: p.detach().clone() for n, p in model.named_parameters()}

    @torch.no_grad()
    def update(self, model):
        for n, p in model.named_parameters():
            self.values[n].lerp_(p.detach(), 1 - self.decay)

    def distance(self, model):
        return sum(float((self.values[n] - p.detach()).norm()) for n, p in model.named_parameters())
