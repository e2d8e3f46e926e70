from itertools import islice

import torch

from conf import Conf
from episodes import meta_batches
from inner import adapt, episode_loss
from net import LetterNet


def task_loss(net, task, conf):
    start = net.adapted
    tuned = adapt(net, start, task, conf.inner_steps)
    return episode_loss(net, tuned, task.script, task.query)


def meta_train(net, conf):
    opt = torch.optim.Adam(net.parameters(), lr=conf.outer_lr)
    for step, batch in enumerate(islice(meta_batches(conf), conf.meta_steps)):
        total = 0.0
        opt.zero_grad()
        for task in batch:
            loss = task_loss(net, task, conf) / len(batch)
            loss.backward()
            total += loss.item()
        opt.step()
        if step % 3 == 0:
            print(f"meta step {step}: query loss {total:.3f}")


if __name__ == "__main__":
    torch.manual_seed(Conf.seed)
    meta_train(LetterNet(Conf), Conf)
