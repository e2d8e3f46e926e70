import torch

from agent import PPO
from envs import LineCart
from networks import ActorCritic
from settings import parse


def main():
    cfg = parse()
    torch.manual_seed(cfg.seed)
    env = LineCart(cfg.num_envs, cfg.seed)
    net = ActorCritic(env.obs_dim, env.num_actions, cfg.hidden)
    PPO(net, env, cfg).learn()


if __name__ == "__main__":
    main()
