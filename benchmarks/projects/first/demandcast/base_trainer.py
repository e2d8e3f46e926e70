"""Generic trainer. Projects override the build_* and hook methods."""
import torch


class BaseTrainer:
    epochs = 3
    accumulate = 1

    def __init__(self, conf):
        self.conf = conf
        self.micro = 0
        self.model = self.build_model()
        self.loader = self.build_loader()
        self.optimizer = self.build_optimizer()

    # ---- to be overridden
    def build_model(self):
        raise NotImplementedError

    def build_loader(self):
        raise NotImplementedError

    def build_optimizer(self):
        return torch.optim.Adam(self.model.parameters(), lr=self.conf["lr"])

    def compute_loss(self, batch):
        raise NotImplementedError

    # ---- hooks
    def before_train(self):
        pass

    def before_epoch(self, epoch):
        self.losses = []

    def before_step(self):
        pass

    def after_epoch(self, epoch):
        pass

    # ---- loop
    def train(self):
        self.before_train()
        for epoch in range(self.epochs):
            self.before_epoch(epoch)
            for batch in self.loader:
                loss = self.compute_loss(batch)
                (loss / self.accumulate).backward()
                self.losses.append(loss.item())
                self.micro += 1
                if self.micro % self.accumulate == 0:
                    self.before_step()
                    self.optimizer.step()
                    self.optimizer.zero_grad()
            self.after_epoch(epoch)
