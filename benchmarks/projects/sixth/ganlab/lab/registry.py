class Registry(dict):
    def register(self, name):
        def deco(obj):
            self[name] = obj
            return obj
        return deco

    def build(self, name, *args, **kwargs):
        return self[name](*args, **kwargs)


GENERATORS, DISCRIMINATORS, OPTIMIZERS = Registry(), Registry(), Registry()
