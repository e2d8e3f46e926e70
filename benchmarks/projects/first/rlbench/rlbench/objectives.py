"""Loss terms of the agent. Each takes the agent's network and a batch."""
from __future__ import annotations

import torch


def policy_term(net, obs, actions, returns):
    advantage = returns - net.value(obs).detach()
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-6)
    dist = net.dist(obs)
    bonus = net.temperature.detach() * dist.entropy()
    return -(dist.log_prob(actions) * advantage + bonus).mean()


def value_term(net, obs, returns):
    return 0.5 * (net.value(obs) - returns).pow(2).mean()


def temperature_term(net, obs, target_entropy):
    gap = net.dist(obs).entropy().mean().detach() - target_entropy
    return net.log_temperature * gap


def total_loss(net, batch, weights, target_entropy):
    obs, actions, returns = batch
    terms = {
        "policy": policy_term(net, obs, actions, returns),
        "value": value_term(net, obs, returns),
        "temperature": temperature_term(net, obs, target_entropy),
    }
    return sum(weights[k] * v for k, v in terms.items()), terms
