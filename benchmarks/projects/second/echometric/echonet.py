import torch
from torch import nn
import torch.nn.functional as F

from common import DIM, DIM_IN, N_ID


class Tap(nn.Module):
    """channel attention over the input taps"""

    def __init__(self):
        super().__init__()
        self.squeeze = nn.Linear(DIM_IN, 5)
        self.excite = nn.Linear(5, DIM_IN)

    def forward(self, x):
        return x * torch.sigmoid(self.excite(F.elu(self.squeeze(x))))


class EchoNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.tap = Tap()
        self.drop = nn.Dropout(0.1)
        self.enc = nn.Sequential(nn.Linear(DIM_IN, 16), nn.Tanh(), nn.Linear(16, DIM))
        self.id_head = nn.Linear(DIM, N_ID)

    def embed(self, x):
        return F.normalize(self.enc(self.drop(self.tap(x))), dim=-1)

    def forward(self, x):
        e = self.embed(x)
        return e, self.id_head(self.drop(e))
