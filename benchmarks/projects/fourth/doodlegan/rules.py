"""What the two sides want."""
import torch.nn.functional as F


def critic_loss(score, real, fake):
    return F.softplus(-score(real)).mean() + F.softplus(score(fake)).mean()


def gen_loss(score, fake):
    return F.softplus(-score(fake)).mean()


def spread(fake):
    """How different the drawings of a batch are (for the log)."""
    return float(fake.detach().std(0).mean())
