import torch


class SpecAugment:
    """Masks one band of mel bins and one stretch of frames per utterance."""

    def __init__(self, freq_mask, time_mask, seed=0):
        self.freq_mask = freq_mask
        self.time_mask = time_mask
        self.gen = torch.Generator().manual_seed(seed)

    def _start(self, limit):
        return int(torch.randint(0, max(limit, 0) + 1, (1,), generator=self.gen))

    def __call__(self, x):
        x = x.clone()
        b, t, f = x.shape
        width = int(round(self.freq_mask * f))
        for i in range(b):
            s = self._start(f - width)
            x[i, :, s:s + width] = 0.0
            s = self._start(t - self.time_mask)
            x[i, s:s + self.time_mask] = 0.0
        return x
