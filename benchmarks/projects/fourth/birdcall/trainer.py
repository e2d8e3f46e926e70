import torch

from mixins import CallbackMixin, CTCMixin


class Trainer(CallbackMixin, CTCMixin):
    def __init__(self, model, lr, inter_weight, callbacks):
        self.model = model
        self.inter_weight = inter_weight
        self.callbacks = list(callbacks)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.step = 0

    def training_step(self, batch):
        self.fire("on_step_begin", batch=batch)
        out = self.model(batch["spec"], batch["site"])
        losses = self.compute_losses(batch, out)
        self.fire("on_losses", batch=batch, out=out, losses=losses)
        self.optimizer.zero_grad()
        sum(losses.values()).backward()
        self.optimizer.step()
        self.fire("on_step_end", losses=losses)

    def fit(self, loader):
        self.model.train()
        for batch in loader:
            self.training_step(batch)
            self.step += 1
        return self.model
