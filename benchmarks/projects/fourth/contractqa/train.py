import pathlib

import torch
import torch.nn.functional as F
import yaml

from backbone import ClauseModel
from inject import inject
from optim import make_optimizer


def clauses(steps, vocab, labels, batch=8, length=7):
    g = torch.Generator().manual_seed(3)
    for _ in range(steps):
        ids = torch.randint(0, vocab, (batch, length), generator=g)
        yield ids, ids.max(1).values % labels


def main():
    cfg = yaml.safe_load(pathlib.Path(__file__).with_name("config.yaml").read_text())
    torch.manual_seed(1)
    model = ClauseModel(**cfg["backbone"])
    names = inject(model, **cfg["adapter"])
    print("adapters in", len(names), "layers")
    train = cfg["train"]
    opt = make_optimizer(model, train["lr"], train["b_ratio"])
    for step, (ids, label) in enumerate(clauses(train["steps"], cfg["backbone"]["vocab"], cfg["backbone"]["labels"])):
        loss = F.cross_entropy(model(ids), label)
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 4 == 0:
            print(step, round(loss.item(), 4))


if __name__ == "__main__":
    main()
