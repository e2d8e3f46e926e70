import torch


def grid_anchors(h, w, stride, scale):
    ys, xs = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    cx = (xs.flatten() + 0.5) * stride
    cy = (ys.flatten() + 0.5) * stride
    half = scale * stride / 2
    return torch.stack([cx - half, cy - half, cx + half, cy + half], 1)


def area(b):
    return (b[:, 2] - b[:, 0]).clamp(min=0) * (b[:, 3] - b[:, 1]).clamp(min=0)


def iou(a, b):
    lt = torch.maximum(a[:, None, :2], b[None, :, :2])
    rb = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    wh = (rb - lt).clamp(min=0)
    inter = wh[..., 0] * wh[..., 1]
    return inter / (area(a)[:, None] + area(b)[None] - inter)


def encode(anchors, gt):
    aw = anchors[:, 2:] - anchors[:, :2]
    ac = (anchors[:, 2:] + anchors[:, :2]) / 2
    gw = gt[:, 2:] - gt[:, :2]
    gc = (gt[:, 2:] + gt[:, :2]) / 2
    return torch.cat([(gc - ac) / aw, (gw / aw).log()], 1)


def assign(anchors, gt, pos_iou):
    """Index of the matched box per anchor, and which anchors are positive."""
    best, idx = iou(anchors, gt).max(dim=1)
    return idx, best >= pos_iou
