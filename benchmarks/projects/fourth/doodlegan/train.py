from functools import partial

import torch

from loops import play
from nets import Duel

adam = partial(torch.optim.Adam, betas=(0.0, 0.99))


def main():
    torch.manual_seed(12)
    duel = Duel()
    opt_g = adam(duel.gen.parameters(), lr=4e-3)
    opt_d = adam(duel.critic.parameters(), lr=4e-3)
    for i, (epoch, d, s) in enumerate(play(duel, opt_g, opt_d, epochs=5)):
        if i % 4 == 3:
            print(f"epoch {epoch}: critic {d:.3f} spread {s:.3f}")


main()
