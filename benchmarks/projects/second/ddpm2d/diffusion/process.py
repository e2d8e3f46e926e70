import torch


class GaussianProcess:
    def __init__(self, steps, self_cond_prob=0.0):
        self.steps = steps
        self.self_cond_prob = self_cond_prob
        betas = torch.linspace(1e-3, 0.2, steps)
        self.alpha_bar = torch.cumprod(1 - betas, 0)

    def q_sample(self, x0, t, noise):
        a = self.alpha_bar[t][:, None]
        return a.sqrt() * x0 + (1 - a).sqrt() * noise

    def training_loss(self, model, x0, y):
        t = torch.randint(0, self.steps, (len(x0),))
        noise = torch.randn_like(x0)
        xt = self.q_sample(x0, t, noise)
        prev = None
        if torch.rand(()) < self.self_cond_prob:
            with torch.no_grad():
                prev = model(xt, t, y)
        return (model(xt, t, y, prev) - noise).pow(2).mean()
