from types import SimpleNamespace

import torch


class RolloutBuffer:
    fields = ("obs", "actions", "logp", "values", "rewards", "dones")

    def __init__(self, gamma, lam):
        self.gamma, self.lam = gamma, lam
        self.clear()

    def clear(self):
        self.store = {k: [] for k in self.fields}

    def add(self, **kw):
        for k, v in kw.items():
            self.store[k].append(torch.as_tensor(v))

    def finish(self, last_value):
        s = {k: torch.stack(v) for k, v in self.store.items()}
        adv = torch.zeros_like(s["rewards"])
        running, nxt = torch.zeros_like(last_value), last_value
        for t in reversed(range(len(adv))):
            alive = 1.0 - s["dones"][t].float()
            delta = s["rewards"][t] + self.gamma * alive * nxt - s["values"][t]
            running = delta + self.gamma * self.lam * alive * running
            adv[t], nxt = running, s["values"][t]
        s["returns"] = adv + s["values"]
        s["adv"] = adv
        self.flat = {k: v.flatten(0, 1) for k, v in s.items()}

    def batches(self, size):
        order = torch.randperm(len(self.flat["obs"]))
        for idx in order.split(size):
            b = SimpleNamespace(**{k: v[idx] for k, v in self.flat.items()})
            b.adv = (b.adv - b.adv.mean()) / (b.adv.std(unbiased=False) + 1e-8)
            yield b
