"""The values of a rollout that are handed back in the update, in the place of new ones, are blamed on that `return`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

PROGRAM = """
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor, self.critic = nn.Linear(4, 2), nn.Linear(4, 1)

    @torch.no_grad()
    def act(self, obs):
        drawn = Categorical(logits=self.actor(obs))
        action = drawn.sample()
        value = self.critic(obs).squeeze(-1)
        return action, drawn.log_prob(action), value

    def evaluate(self, batch):
        drawn = Categorical(logits=self.actor(batch["obs"]))
        RETURN


def rollout():
    obs = torch.randn(16, 4)
    actions, old, values = net.act(obs)
    return {"obs": obs, "actions": actions, "old": old, "values": values, "returns": torch.rand(16) + 0.9 * values}


net = ActorCritic()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
for update in range(3):
    stored = rollout()
    for part in torch.randperm(16).split(8):
        batch = {name: column[part] for name, column in stored.items()}
        new, values, entropy = net.evaluate(batch)
        ratio = (new - batch["old"]).exp()
        loss = (values - batch["returns"]).square().mean() - (ratio * (batch["returns"] - batch["values"])).mean()
        loss = loss - 0.01 * entropy.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
STORED = 'return drawn.log_prob(batch["actions"]), batch["values"], drawn.entropy()  # blamed'
ANEW = 'return drawn.log_prob(batch["actions"]), self.critic(batch["obs"]).squeeze(-1), drawn.entropy()'
OTHER = 'return drawn.log_prob(batch["actions"]), batch["returns"], drawn.entropy()  # blamed'


def test_the_return_of_what_was_stored_is_blamed(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, PROGRAM.replace("RETURN", STORED)).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")
    assert finding.parameters == ("critic.weight", "critic.bias") and finding.fix.startswith("Compute it anew here")
    assert not codes(judged(tmp_path, PROGRAM.replace("RETURN", ANEW)))


@pytest.mark.parametrize("returned", [OTHER, STORED.replace("values", "obs")])
def test_what_is_not_what_was_made_there_may_be_handed_back(tmp_path: Path, returned: str) -> None:
    report = judged(tmp_path, PROGRAM.replace("RETURN", returned).replace("values - batch", "values.sum() - batch"))
    assert report.findings and all(not line_of(finding).endswith("# blamed") for finding in report.findings)
