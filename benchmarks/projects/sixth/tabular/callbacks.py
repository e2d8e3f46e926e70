class Callback:
    def on_fit_start(self, learner):
        pass

    def on_epoch_start(self, learner, epoch):
        pass

    def on_epoch_end(self, learner, epoch, value):
        pass


class GradualUnfreeze(Callback):
    """Only the head trains at first; the backbone joins at epoch `at`."""

    def __init__(self, at):
        self.at = at

    def on_fit_start(self, learner):
        learner.model.backbone.requires_grad_(False)

    def on_epoch_start(self, learner, epoch):
        if epoch == self.at:
            learner.model.backbone.requires_grad_(True)
            print("backbone released")


class History(Callback):
    def on_epoch_end(self, learner, epoch, value):
        print(f"epoch {epoch} mse {value:.4f}")
