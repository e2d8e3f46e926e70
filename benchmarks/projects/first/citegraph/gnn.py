import torch
import torch.nn as nn
import torch.nn.functional as F

from graphs import propagate


class GraphConv(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.W = nn.Parameter(torch.randn(d_in, d_out) * d_in ** -0.5)
        self.b = nn.Parameter(torch.zeros(d_out))

    def forward(self, A_hat, H):
        return propagate(A_hat, H @ self.W) + self.b


class EdgeAttention(nn.Module):
    """attention restricted to the edges (one head)"""

    def __init__(self, d):
        super().__init__()
        self.src = nn.Linear(d, 1, bias=False)
        self.dst = nn.Linear(d, 1, bias=False)
        self.val = nn.Linear(d, d)

    def forward(self, A, H):
        e = F.leaky_relu(self.src(H) + self.dst(H).t(), 0.2)
        e = e.masked_fill(A + torch.eye(A.size(0)) == 0, -1e9)
        return e.softmax(1) @ self.val(H)


class CiteNet(nn.Module):
    def __init__(self, d_in, hid, n_cls):
        super().__init__()
        self.conv1 = GraphConv(d_in, hid)
        self.att = EdgeAttention(hid)
        self.skip = nn.Linear(d_in, hid)
        self.conv2 = GraphConv(hid, n_cls)

    def forward(self, X, A, A_hat):
        h = F.elu(self.conv1(A_hat, X))
        h = h + self.att(A, h)
        h = h + self.skip(X)
        return self.conv2(A_hat, F.elu(h))
