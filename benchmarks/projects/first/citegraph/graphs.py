import numpy as np
import torch


def planted_partition(n=40, k=3, p_in=0.35, p_out=0.05, d=7, seed=0):
    rs = np.random.RandomState(seed)
    y = rs.randint(0, k, n)
    prob = np.where(y[:, None] == y[None, :], p_in, p_out)
    A = (rs.rand(n, n) < prob).astype(np.float32)
    A = np.maximum(A, A.T)
    np.fill_diagonal(A, 0)
    X = rs.randn(n, d).astype(np.float32) + 0.7 * np.eye(k, d, dtype=np.float32)[y]
    return torch.from_numpy(X), torch.from_numpy(A), torch.from_numpy(y).long()


def normalize(A):
    A = A + torch.eye(A.size(0))
    dinv = A.sum(1).pow(-0.5)
    return dinv[:, None] * A * dinv[None, :]


def propagate(A_hat, H, hops=1):
    """A_hat^hops H"""
    for _ in range(hops):
        H = A_hat @ H
    return H


def edge_list(A):
    return A.nonzero().t()
