"""Composition root."""
import logging

import torch

from factories import ModelFactory, OptimizerFactory
from repository import InMemoryPurchases
from services import TrainingService

logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
log = logging.getLogger("shopmatch")


def main() -> None:
    torch.manual_seed(0)
    repo = InMemoryPurchases()
    service = TrainingService(repo, ModelFactory(repo), OptimizerFactory())
    losses = service.execute()
    log.info("first %.3f last %.3f", losses[0], losses[-1])


if __name__ == "__main__":
    main()
