import sys

import torch

from adaptation import query_loss
from learner import MetaLearner
from options import PRESETS
from tasks import TaskSource


def outer_step(learner, optimizer, tasks, opt):
    optimizer.zero_grad()
    loss = torch.stack([query_loss(learner, t, opt) for t in tasks]).mean()
    loss.backward()
    optimizer.step()
    return loss.item()


def train(opt):
    torch.manual_seed(opt.seed)
    learner = MetaLearner(opt)
    optimizer = torch.optim.Adam(learner.parameters(), lr=opt.outer_lr)
    source = TaskSource(opt.seed)
    for it in range(opt.iterations):
        loss = outer_step(learner, optimizer, source.batch(opt.tasks_per_batch), opt)
        if it % 3 == 0:
            print(f"iteration {it} query loss {loss:.4f}")
    return learner


if __name__ == "__main__":
    train(PRESETS[sys.argv[1]])
