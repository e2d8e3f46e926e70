import torch

import options
from arena import errors, gate, seat
from network import ChessNet
from replay import Replay


def fit(net, optimizer, replay, args):
    total = 0.0
    for _ in range(args.updates):
        loss = errors(net, replay.sample(args.batch)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / args.updates


def main():
    args = options.parse()
    torch.manual_seed(args.seed)
    net = ChessNet(args.dim)
    if args.freeze_trunk:
        net.trunk.requires_grad_(False)
    players = seat(net)
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=args.lr)
    replay = Replay(capacity=96, seed=args.seed)
    for generation in range(args.generations):
        replay.play(32)
        loss = fit(players["candidate"], optimizer, replay, args)
        rate, promoted = gate(players, replay.sample(32))
        print(f"gen {generation}: loss {loss:.3f}, won {rate:.0%}", "-> new champion" if promoted else "")


if __name__ == "__main__":
    main()
