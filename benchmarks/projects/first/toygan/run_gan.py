from settings import *
seed_all()
from nets import netG, netD
from losses import *
from opts import *

centers = torch.randn(4, DATA_DIM).tanh()


def real_batch():
    k = torch.randint(0, 4, (BATCH,))
    return (centers[k] + 0.05 * torch.randn(BATCH, DATA_DIM)).clamp(-1, 1)


optG, optD = make_opts(netG, netD)

for it in range(ITERS):
    real = real_batch()
    z = torch.randn(BATCH, NZ)
    fake = netG(z)

    # --- D
    optD.zero_grad()
    fake_logits, _ = look_at_fake(netD, fake, True)
    lossD = logistic_d(netD(real), fake_logits)
    lossD.backward()
    clip(netD)
    optD.step()
    HISTORY["d"].append(lossD.item())

    # --- G
    optG.zero_grad()
    fake_logits, feats = look_at_fake(netD, fake, False)
    lossG = logistic_g(fake_logits) + FM_WEIGHT * feature_matching(netD, real, feats)
    lossG.backward()
    clip(netG)
    if time_for_g(it):
        optG.step()
    HISTORY["g"].append(lossG.item())

    if it % 4 == 0:
        report(it)
