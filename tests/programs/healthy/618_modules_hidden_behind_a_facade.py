"""A facade class that is no Module keeps networks, optimizers and schedulers in its own dictionaries and hands attributes on
with `__getattr__`; steps are made by generators. Origin: research frameworks with agent objects. NEEDS_LOOP"""
import torch
from torch import nn
import torch.nn.functional as F


class Store(dict):
    __getattr__ = dict.__getitem__


class Agent:
    def __init__(self, **networks):
        self.__dict__["nets"] = Store(networks)
        self.__dict__["opts"] = Store({n: torch.optim.RMSprop(net.parameters(), lr=1e-2) for n, net in networks.items()})

    def __getattr__(self, name):
        return self.__dict__["nets"][name]

    def minimise(self, name):
        self.opts[name].zero_grad(set_to_none=False)
        loss = yield
        loss.backward()
        self.opts[name].step()
        yield loss.item()


def make():
    torch.manual_seed(0)
    agent = Agent(
        encoder=nn.Linear(4, 6),
        world=nn.GRUCell(6, 6),
        reward=nn.Sequential(nn.Linear(6, 8), nn.ELU(), nn.Linear(8, 1)),
    )
    return nn.ModuleDict(agent.nets), agent, (torch.randn(5, 8, 4), torch.randn(5, 8, 1))


def train(steps=4):
    model, agent, (observations, rewards) = make()
    losses = []
    for _ in range(steps):
        loops = [agent.minimise(name) for name in agent.nets]
        for loop in loops:
            next(loop)
        h, total = torch.zeros(8, 6), 0.0
        for o, r in zip(observations, rewards):
            h = agent.world(torch.tanh(agent.encoder(o)), h)
            total = total + F.mse_loss(agent.reward(h), r)
        first, *others = loops
        losses.append(first.send(total))
        for name in list(agent.nets)[1:]:
            agent.opts[name].step()
    return model, losses


KIND = "healthy"
EXPECT = {
    **{f"encoder.{k}": "trained" for k in ("weight", "bias")},
    **{f"world.{k}": "trained" for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")},
    **{f"reward.{i}.{k}": "trained" for i in (0, 2) for k in ("weight", "bias")},
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
