class Vocab:
    """Index 0 is for padding and unknown values."""

    def __init__(self):
        self.index = {}

    def fit(self, values):
        for v in sorted(set(values)):
            self.index[v] = len(self.index) + 1
        return self

    def __len__(self):
        return len(self.index) + 1

    def __call__(self, value):
        return self.index.get(value, 0)
