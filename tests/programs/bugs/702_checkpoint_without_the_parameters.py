"""A checkpoint function written by hand recomputes a block in backward. It differentiates what it is given as `params`; the
transformer gives it an empty tuple, the residual block its parameters. A moving average of the weights runs beside.
Origin: diffusion code bases; retold."""
import torch
from torch import nn


def checkpoint(func, inputs, params, flag):
    if flag:
        return Recompute.apply(func, len(inputs), *inputs, *params)
    return func(*inputs)


class Recompute(torch.autograd.Function):
    @staticmethod
    def forward(ctx, run_function, length, *args):
        ctx.run_function = run_function
        ctx.tensors, ctx.params = list(args[:length]), list(args[length:])
        with torch.no_grad():
            return ctx.run_function(*ctx.tensors)

    @staticmethod
    def backward(ctx, *grads):
        tensors = [x.detach().requires_grad_(True) for x in ctx.tensors]
        with torch.enable_grad():
            output = ctx.run_function(*[x.view_as(x) for x in tensors])
        found = torch.autograd.grad(output, tensors + ctx.params, grads, allow_unused=True)
        return (None, None) + found


class ResBlock(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.norm = nn.LayerNorm(d)
        self.fc = nn.Linear(d, d)

    def forward(self, x):
        return checkpoint(self._forward, (x,), tuple(self.parameters()), True)

    def _forward(self, x):
        return x + torch.tanh(self.fc(self.norm(x)))


class Attention(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.q = nn.Linear(d, d)
        self.k = nn.Linear(d, d)

    def forward(self, x):
        return checkpoint(self._forward, (x,), (), True)  # <-- culprit

    def _forward(self, x):
        return x + (self.q(x) @ self.k(x).transpose(1, 2)).softmax(-1) @ x


class Net(nn.Module):
    def __init__(self, d=6):
        super().__init__()
        self.inp = nn.Linear(3, d)
        self.res = ResBlock(d)
        self.attn = Attention(d)
        self.out = nn.Linear(d, 3)

    def forward(self, x):
        return self.out(self.attn(self.res(self.inp(x))))


class Ema:
    def __init__(self, model, decay=0.9):
        self.decay = decay
        self.shadow = {name: p.detach().clone() for name, p in model.named_parameters()}
        self.kept = {}

    @torch.no_grad()
    def update(self, model):
        for name, p in model.named_parameters():
            self.shadow[name].sub_((1 - self.decay) * (self.shadow[name] - p))

    def swap_in(self, model):
        self.kept = {name: p.detach().clone() for name, p in model.named_parameters()}
        for name, p in model.named_parameters():
            p.data.copy_(self.shadow[name])

    def swap_out(self, model):
        for name, p in model.named_parameters():
            p.data.copy_(self.kept[name])


def make():
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0), torch.randn(5, 4, 3)


def loss_fn(model, batch):
    noise = torch.ones_like(batch) * 0.5
    return (model(batch + noise) - noise).square().mean()


def train(steps=6):
    model, optimizer, batch = make()
    ema, losses = Ema(model), []
    for step in range(steps):
        loss = loss_fn(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        ema.update(model)
        if step % 2 == 0:
            ema.swap_in(model)
            with torch.no_grad():
                losses.append(loss_fn(model, batch).item())
            ema.swap_out(model)
    return model, losses


KIND = "forward"
EXPECT = {
    "inp.weight": "trained",
    "inp.bias": "trained",
    "res.norm.weight": "trained",
    "res.norm.bias": "trained",
    "res.fc.weight": "trained",
    "res.fc.bias": "trained",
    "attn.q.weight": "unreachable",
    "attn.q.bias": "unreachable",
    "attn.k.weight": "unreachable",
    "attn.k.bias": "unreachable",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "custom_function"

if __name__ == "__main__":
    train()
