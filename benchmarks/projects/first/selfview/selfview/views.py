import torch


class TwoViews:
    """Clusters in 10 dimensions; a view is a noisy, partly masked copy."""

    def __init__(self, n=128, dim=10, seed=0):
        g = torch.Generator().manual_seed(seed)
        centers = torch.randn(5, dim, generator=g) * 2
        self.x = centers[torch.randint(0, 5, (n,), generator=g)]
        self.dim = dim

    def augment(self, x):
        keep = (torch.rand_like(x) > 0.15).float()
        return (x + 0.1 * torch.randn_like(x)) * keep

    def batches(self, batch, steps):
        for _ in range(steps):
            x = self.x[torch.randint(0, len(self.x), (batch,))]
            yield self.augment(x), self.augment(x)
