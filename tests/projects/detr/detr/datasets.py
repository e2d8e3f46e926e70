import torch
from torch.utils.data import Dataset


class Shapes(Dataset):
    def __init__(self, size=16, seed=0):
        self.size, self.seed = size, seed

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        g = torch.Generator().manual_seed(self.seed * 1000 + index)
        image = torch.rand(3, 32, 32, generator=g)
        n = 1 + index % 2
        return image, {"labels": torch.randint(0, 5, (n,), generator=g), "boxes": torch.rand(n, 4, generator=g)}


def collate_fn(batch):
    images, targets = zip(*batch)
    return torch.stack(images), list(targets)
