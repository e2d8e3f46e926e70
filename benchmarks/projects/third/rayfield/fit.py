import sys

import torch

import conf
from field import Scene
from rays import RaySource
from render import render


def optimizer_for(scene, cfg):
    slow = [scene.pose_shift]
    rest = [p for p in scene.parameters() if p is not scene.pose_shift]
    return torch.optim.Adam([{"params": rest, "lr": cfg.train.lr}, {"params": slow, "lr": cfg.train.pose_lr}])


def main(argv):
    cfg = conf.load(argv)
    torch.manual_seed(1)
    scene = Scene(cfg)
    source = RaySource(cfg.scene.views)
    opt = optimizer_for(scene, cfg)
    for i in range(cfg.train.iters):
        rays, pixels = source.sample(cfg.train.rays, source.train_ids)
        first, second = render(scene, rays, cfg)
        loss = (first - pixels).pow(2).mean() + (second - pixels).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        rays, pixels = source.sample(64, source.eval_ids)
        err = (render(scene, rays, cfg)[1] - pixels).pow(2).mean()
    print(f"train {loss.item():.4f} held-out view {err.item():.4f}")


main(sys.argv[1:])
