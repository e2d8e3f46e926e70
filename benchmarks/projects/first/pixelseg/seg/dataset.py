import torch
from torch.utils.data import Dataset

from .losses import IGNORE


class Blobs(Dataset):
    """Squares on noise; the label of the frame is void."""

    def __init__(self, size, void_label, n=30, seed=0):
        g = torch.Generator().manual_seed(seed)
        self.images, self.labels = [], []
        for _ in range(n):
            y = torch.zeros(size, size, dtype=torch.long)
            for c in (1, 2):
                r, s = torch.randint(1, size - 5, (2,), generator=g).tolist()
                y[r:r + 4, s:s + 4] = c
            y[0], y[-1] = void_label, void_label
            x = torch.randn(3, size, size, generator=g) * 0.3
            x += torch.stack([(y == c).float() for c in (0, 1, 2)])
            self.images.append(x)
            self.labels.append(self.remap(y, void_label))

    @staticmethod
    def remap(y, void_label):
        return torch.where(y == void_label, IGNORE, y)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.labels[i]
