import torch


class Hook:
    priority = 50

    def before_step(self, engine):
        pass

    def after_backward(self, engine):
        pass

    def after_step(self, engine):
        pass


class ClipHook(Hook):
    priority = 30

    def __init__(self, max_norm):
        self.max_norm = max_norm

    def after_backward(self, engine):
        torch.nn.utils.clip_grad_norm_(engine.model.parameters(), self.max_norm)


class StepHook(Hook):
    priority = 60

    def after_backward(self, engine):
        engine.optimizer.step()


class ZeroGradHook(Hook):
    priority = 70

    def after_backward(self, engine):
        engine.optimizer.zero_grad()


class LogHook(Hook):
    priority = 90

    def __init__(self, every):
        self.every = every

    def after_step(self, engine):
        if engine.iteration % self.every == 0:
            print(engine.iteration, " ".join(f"{k} {v.item():.3f}" for k, v in engine.parts.items()))
