"""Score plugins: each changes the matrix of user/item scores in turn."""
from . import popularity, temperature

AVAILABLE = {
    "popularity": popularity.PopularityPrior,
    "temperature": temperature.Temperature,
}


def load(names, conf):
    return [AVAILABLE[n](conf) for n in names]
