import random

import torch
from torch.utils.data import DataLoader, Dataset

from vocab import Vocab


class PairDataset(Dataset):
    def __init__(self, rows, vocabs, seed):
        self.rows, self.vocabs = rows, vocabs
        self.rand = random.Random(seed)
        self.bought = {}
        for r in rows:
            self.bought.setdefault(r["user"], set()).add(r["item"])
        self.catalogue = sorted({r["item"] for r in rows})

    def __len__(self):
        return len(self.rows)

    def negative(self, user):
        while True:
            item = self.rand.choice(self.catalogue)
            if item not in self.bought[user]:
                return item

    def __getitem__(self, i):
        r = self.rows[i]
        neg = self.negative(r["user"])
        v = self.vocabs
        return v["user"](r["user"]), v["country"](r["country"]), v["item"](r["item"]), v["item"](neg)


def collate(samples):
    cols = list(zip(*samples))
    return {
        "user": torch.tensor(cols[0]),
        "country": torch.tensor(cols[1]),
        "pos": torch.tensor(cols[2]),
        "neg": torch.tensor(cols[3]),
    }


def fit_vocabs(rows):
    return {k: Vocab().fit(r[k] for r in rows) for k in ("user", "country", "item")}


def make_loader(rows, vocabs, batch_size, seed):
    return DataLoader(PairDataset(rows, vocabs, seed), batch_size=batch_size, shuffle=True, collate_fn=collate)
