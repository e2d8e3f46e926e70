import torch
from torch.nn import functional as F

from factories import ModelFactory, OptimizerFactory
from repository import PurchaseRepository


class TrainingService:
    def __init__(
        self, repo: PurchaseRepository, models: ModelFactory, optimizers: OptimizerFactory
    ) -> None:
        self._repo = repo
        self._model = models.create()
        self._optimizer = optimizers.create(self._model)

    def execute(self) -> list[float]:
        losses = []
        for purchases in self._repo.stream():
            scores = self._model(purchases.users, purchases.items)
            target = torch.arange(scores.shape[0])
            loss = (F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)) / 2
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
            losses.append(loss.item())
        return losses
