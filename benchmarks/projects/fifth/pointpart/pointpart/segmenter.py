import torch
import torch.nn.functional as F
from torch import nn

from pointpart.build import BACKBONES, MODELS, build_from, register_in


class AlignNet(nn.Module):
    """Predicts a 3x3 matrix that brings the cloud into a standard pose."""

    def __init__(self, width=12):
        super().__init__()
        self.points = nn.Sequential(nn.Linear(3, width), nn.ReLU())
        self.matrix = nn.Linear(width, 9)

    def forward(self, points):
        code = self.points(points).amax(1)
        return torch.eye(3) + self.matrix(code).view(-1, 3, 3)


class BaseSegmenter(nn.Module):
    def __init__(self, backbone, parts):
        super().__init__()
        self.align = AlignNet()
        self.backbone = build_from(BACKBONES, backbone)
        self.part_head = nn.Linear(self.backbone.width, parts)
        self.add_heads(self.backbone.width)

    def add_heads(self, width):
        pass

    def forward(self, points):
        aligned = torch.bmm(points, self.align(points))
        feats = self.backbone(aligned)
        return self.predict(feats)

    def predict(self, feats):
        return {"logits": self.part_head(feats)}

    def losses(self, out, batch):
        return {"part": F.cross_entropy(out["logits"].transpose(1, 2), batch["parts"])}


class NormalHeadMixin:
    def add_heads(self, width):
        super().add_heads(width)
        self.normal_head = nn.Linear(width, 3)

    def predict(self, feats):
        out = super().predict(feats)
        out["normals"] = self.normal_head(feats)
        return out

    def losses(self, out, batch):
        terms = super().losses(out, batch)
        cos = F.cosine_similarity(out["normals"], batch["normals"], dim=-1)
        terms["normal"] = 1 - cos.abs().mean()
        return terms


@register_in(MODELS)
class PartSegmenter(NormalHeadMixin, BaseSegmenter):
    pass
