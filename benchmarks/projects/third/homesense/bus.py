"""Tiny event bus; listeners register with a decorator."""
from collections import defaultdict


class Bus:
    def __init__(self):
        self._listeners = defaultdict(list)

    def on(self, event):
        def register(fn):
            self._listeners[event].append(fn)
            return fn
        return register

    def emit(self, event, **payload):
        for fn in self._listeners[event]:
            fn(**payload)

    def listeners(self, event):
        return tuple(self._listeners[event])
