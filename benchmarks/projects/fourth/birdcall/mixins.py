from torch import nn


class CallbackMixin:
    """Calls the hooks of all callbacks in order."""

    callbacks = ()

    def fire(self, hook, **payload):
        for cb in self.callbacks:
            method = getattr(cb, hook, None)
            if method is not None:
                method(self, **payload)


class CTCMixin:
    """Losses of the final and the intermediate head."""

    inter_weight = 0.0
    ctc = nn.CTCLoss(blank=0, zero_infinity=True)

    def ctc_of(self, log_probs, batch):
        b, t, _ = log_probs.shape
        lengths = batch["counts"].new_full((b,), t)
        return self.ctc(log_probs.transpose(0, 1), batch["labels"], lengths, batch["counts"])

    def compute_losses(self, batch, out):
        losses = {"final": self.ctc_of(out["final"], batch)}
        if self.inter_weight > 0:
            losses["inter"] = self.inter_weight * self.ctc_of(out["inter"], batch)
        return losses
