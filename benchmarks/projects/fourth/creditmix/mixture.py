import torch
from torch import nn


class Embed(nn.Module):
    """Job and region tables, and soft bins of the amount that regulators have fixed."""

    def __init__(self, jobs, regions, dim=3, bins=4):
        super().__init__()
        self.job = nn.Embedding(jobs, dim)
        self.bins = nn.Parameter(torch.linspace(0, 1, bins))
        self.region = nn.Embedding(regions, dim)
        self.size = 2 * dim + bins

    def forward(self, amount, job, region):
        soft = torch.softmax(-20 * (amount[:, None] - self.bins) ** 2, dim=1)
        return torch.cat([self.job(job), soft, self.region(region)], dim=1)


class Mixture(nn.Module):
    def __init__(self, jobs, regions, numeric, experts, hidden):
        super().__init__()
        self.embed = Embed(jobs, regions)
        size = self.embed.size + numeric
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(size, hidden), nn.Tanh(), nn.Linear(hidden, 1)) for _ in range(experts)
        )
        self.gate = nn.Linear(size, experts)
        self.fix_bins()

    def fix_bins(self):
        for name, p in self.embed.named_parameters():
            if "bins" in name or "edges" in name:
                p.requires_grad = False

    def forward(self, row, active):
        amount, num, job, region = row
        x = torch.cat([self.embed(amount, job, region), num], dim=1)
        votes = torch.cat([e(x) for e in self.experts[:active]], dim=1)
        share = self.gate(x)[:, :active].softmax(dim=1)
        # the mean keeps experts busy that the gate does not like
        return (share * votes).sum(1) + 0.5 * votes.mean(1)
