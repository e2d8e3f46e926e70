import torch
from torch import nn


class RadianceField(nn.Module):
    def __init__(self, hidden, bands):
        super().__init__()
        self.bands = bands
        self.trunk = nn.Sequential(
            nn.Linear(3 + 6 * bands, hidden), nn.Softplus(), nn.Linear(hidden, hidden), nn.Softplus()
        )
        self.density = nn.Linear(hidden, 1)
        self.colour = nn.Linear(hidden, 3)

    def encode(self, p):
        parts = [p]
        for k in range(self.bands):
            parts += [torch.sin(2 ** k * p), torch.cos(2 ** k * p)]
        return torch.cat(parts, -1)

    def forward(self, p):
        h = self.trunk(self.encode(p))
        return nn.functional.softplus(self.density(h)).squeeze(-1), torch.sigmoid(self.colour(h))


class Scene(nn.Module):
    """Two fields, a background colour and corrections of the camera positions."""

    def __init__(self, cfg):
        super().__init__()
        self.bound = cfg.scene.bound
        self.coarse = RadianceField(cfg.field.hidden, cfg.field.bands)
        self.fine = RadianceField(cfg.field.hidden, cfg.field.bands)
        self.background = nn.Parameter(torch.zeros(3))
        self.pose_shift = nn.Parameter(torch.zeros(cfg.scene.views, 3))

    def origin_of(self, view_ids, origins):
        free = (view_ids != 0).float()[:, None]  # view 0 anchors the frame
        return origins + free * self.pose_shift[view_ids]
