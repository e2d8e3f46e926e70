import torch
import torch.nn.functional as F


def logistic_d(real_logits, fake_logits):
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def logistic_g(fake_logits):
    return F.softplus(-fake_logits).mean()


def look_at_fake(net, fake, for_d):
    """Logits and features of generated samples as the discriminator sees them."""
    if for_d:
        fake = fake.detach()
    feats = net.features(fake)
    return net.score(feats).squeeze(1), feats


def feature_matching(net, real, fake_feats):
    with torch.no_grad():
        target = net.features(real).mean(0)
    return F.mse_loss(fake_feats.mean(0), target)
