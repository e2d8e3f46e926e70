import torch


class GaussianDiffusion:
    def __init__(self, steps, beta_start, beta_end):
        self.steps = steps
        self.alpha_bar = torch.cumprod(1 - torch.linspace(beta_start, beta_end, steps), 0)

    def q_sample(self, x0, t, noise):
        a = self.alpha_bar[t][:, None]
        return a.sqrt() * x0 + (1 - a).sqrt() * noise

    def loss(self, model, x0, y):
        t = torch.randint(0, self.steps, (len(x0),))
        noise = torch.randn_like(x0)
        return (model(self.q_sample(x0, t, noise), t, y) - noise).square().mean()
