from torch.nn import functional as F


class ThawFromTop:
    """Opens one more block, counted from the top, after every `every` steps."""

    def __init__(self, every):
        self.every = every

    def on_step_begin(self, trainer, batch):
        blocks = trainer.model.blocks
        opened = 1 + trainer.step // self.every
        for i, block in enumerate(blocks):
            is_open = i >= len(blocks) - opened
            for p in block.parameters():
                p.requires_grad_(is_open)


class TempoTerm:
    """Adds a loss on the number of syllables in the clip."""

    def __init__(self, weight):
        self.weight = weight

    def on_losses(self, trainer, batch, out, losses):
        guess = trainer.model.tempo(out["hidden"].mean(1)).squeeze(-1)
        losses["tempo"] = self.weight * F.smooth_l1_loss(guess, batch["counts"].float())


class Printer:
    def __init__(self, every=5):
        self.every = every

    def on_step_end(self, trainer, losses):
        if trainer.step % self.every == 0:
            text = " ".join(f"{k}={v.item():.3f}" for k, v in losses.items())
            print(f"[{trainer.step:02d}] {text}")
