"""A small house-price like table with numeric and categorical columns."""
import numpy as np

NUMERIC = ["area", "rooms", "age", "distance"]
CATEGORICAL = {"district": 5, "heating": 3}


def load(n=300, seed=0):
    rng = np.random.default_rng(seed)
    cols = {"area": rng.gamma(4, 25, n), "rooms": rng.integers(1, 7, n).astype(float),
            "age": rng.uniform(0, 90, n), "distance": rng.exponential(6, n)}
    cats = {k: rng.integers(0, c, n) for k, c in CATEGORICAL.items()}
    price = 2.1 * cols["area"] + 9 * cols["rooms"] - 0.4 * cols["age"] - 3 * cols["distance"]
    price = price + 12 * cats["district"] + 5 * (cats["heating"] == 1) + rng.normal(0, 5, n)
    return cols, cats, price


class Standardiser:
    def fit(self, a):
        self.mean, self.std = a.mean(0), a.std(0)
        return self

    def __call__(self, a):
        return ((a - self.mean) / self.std).astype(np.float32)


def arrays(n, seed):
    cols, cats, price = load(n, seed)
    num = np.stack([cols[c] for c in NUMERIC], 1)
    cat = np.stack([cats[c] for c in CATEGORICAL], 1)
    return Standardiser().fit(num)(num), cat, Standardiser().fit(price)(price)
