"""Forward hooks that collect the outputs of named parts of a model."""


class Collector:
    def __init__(self, model, wanted):
        self.store = {}
        self.handles = []
        for name, module in model.named_modules():
            if name in wanted:
                self.handles.append(module.register_forward_hook(self._keep(name)))

    def _keep(self, name):
        def hook(module, inputs, output):
            self.store[name] = output
        return hook

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        for handle in self.handles:
            handle.remove()

    def take(self, name):
        return self.store.pop(name, None)
