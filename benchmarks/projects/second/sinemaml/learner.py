"""Network whose weights can be replaced functionally, and its inner learning rates."""
import torch
from torch import nn
from torch.func import functional_call


class SineNet(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.readout = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.readout(self.body(x))


class InnerRates(nn.Module):
    """One log learning rate per parameter tensor."""

    def __init__(self, names, init, learn=False):
        super().__init__()
        start = torch.tensor(float(init)).log()
        self.table = nn.ParameterDict({
            n.replace(".", "_"): nn.Parameter(start.clone(), requires_grad=learn) for n in names
        })

    def rate(self, name):
        return self.table[name.replace(".", "_")].exp()


class MetaLearner(nn.Module):
    def __init__(self, opt):
        super().__init__()
        self.net = SineNet(opt.hidden)
        names = [n for n, _ in self.net.named_parameters()]
        self.rates = InnerRates(names, opt.inner_lr, learn=opt.learn_inner_lr)

    def initial(self):
        return dict(self.net.named_parameters())

    def predict(self, x, weights):
        return functional_call(self.net, weights, (x,))
