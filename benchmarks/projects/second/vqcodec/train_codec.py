import math

import torch

from cli import build_parser
from codec import Codec


def waves(batch, length=32):
    t = torch.arange(length) / length
    freq = torch.randint(1, 5, (batch, 1)).float()
    phase = torch.rand(batch, 1) * 2 * math.pi
    return torch.sin(2 * math.pi * freq * t + phase).unsqueeze(1)


def main():
    args = build_parser().parse_args()
    torch.manual_seed(args.seed)
    codec = Codec(args)
    opt = torch.optim.Adam(filter(lambda p: p.requires_grad, codec.parameters()), lr=args.lr)
    for step in range(args.steps):
        loss, stats = codec(waves(8))
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 3 == 0:
            print(f"{step:4d} nll {loss.item():.4f} " + " ".join(f"{k} {v:.3f}" for k, v in stats.items()))


if __name__ == "__main__":
    main()
