import logging
import sys

import torch

from .agent import Agent
from .envs import LineWorld
from .settings import Settings


def main(args):
    logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s", stream=sys.stdout)
    s = Settings.from_args(args)
    torch.manual_seed(s.seed)
    agent = Agent(LineWorld(s.horizon, s.seed), s)
    scores = [agent.run_episode() for _ in range(s.episodes)]
    half = len(scores) // 2
    logging.getLogger("rlbench").info(
        "mean return first half %.2f second half %.2f",
        sum(scores[:half]) / half, sum(scores[half:]) / (len(scores) - half),
    )


if __name__ == "__main__":
    main(sys.argv[1:])
