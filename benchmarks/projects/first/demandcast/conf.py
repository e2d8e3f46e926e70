"""Configuration per market; `get` fills in what a market leaves out."""

COMMON = {
    "lr": 4e-3,
    "history": 10,
    "horizon": 3,
    "quantiles": [0.1, 0.5, 0.9],
    "batch_size": 10,
    "accumulate": 2,
    "epochs": 3,
    "seed": 0,
}

MARKETS = {
    "north": {"days": 90},
    "south": {"days": 110, "batch_size": 12},
}


def get(market):
    conf = dict(COMMON)
    conf.update(MARKETS[market])
    return conf
