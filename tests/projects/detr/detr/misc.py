import time
from collections import defaultdict, deque

import torch


class SmoothedValue:
    def __init__(self, window_size=20):
        self.deque = deque(maxlen=window_size)
        self.total = 0.0
        self.count = 0

    def update(self, value, n=1):
        self.deque.append(value)
        self.count += n
        self.total += value * n

    @property
    def global_avg(self):
        return self.total / max(self.count, 1)

    def __str__(self):
        d = torch.tensor(list(self.deque))
        return f"{d.median().item():.4f} ({self.global_avg:.4f})"


class MetricLogger:
    def __init__(self, delimiter="\t"):
        self.meters = defaultdict(SmoothedValue)
        self.delimiter = delimiter

    def update(self, **kwargs):
        for k, v in kwargs.items():
            if isinstance(v, torch.Tensor):
                v = v.item()
            self.meters[k].update(v)

    def __str__(self):
        return self.delimiter.join(f"{name}: {meter}" for name, meter in self.meters.items())

    def log_every(self, iterable, print_freq, header=""):
        i = 0
        start = time.time()
        for obj in iterable:
            yield obj
            if i % print_freq == 0:
                print(header, i, str(self))
            i += 1
        print(f"{header} Total time: {time.time() - start:.2f}")


def reduce_dict(input_dict, average=True):
    return {k: v.detach() for k, v in input_dict.items()}
