import torch
import torch.nn.functional as F

from backbone import from_pretrained
from cli import parse
from inject import inject, mark_trainable, summary
from toydata import accuracy, build_loader


def make_optimizer(model, lr):
    return torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)


def prepare(args):
    model = from_pretrained()
    hits = inject(model, args.adapter, args.targets, args.rank, args.alpha)
    mark_trainable(model)
    optimizer = make_optimizer(model, args.lr)
    print("adapted", len(hits), "modules;", summary(model))
    return model, optimizer


def main():
    args = parse()
    torch.manual_seed(args.seed)
    model, optimizer = prepare(args)
    loader = build_loader(args.batch_size)
    for epoch in range(args.epochs):
        for ids, y in loader:
            loss = F.cross_entropy(model(ids), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.3f} acc {accuracy(model, loader):.3f}")


if __name__ == "__main__":
    main()
