from torch.optim.lr_scheduler import LambdaLR


def build_schedule(optimizer, warmup, total):
    """Linear warm-up, then linear decay to a tenth."""

    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        left = (total - step) / max(total - warmup, 1)
        return max(0.1, left)

    return LambdaLR(optimizer, factor)
