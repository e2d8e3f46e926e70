import torch


class Learner:
    def __init__(self, model, args, callbacks):
        self.model, self.args, self.callbacks = model, args, callbacks

    def fire(self, event, *a):
        for c in self.callbacks:
            getattr(c, event)(self, *a)

    def configure(self):
        m, a = self.model, self.args
        return torch.optim.Adam([
            {"params": list(m.backbone.parameters()), "lr": a.backbone_lr},
            {"params": [*m.gate.parameters(), *m.head.parameters()], "lr": a.head_lr},
        ])

    def fit(self, num, cat, y):
        self.fire("on_fit_start")
        self.optimizer = self.configure()
        for epoch in range(self.args.epochs):
            self.fire("on_epoch_start", epoch)
            total = 0.0
            for idx in torch.randperm(len(y)).split(self.args.batch):
                loss = (self.model(num[idx], cat[idx]) - y[idx]).square().mean()
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += loss.item() * len(idx)
            self.fire("on_epoch_end", epoch, total / len(y))
