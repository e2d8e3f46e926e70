from collections import defaultdict


class EventBus:
    """Publish and subscribe: handlers get the trainer and whatever is emitted along."""

    def __init__(self):
        self._handlers = defaultdict(list)

    def on(self, event, handler):
        self._handlers[event].append(handler)
        return handler

    def emit(self, event, trainer, **info):
        for handler in self._handlers[event]:
            handler(trainer, **info)
