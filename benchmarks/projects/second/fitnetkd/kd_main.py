import sys

import torch

import conf as profiles
from distill import Pair, objective
from nets import load_teacher, student_from
from scaler import LossScaler
from sparsity import prune


def toy(n):
    y = torch.randint(0, 4, (n,))
    x = torch.randn(n, 1, 8, 8) * 0.3
    for i, c in enumerate(y.tolist()):
        x[i, 0, (c // 2) * 4:(c // 2) * 4 + 4, (c % 2) * 4:(c % 2) * 4 + 4] += 1
    return x, y


def main(profile):
    conf = profiles.make(profile)
    torch.manual_seed(conf.seed)
    teacher = load_teacher(**conf.teacher)
    student = student_from(teacher, **conf.student)
    pair = Pair(teacher, student, conf.hints)
    kept = prune(student, conf.prune_threshold)
    trainable = list(pair.student.parameters()) + list(pair.regressors.parameters())
    optimizer = torch.optim.SGD(trainable, lr=conf.lr, momentum=0.9)
    scaler = LossScaler(conf.init_scale)
    for step in range(conf.steps):
        x, y = toy(conf.batch)
        loss = objective(pair(x), y, conf)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(trainable, 5.0)
        scaler.step(optimizer)
        print(f"step {step} loss {loss.item():.4f} kept {kept:.2f} skipped {scaler.skipped}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "cpu")
