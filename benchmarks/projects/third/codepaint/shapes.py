"""Small pictures of bars and discs."""
import torch


def disc(size, cx, cy, r):
    yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    return (((xx - cx) ** 2 + (yy - cy) ** 2) < r * r).float()


def bar(size, at, horizontal):
    img = torch.zeros(size, size)
    if horizontal:
        img[at:at + 2] = 1
    else:
        img[:, at:at + 2] = 1
    return img


def picture_batches(n_batches, batch=8, size=16, seed=1):
    g = torch.Generator().manual_seed(seed)
    for _ in range(n_batches):
        rows = torch.randint(2, size - 3, (batch, 3), generator=g).tolist()
        pics = [disc(size, a, b, 3) if c % 2 else bar(size, a, b % 2 == 0) for a, b, c in rows]
        yield torch.stack(pics)[:, None]
