import torch.nn.functional as F

from shapes import edges


def probabilities(logits, threshold):
    """Probability map and the binary map that the metrics use."""
    p = logits.sigmoid()
    return p, (p > threshold).float()


def dice(pred, target, smooth):
    inter = (pred * target).sum((1, 2, 3))
    return (2 * inter + smooth) / (pred.sum((1, 2, 3)) + target.sum((1, 2, 3)) + smooth)


class SegLoss:
    def __init__(self, opt):
        self.opt = opt

    def __call__(self, out, masks):
        parts = {"ce": F.cross_entropy(out["seg"], masks)}
        if out["edge"] is not None:
            soft, hard = probabilities(out["edge"], self.opt.threshold)
            target = edges(masks)
            parts["edge"] = self.opt.edge * (1 - dice(soft, target, self.opt.smooth)).mean()
            parts["edge_score"] = dice(hard, target, self.opt.smooth).mean().detach()
        return parts["ce"] + parts.get("edge", 0.0), parts
