"""Operators by name. A decorator puts them into the table."""
from functools import partial

TABLE = {}


def operator(name, **defaults):
    def add(cls):
        TABLE[name] = partial(cls, **defaults)
        return cls
    return add


def make(name, **kw):
    return TABLE[name](**kw)
