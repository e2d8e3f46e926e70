from __future__ import print_function

import torch

import news
from opts import get_opts
from pointer import PointerGenerator
from schedule import adjust_lr, make_optimizer


def main():
    opt = get_opts()
    torch.manual_seed(opt.seed)
    model = PointerGenerator(opt)
    optimizer = make_optimizer(model)
    data = list(news.load(16, opt.batch, opt.seed))
    step = 0
    for epoch in range(1, opt.epochs + 1):
        model.train()
        total = 0.0
        for src, tgt in data:
            lr = adjust_lr(optimizer, opt, step)
            model.zero_grad()
            nll, cov = model(src, tgt)
            loss = nll + opt.cov * cov
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), opt.clip)
            optimizer.step()
            total += nll.item()
            step += 1
        print("epoch %d | lr %.4f | nll %.3f" % (epoch, lr, total / len(data)))


if __name__ == "__main__":
    main()
