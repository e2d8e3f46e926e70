"""Fixed-step Heun solver with constant memory: backward solves each step anew."""
import torch


def heun(field, t, dt, y):
    k1 = field(t, y)
    k2 = field(t + dt, y + dt * k1)
    return y + dt * (k1 + k2) / 2


class OdeSolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx, field, times, y0, *params):
        states = [y0]
        with torch.no_grad():
            for t, t_next in zip(times[:-1], times[1:]):
                states.append(heun(field, t, t_next - t, states[-1]))
        path = torch.stack(states)
        ctx.field, ctx.params = field, params
        ctx.save_for_backward(times, path)
        return path

    @staticmethod
    def backward(ctx, grad_path):
        times, path = ctx.saved_tensors
        adjoint = grad_path[-1]
        totals = [None] * len(ctx.params)
        for i in range(len(times) - 2, -1, -1):
            with torch.enable_grad():
                y = path[i].detach().requires_grad_()
                y_next = heun(ctx.field, times[i], times[i + 1] - times[i], y)
                grads = torch.autograd.grad(y_next, (y, *ctx.params), adjoint, allow_unused=True)
            adjoint = grads[0] + grad_path[i]
            totals = [g if total is None else total + g for total, g in zip(totals, grads[1:])]
        return None, None, adjoint, *totals


def odesolve(field, times, y0):
    return OdeSolve.apply(field, times, y0, *field.parameters())
