import torch
import torch.nn.functional as F
from torch import nn

from .boxes import assign, encode, grid_anchors
from .builder import part


@part
class AnchorHead(nn.Module):
    def __init__(self, width, strides, scale, pos_iou):
        super().__init__()
        self.strides, self.scale, self.pos_iou = strides, scale, pos_iou
        self.tower = nn.Conv2d(width, width, 3, padding=1)
        self.cls = nn.Conv2d(width, 1, 1)
        self.reg = nn.Conv2d(width, 4, 1)

    def forward(self, feats):
        scores, deltas, anchors = [], [], []
        for f, s in zip(feats, self.strides):
            h = F.relu(self.tower(f))
            scores.append(self.cls(h).flatten(1))
            deltas.append(self.reg(h).flatten(2).transpose(1, 2))
            anchors.append(grid_anchors(f.shape[-2], f.shape[-1], s, self.scale))
        return torch.cat(scores, 1), torch.cat(deltas, 1), torch.cat(anchors)

    def loss(self, feats, boxes):
        scores, deltas, anchors = self(feats)
        cls_terms, reg_terms, npos = [], [], 0
        for i, gt in enumerate(boxes):
            idx, pos = assign(anchors, gt, self.pos_iou)
            cls_terms.append(F.binary_cross_entropy_with_logits(scores[i], pos.float()))
            target = encode(anchors[pos], gt[idx[pos]])
            reg_terms.append(F.smooth_l1_loss(deltas[i][pos], target, reduction="sum"))
            npos += int(pos.sum())
        return {
            "loss_cls": torch.stack(cls_terms).mean(),
            "loss_box": torch.stack(reg_terms).sum() / max(npos, 1),
            "num_pos": torch.tensor(float(npos)),
        }
