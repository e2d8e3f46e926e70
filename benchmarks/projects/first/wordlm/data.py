"""Synthetic token stream with a first-order structure."""
import torch


def make_stream(n_tokens, vocab_size, seed):
    g = torch.Generator().manual_seed(seed)
    table = torch.randint(0, vocab_size, (vocab_size, 3), generator=g)
    out = [0]
    picks = torch.randint(0, 3, (n_tokens,), generator=g).tolist()
    for p in picks[1:]:
        out.append(int(table[out[-1], p]))
    return torch.tensor(out)


class BatchSampler:
    def __init__(self, stream, block_size, batch_size, seed=0):
        self.stream = stream
        self.block_size = block_size
        self.batch_size = batch_size
        self.gen = torch.Generator().manual_seed(seed)

    def next(self):
        hi = len(self.stream) - self.block_size - 1
        starts = torch.randint(0, hi, (self.batch_size,), generator=self.gen)
        x = torch.stack([self.stream[s:s + self.block_size] for s in starts])
        y = torch.stack([self.stream[s + 1:s + 1 + self.block_size] for s in starts])
        return x, y
