import argparse

import torch

from agent import Agent
from env import Aisle


def yes_no(text):
    if text.lower() in ("1", "y", "yes", "true"):
        return True
    if text.lower() in ("0", "n", "no", "false"):
        return False
    raise argparse.ArgumentTypeError(text)


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--episodes", type=int, default=6)
    p.add_argument("--lr", type=float, default=5e-3)
    p.add_argument("--freeze-encoder", type=yes_no, default=False)
    p.add_argument("--world-every", type=int, default=3)
    return p.parse_args()


def main():
    args = get_args()
    torch.manual_seed(17)
    env = Aisle(seed=5)
    agent = Agent(env.obs_size, 3, args.lr, world_every=args.world_every, freeze_encoder=args.freeze_encoder)
    for ep in range(args.episodes):
        obs, done, total, last = env.reset(), False, 0.0, None
        while not done:
            action = agent.act(obs, eps=max(0.2, 1 - 0.2 * ep))
            nxt, reward, done = env.step(action)
            agent.memory.push(obs, action, reward, nxt, done)
            last = agent.learn() or last
            obs = nxt
            total += reward
        print("episode", ep, "reward %.2f" % total, "losses", last)


if __name__ == "__main__":
    main()
