import torch
import torch.nn.functional as F

from args import get_args
from corpus import reviews
from encoder import TextClassifier
from evaluation import accuracy
from peft import freeze_except, inject

TRAINABLE = ("lora_", "classifier")


def prepare(args):
    model = TextClassifier()
    model = inject(model, args.targets.split(","), rank=args.rank, alpha=args.alpha, init_a=args.init_a)
    return freeze_except(model, TRAINABLE)


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    ids, labels = reviews(seed=args.seed)
    val_ids, val_labels = reviews(n=64, seed=args.seed + 1)
    model = prepare(args)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=args.lr)
    print(f"before: accuracy {accuracy(model, val_ids, val_labels):.3f}")
    for epoch in range(args.epochs):
        for idx in torch.randperm(len(ids)).split(32):
            loss = F.cross_entropy(model(ids[idx]), labels[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: loss {loss.item():.3f} accuracy {accuracy(model, val_ids, val_labels):.3f}")


if __name__ == "__main__":
    main()
