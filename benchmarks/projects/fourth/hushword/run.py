import torch

from audio import WORDS, words
from freeze import held, thaw
from losses import total_loss
from nets import Distiller
from stages import PLAN


def optimizer_for(model, stage):
    student = model.student
    slow = [p for n, p in student.named_parameters() if not n.startswith("head")]
    fast = [*student.head.parameters(), *model.bridge.parameters()]
    print(f"{stage.name}: {sum(p.numel() for p in slow)} slow and {sum(p.numel() for p in fast)} fast weights")
    return torch.optim.SGD([{"params": fast}, {"params": slow, "lr": stage.lr * 0.5}], lr=stage.lr)


def run_stage(model, stage, seed):
    for part in stage.thaw:
        thaw(getattr(model.student, part))
    opt = optimizer_for(model, stage)
    with held(*(getattr(model.student, part) for part in stage.hold)):
        for x, y in words(stage.steps, seed=seed):
            loss = total_loss(model(x), y, stage)
            opt.zero_grad()
            loss.backward()
            opt.step()
    return loss.item()


if __name__ == "__main__":
    torch.manual_seed(14)
    distiller = Distiller(WORDS)
    for i, stage in enumerate(PLAN):
        print(f"  last loss {run_stage(distiller, stage, seed=i):.3f}")
