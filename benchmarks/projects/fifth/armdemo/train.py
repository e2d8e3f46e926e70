import torch
import yaml

from instantiate import instantiate, load_plugins
from registry import OBJECTIVES


def freeze(policy, prefixes):
    for name, p in policy.named_parameters():
        if any(name.startswith(prefix) for prefix in prefixes):
            p.requires_grad_(False)


def make_optimizer(policy, lr, vision_lr):
    vision = [p for n, p in policy.named_parameters() if n.startswith("vision.")]
    rest = [p for n, p in policy.named_parameters() if not n.startswith("vision.")]
    print("vision weights:", sum(p.numel() for p in vision))
    return torch.optim.Adam([{"params": rest}, {"params": vision, "lr": vision_lr}], lr=lr)


def main():
    with open("policy.yaml") as f:
        cfg = yaml.safe_load(f)
    torch.manual_seed(cfg["seed"])
    load_plugins(cfg["plugins"])
    policy = instantiate(cfg["policy"])
    demos = instantiate(cfg["demos"])
    freeze(policy, cfg["freeze"])
    optimizer = make_optimizer(policy, cfg["lr"], cfg["vision_lr"])
    for epoch in range(cfg["epochs"]):
        for demo in demos:
            out = policy(demo["image"], demo["instruction"], demo["pose"])
            loss = sum(cfg["objectives"][name] * fn(out, demo) for name, fn in OBJECTIVES)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch} loss {loss.item():.4f}")


if __name__ == "__main__":
    main()
