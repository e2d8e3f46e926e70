import torch
from torch import nn

import policy
from repository import PurchaseRepository
from towers import Tower, TwoTower


class CompositeOptimizer:
    """Several optimizers behind the interface of one."""

    def __init__(self, *members: torch.optim.Optimizer) -> None:
        self.members = members

    def zero_grad(self) -> None:
        for member in self.members:
            member.zero_grad()

    def step(self) -> int:
        done = 0
        for member in self.members:
            member.step()
            done += 1
        return done


class ModelFactory:
    def __init__(self, repo: PurchaseRepository) -> None:
        self.repo = repo

    def _user_table(self) -> nn.Embedding:
        start = torch.randn(self.repo.n_users, policy.USER_DIM) * 0.1
        return nn.Embedding.from_pretrained(start, freeze=False)

    def create(self) -> TwoTower:
        users = Tower({"id": self._user_table()}, policy.OUT_DIM)
        items = Tower(
            {
                "id": nn.Embedding(self.repo.n_items, policy.ITEM_DIM),
                "category": nn.Embedding(
                    len(policy.CATEGORIES) + 1, policy.CATEGORY_DIM, padding_idx=policy.UNKNOWN_CATEGORY
                ),
            },
            policy.OUT_DIM,
        )
        return TwoTower(users, items)


class OptimizerFactory:
    def create(self, model: TwoTower) -> CompositeOptimizer:
        tables = [p for n, p in model.named_parameters() if ".tables." in n]
        dense = [p for n, p in model.named_parameters() if ".tables." not in n]
        return CompositeOptimizer(
            torch.optim.Adam(dense, lr=policy.DENSE_LR),
            torch.optim.Adagrad(tables, lr=policy.TABLE_LR),
        )
