import itertools

import torch
from torch import nn


class HungarianMatcher(nn.Module):
    """Assigns each target to a prediction; exhaustive, since there are few targets."""

    def __init__(self, cost_class=1, cost_bbox=1):
        super().__init__()
        self.cost_class = cost_class
        self.cost_bbox = cost_bbox

    @torch.no_grad()
    def forward(self, outputs, targets):
        bs, num_queries = outputs["pred_logits"].shape[:2]
        out_prob = outputs["pred_logits"].flatten(0, 1).softmax(-1)
        out_bbox = outputs["pred_boxes"].flatten(0, 1)
        tgt_ids = torch.cat([v["labels"] for v in targets])
        tgt_bbox = torch.cat([v["boxes"] for v in targets])
        cost_class = -out_prob[:, tgt_ids]
        cost_bbox = torch.cdist(out_bbox, tgt_bbox, p=1)
        C = (self.cost_bbox * cost_bbox + self.cost_class * cost_class).view(bs, num_queries, -1).cpu()
        sizes = [len(v["boxes"]) for v in targets]
        indices = []
        for i, c in enumerate(C.split(sizes, -1)):
            c = c[i].numpy()
            n = c.shape[1]
            best = min(itertools.permutations(range(num_queries), n), key=lambda rows: sum(c[r, k] for k, r in enumerate(rows)))
            indices.append((torch.as_tensor(best, dtype=torch.int64), torch.arange(n)))
        return indices


def build_matcher(args):
    return HungarianMatcher(cost_class=args.set_cost_class, cost_bbox=args.set_cost_bbox)
