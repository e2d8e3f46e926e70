"""Fake interaction log of a small shop, as rows of (user, country, item)."""
import numpy as np

COUNTRIES = [49, 33, 44, 1, 81, 39]


def read_log(num_users, num_items, num_events, seed):
    rng = np.random.default_rng(seed)
    home = rng.choice(COUNTRIES, num_users)
    taste = rng.integers(0, num_items, size=(num_users, 4))
    users = rng.integers(0, num_users, num_events)
    items = taste[users, rng.integers(0, 4, num_events)]
    return [{"user": int(u), "country": int(home[u]), "item": int(i)} for u, i in zip(users, items)]
