import torch.nn.functional as F


def soft_loss(s_logits, t_logits, temp=3.0):
    s = F.log_softmax(s_logits / temp, dim=1)
    t = F.softmax(t_logits / temp, dim=1)
    return F.kl_div(s, t, reduction="batchmean") * temp ** 2


def total_loss(outputs, y, stage):
    s_logits, t_logits, s_hint, t_feat = outputs
    loss = (1 - stage.soft) * F.cross_entropy(s_logits, y) + stage.soft * soft_loss(s_logits, t_logits)
    if stage.hint:
        loss = loss + stage.hint * F.mse_loss(s_hint, t_feat)
    return loss
