import torch


def four_blobs(n=256, seed=0):
    """Points in 2-d around four centres, with the number of the centre as label."""
    g = torch.Generator().manual_seed(seed)
    label = torch.randint(0, 4, (n,), generator=g)
    centre = torch.tensor([[2.0, 0.0], [0.0, 2.0], [-2.0, 0.0], [0.0, -2.0]])
    return centre[label] + 0.2 * torch.randn(n, 2, generator=g), label
