"""A policy's flat vector is moved by a rank-weighted sum of perturbations; the only tensor with gradients is the standard
deviation, which has an optimizer. Origin: PEPG / OpenAI-ES. NEEDS_LOOP"""
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters


class Search(nn.Module):
    def __init__(self):
        super().__init__()
        self.policy = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
        self.log_sigma = nn.Parameter(torch.tensor(-2.0))


def make():
    torch.manual_seed(0)
    search = Search()
    return search, torch.optim.Adam([search.log_sigma], lr=1e-2), (torch.randn(16, 3), torch.randn(16, 1))


@torch.no_grad()
def fitness(policy, vector, batch):
    vector_to_parameters(vector, policy.parameters())
    return -(policy(batch[0]) - batch[1]).square().mean()


def train(steps=5, n=6):
    search, optimizer, batch = make()
    losses = []
    for _ in range(steps):
        centre = parameters_to_vector(search.policy.parameters()).detach().clone()
        sigma = search.log_sigma.exp()
        noise = torch.randn(n, len(centre))
        scores = torch.stack([fitness(search.policy, centre + sigma.detach() * e, batch) for e in noise])
        advantage = (scores - scores.mean()) / (scores.std() + 1e-8)
        vector_to_parameters(centre + 0.1 * (advantage[:, None] * noise).mean(0), search.policy.parameters())
        logp = torch.distributions.Normal(0.0, sigma).log_prob(sigma.detach() * noise).sum(1)
        optimizer.zero_grad()
        (-(advantage * logp).mean()).backward()
        optimizer.step()
        losses.append(-scores.mean().item())
    return search, losses


KIND = "healthy"
EXPECT = {"log_sigma": "trained"}
INTENT = {"policy.*": "moved by evolution"}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
