import torch
from torch.autograd import Function


class NearestCode(Function):
    """Replace each vector by its nearest code.

    The gradient is handed straight through to the input, and summed up per
    code for the codebook.
    """

    @staticmethod
    def forward(ctx, z, codebook):
        dist = torch.cdist(z, codebook)
        idx = dist.argmin(dim=1)
        ctx.save_for_backward(idx, codebook)
        ctx.mark_non_differentiable(idx)
        return codebook[idx], idx

    @staticmethod
    def backward(ctx, grad_out, _grad_idx):
        idx, codebook = ctx.saved_tensors
        grad_codes = None
        if ctx.needs_input_grad[1]:
            grad_codes = torch.zeros_like(codebook).index_add(0, idx, grad_out)
        return grad_out, grad_codes


nearest_code = NearestCode.apply


def perplexity(idx, n):
    p = torch.bincount(idx, minlength=n).float()
    p = p / p.sum()
    return torch.exp(-(p * (p + 1e-9).log()).sum())
