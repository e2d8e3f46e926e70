class Engine:
    def __init__(self, model, criterion, optimizer, hooks):
        self.model, self.criterion, self.optimizer = model, criterion, optimizer
        self.hooks = sorted(hooks, key=lambda h: h.priority)
        self.iteration = 0

    def call(self, event):
        for hook in self.hooks:
            getattr(hook, event)(self)

    def run_iteration(self, images, masks):
        self.iteration += 1
        self.call("before_step")
        loss, self.parts = self.criterion(self.model(images), masks)
        loss.backward()
        self.call("after_backward")
        self.call("after_step")

    def run(self, images, masks, epochs, batch):
        for _ in range(epochs):
            for start in range(0, len(images), batch):
                self.run_iteration(images[start:start + batch], masks[start:start + batch])
