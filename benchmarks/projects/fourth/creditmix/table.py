import numpy as np
import torch

JOBS, REGIONS, NUMERIC = 5, 4, 3


def rows(batches, size, seed):
    """(amount, numeric, job, region), bad"""
    rng = np.random.default_rng(seed)
    for _ in range(batches):
        amount = rng.uniform(0, 1, size)
        num = rng.normal(size=(size, NUMERIC))
        job = rng.integers(0, JOBS, size)
        region = rng.integers(0, REGIONS, size)
        score = 2 * amount - num[:, 0] + 0.5 * (job == 2) - 0.7 * (region == 1) + rng.normal(size=size) * 0.2
        yield (
            torch.tensor(amount, dtype=torch.float32),
            torch.tensor(num, dtype=torch.float32),
            torch.from_numpy(job),
            torch.from_numpy(region),
        ), torch.tensor(score > 0.7, dtype=torch.float32)
