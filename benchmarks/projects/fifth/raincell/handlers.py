"""Things that listen to the trainer's events."""


class AdversarialPhase:
    """First plain regression, then the critic joins in with a growing weight."""

    def __init__(self, start, weight):
        self.start = start
        self.weight = weight

    def attach(self, bus):
        bus.on("epoch_begin", self.update)

    def update(self, trainer):
        age = trainer.epoch - self.start
        trainer.adversarial_weight = 0.0 if age < 0 else self.weight * (age + 1)


class Report:
    def attach(self, bus):
        bus.on("epoch_end", self.show)

    def show(self, trainer, **info):
        values = ", ".join(f"{k} {v:.3f}" for k, v in info.items())
        print(f"[{trainer.epoch}] {values}")
