import runpy
import sys

import torch
from torch import nn

import det
from det.builder import build, parse_losses


class Detector(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.backbone = build(cfg["backbone"])
        self.neck = build(cfg["neck"])
        self.head = build(cfg["head"])

    def forward(self, img, boxes):
        return self.head.loss(self.neck(self.backbone(img)), boxes)


def sample(size, n):
    img = torch.randn(n, 1, size, size) * 0.2
    boxes = []
    for i in range(n):
        w = torch.randint(6, 14, (2, 2)).float()
        xy = torch.rand(2, 2) * (size - 14)
        b = torch.cat([xy, xy + w], 1)
        for x0, y0, x1, y1 in b.long().tolist():
            img[i, 0, y0:y1, x0:x1] += 1.0
        boxes.append(b)
    return img, boxes


def main(cfg_path):
    cfg = runpy.run_path(cfg_path)
    torch.manual_seed(cfg["data"]["seed"])
    model = Detector(cfg["model"])
    o = dict(cfg["optimizer"])
    opt = getattr(torch.optim, o.pop("type"))(model.parameters(), **o)
    for it in range(cfg["runner"]["max_iters"]):
        losses = model(*sample(cfg["data"]["size"], cfg["data"]["per_batch"]))
        total, log = parse_losses(losses)
        opt.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        opt.step()
        if it % cfg["runner"]["log_every"] == 0:
            print(it, {k: round(v, 3) for k, v in log.items()})


if __name__ == "__main__":
    main(sys.argv[1])
