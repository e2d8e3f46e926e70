import torch

from client import Client
from cohorts import FEATURES
from nets import RiskNet
from plan import FederationPlan
from server import Server


def simulate(plan):
    net = RiskNet(FEATURES, 10, plan.own_heads)
    server = Server(net, [Client(site, plan) for site in plan.sites], plan)
    for number in range(plan.rounds):
        losses = server.round(number)
        print(f"round {number}: " + "  ".join(f"{l:.3f}" for l in losses))
    return net


if __name__ == "__main__":
    torch.manual_seed(6)
    simulate(FederationPlan())
