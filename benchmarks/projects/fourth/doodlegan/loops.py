from functools import partial

import torch

from data import epoch as one_epoch
from rules import critic_loss, gen_loss, spread


def play(duel, opt_g, opt_d, epochs, batches=4, size=8, g_every=5, seed=31):
    """Yields the losses of every iteration. The generator sums up the gradients of g_every iterations."""
    g = torch.Generator().manual_seed(seed)
    it = 0
    for epoch in range(epochs):
        for real, labels in one_epoch(batches, size, 3, g):
            score = partial(duel.critic, labels=labels)
            z = torch.randn(size, duel.gen.noise, generator=g)
            fake = duel.gen(z, labels)

            opt_d.zero_grad()
            d = critic_loss(score, real, fake.detach())
            d.backward()
            opt_d.step()

            (gen_loss(score, fake) / g_every).backward()
            it += 1
            if it % g_every == 0:
                opt_g.step()
                opt_g.zero_grad()
            yield epoch, d.item(), spread(fake)
