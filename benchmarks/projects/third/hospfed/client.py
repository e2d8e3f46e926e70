import torch
from torch.nn import functional as F

from cohorts import batches


class Client:
    def __init__(self, site, plan):
        self.site = site
        self.plan = plan
        self.stream = batches(site)

    @property
    def key(self):
        return self.site.name

    def _optimizer(self, net):
        params = [*net.encoder.parameters(), *net.head_for(self.key).parameters()]
        return torch.optim.SGD(params, lr=self.plan.local.lr, momentum=self.plan.local.momentum)

    def train(self, net):
        opt = self._optimizer(net)
        for _ in range(self.plan.local.steps):
            x, y = next(self.stream)
            loss = F.binary_cross_entropy_with_logits(net(x, self.key), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
        return loss.item()

    def report(self, net):
        """The tensors that leave the hospital."""
        return {k: v.clone() for k, v in net.state_dict().items() if k.startswith(self.plan.shared)}
