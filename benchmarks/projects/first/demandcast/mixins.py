import torch


class GradClipMixin:
    max_norm = 1.0

    def before_step(self):
        super().before_step()
        self.grad_norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.max_norm))


class ReportMixin:
    def after_epoch(self, epoch):
        super().after_epoch(epoch)
        mean = sum(self.losses) / max(1, len(self.losses))
        print(f"{type(self).__name__} epoch {epoch} pinball {mean:.4f} micro-steps {self.micro}")


class WarmStartMixin:
    """Shift the output bias to the level of the series before training."""

    def before_train(self):
        super().before_train()
        level = self.series.mean()
        with torch.no_grad():
            self.model.head.bias.add_(level)
