"""Actor-critic reinforcement learning with a learnable temperature; typed package with a settings class."""
RUN = ["-m", "rlbench", "episodes=16"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "detach put in the net's value() instead of in the advantage": {
        "kind": "detach in helper",
        "edits": [("rlbench/policy.py", "return self.critic(obs).squeeze(-1)", "return self.critic(obs).squeeze(-1).detach()  # <-- culprit"),
                  ("rlbench/objectives.py", "advantage = returns - net.value(obs).detach()", "advantage = returns - net.value(obs)")],
        "expect": {"critic.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The detach belongs in the advantage only; here it cuts the critic from its own loss.",
    },
    "policy term rebuilt as a leaf with torch.tensor": {
        "kind": "torch.tensor(loss)",
        "edits": [("rlbench/objectives.py", "    return -(dist.log_prob(actions) * advantage + bonus).mean()",
                   "    per_step = dist.log_prob(actions) * advantage + bonus\n    return -torch.tensor(per_step.tolist(), requires_grad=True).mean()  # <-- culprit")],
        "expect": {"actor.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "torch.tensor makes a new leaf; per_step.mean() would keep the graph.",
    },
    "temperature left out of the parameter groups": {
        "kind": "parameter not given to optimizer",
        "edits": [("rlbench/agent.py", '            {"params": self.net.critic.parameters(), "lr": s.critic_lr},\n            {"params": [self.net.log_temperature], "lr": s.actor_lr},\n',
                   '            {"params": self.net.critic.parameters(), "lr": s.critic_lr},  # <-- culprit\n')],
        "expect": {"log_temperature": "excluded", "*": "trained"}, "codes": set(),
        "culprit_note": "A group for log_temperature is missing after this line.",
        "also": [("rlbench/agent.py", "return ["), ("rlbench/agent.py", "def _param_groups(self, s) -> list[dict]:"), ("rlbench/agent.py", '{"params": self.net.actor.parameters(), "lr": s.actor_lr},'), ("rlbench/agent.py", "self.optimizer = torch.optim.Adam(self._param_groups(settings))")],
    },
    "one group gives its learning rate under a wrong key; the optimizer's own default is 0": {
        "kind": "group without lr",
        "edits": [("rlbench/agent.py", '{"params": self.net.critic.parameters(), "lr": s.critic_lr},', '{"params": self.net.critic.parameters(), "learning_rate": s.critic_lr},  # <-- culprit'),
                  ("rlbench/agent.py", "torch.optim.Adam(self._param_groups(settings))", "torch.optim.Adam(self._param_groups(settings), lr=0.0)")],
        "expect": {"critic.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "The key must be lr; as it is the group falls back to lr=0.0.",
        "also": [("rlbench/agent.py", "self.optimizer = torch.optim.Adam(self._param_groups(settings), lr=0.0)")],
    },
}
