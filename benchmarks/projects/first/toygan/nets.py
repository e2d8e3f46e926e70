import torch
import torch.nn as nn

from settings import *


class Gen(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc_in = nn.Linear(NZ, NGF, bias=False)
        self.bn = nn.BatchNorm1d(NGF)
        self.up = nn.Linear(NGF, NGF)
        self.to_data = nn.Linear(NGF, DATA_DIM)

    def forward(self, z):
        h = torch.relu(self.bn(self.fc_in(z)))
        h = torch.relu(self.up(h))
        return torch.tanh(self.to_data(h))


class Disc(nn.Module):
    def __init__(self):
        super().__init__()
        self.feat1 = nn.Linear(DATA_DIM, NDF)
        self.feat2 = nn.Linear(NDF, NDF)
        self.score = nn.Linear(NDF, 1)

    def features(self, x):
        h = nn.functional.leaky_relu(self.feat1(x), 0.2)
        return nn.functional.leaky_relu(self.feat2(h), 0.2)

    def forward(self, x):
        return self.score(self.features(x)).squeeze(1)


def weights_init(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, 0.0, 0.2)
        if m.bias is not None:
            nn.init.zeros_(m.bias)


netG = Gen()
netD = Disc()
netG.apply(weights_init)
netD.apply(weights_init)
