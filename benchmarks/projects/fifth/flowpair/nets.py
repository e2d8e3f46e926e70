import torch
from torch import nn

from warp import warp


class Features(nn.Sequential):
    def __init__(self, dim):
        super().__init__(nn.Conv2d(1, dim, 3, padding=1), nn.LeakyReLU(0.1),
                         nn.Conv2d(dim, dim, 3, padding=1))


class UpdateBlock(nn.Module):
    """One convolutional GRU step on (hidden, motion evidence)."""

    def __init__(self, dim):
        super().__init__()
        self.evidence = nn.Conv2d(dim + 3, dim, 3, padding=1)
        self.gate = nn.Conv2d(2 * dim, dim, 3, padding=1)
        self.candidate = nn.Conv2d(2 * dim, dim, 3, padding=1)

    def forward(self, hidden, context, corr, flow):
        e = torch.relu(self.evidence(torch.cat([context, corr, flow], 1)))
        z = torch.sigmoid(self.gate(torch.cat([hidden, e], 1)))
        return (1 - z) * hidden + z * torch.tanh(self.candidate(torch.cat([hidden, e], 1)))


class FlowNet(nn.Module):
    def __init__(self, dim, iterations):
        super().__init__()
        self.iterations = iterations
        self.fnet = Features(dim)
        self.update = UpdateBlock(dim)
        self.flow_head = nn.Conv2d(dim, 2, 3, padding=1)
        self.gain_head = nn.Sequential(nn.Linear(4, dim), nn.Tanh(), nn.Linear(dim, 1))

    def gain(self, first, second):
        stats = torch.cat([first.mean((2, 3)), first.std((2, 3)), second.mean((2, 3)), second.std((2, 3))], 1)
        return torch.exp(self.gain_head(stats))[..., None, None]

    def forward(self, first, second):
        f1, f2 = self.fnet(first), self.fnet(second)
        flow = torch.zeros_like(first).repeat(1, 2, 1, 1)
        hidden = torch.tanh(f1)
        flows = []
        for _ in range(self.iterations):
            flow = flow.detach()
            corr = (f1 * warp(f2, flow)).mean(1, keepdim=True)
            hidden = self.update(hidden, f1, corr, flow)
            flow = flow + self.flow_head(hidden)
            flows.append(flow)
        return flows, self.gain(first, second)
