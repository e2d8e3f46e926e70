"""TRPO: conjugate gradients on Fisher-vector products, a line search that writes the policy's flat vector; only the value
function has an optimizer. Origin: Schulman et al. 2015. NEEDS_LOOP"""
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.policy = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 4))
        self.value = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))


def make():
    torch.manual_seed(0)
    agent = Agent()
    return agent, torch.optim.Adam(agent.value.parameters(), lr=1e-2), torch.randn(32, 3)


def loss_fn(agent, states):
    return agent.value(states).square().mean()


def flat(grads):
    return torch.cat([g.reshape(-1) for g in grads])


def conjugate_gradient(product, b, rounds=6):
    x, r = torch.zeros_like(b), b.clone()
    p, rr = r.clone(), r @ r
    for _ in range(rounds):
        ap = product(p)
        alpha = rr / (p @ ap + 1e-8)
        x, r = x + alpha * p, r - alpha * ap
        new = r @ r
        p, rr = r + new / (rr + 1e-10) * p, new
    return x


def improve(policy, states, actions, advantages, old):
    parameters = list(policy.parameters())

    def surrogate():
        logp = torch.distributions.Categorical(logits=policy(states)).log_prob(actions)
        return ((logp - old).exp() * advantages).mean()

    def kl():
        p = torch.distributions.Categorical(logits=policy(states))
        q = torch.distributions.Categorical(logits=policy(states).detach())
        return torch.distributions.kl_divergence(q, p).mean()

    g = flat(torch.autograd.grad(surrogate(), parameters))

    def product(v):
        first = flat(torch.autograd.grad(kl(), parameters, create_graph=True))
        return flat(torch.autograd.grad(first @ v, parameters)) + 0.1 * v

    direction = conjugate_gradient(product, g)
    size = torch.sqrt(2 * 0.01 / (direction @ product(direction) + 1e-8))
    start, before = parameters_to_vector(parameters).detach(), surrogate().item()
    for fraction in (1.0, 0.5, 0.25, 0.125):
        vector_to_parameters(start + fraction * size * direction, parameters)
        with torch.no_grad():
            if surrogate().item() > before and kl().item() < 0.02:
                return
    vector_to_parameters(start, parameters)


def train(rounds=4):
    agent, optimizer, states = make()
    losses = []
    for _ in range(rounds):
        with torch.no_grad():
            dist = torch.distributions.Categorical(logits=agent.policy(states))
            actions = dist.sample()
            old = dist.log_prob(actions)
        returns = (actions == (states[:, 0] > 0).long()).float()
        advantages = returns - agent.value(states).squeeze(1).detach()
        improve(agent.policy, states, actions, advantages, old)
        loss = (agent.value(states).squeeze(1) - returns).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return agent, losses


KIND = "healthy"
EXPECT = {f"{m}.{n}": "trained" for m in ("policy", "value") for n in ("0.weight", "0.bias", "2.weight", "2.bias")}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
