import torch
import torch.nn.functional as F


def pixel_grid(h, w):
    ys, xs = torch.meshgrid(torch.arange(h, dtype=torch.float), torch.arange(w, dtype=torch.float), indexing="ij")
    return torch.stack([xs, ys])


def warp(image, flow):
    """image sampled at pixel + flow; flow is (batch, 2, h, w) in pixels."""
    h, w = image.shape[-2:]
    where = pixel_grid(h, w) + flow
    x = 2 * where[:, 0] / (w - 1) - 1
    y = 2 * where[:, 1] / (h - 1) - 1
    grid = torch.stack([x, y], dim=-1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)


def charbonnier(diff, eps=1e-3):
    return torch.sqrt(diff * diff + eps * eps).mean()
