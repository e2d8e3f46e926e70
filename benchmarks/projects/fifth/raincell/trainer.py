import torch
import torch.nn.functional as F


class NowcastTrainer:
    def __init__(self, model, bus, lr=2e-3):
        self.model = model
        self.bus = bus
        self.adversarial_weight = 0.0
        generator = [*model.nowcast.parameters(), *model.refine.parameters()]
        self.opt_g = torch.optim.Adam(generator, lr=lr, betas=(0.5, 0.9))
        self.opt_c = torch.optim.Adam(model.critic.parameters(), lr=lr, betas=(0.5, 0.9))
        self.sample = None
        self.epoch = 0

    def critic_step(self, past, future):
        with torch.no_grad():
            self.sample = self.model.refine(self.model.nowcast(past))
        real = self.model.critic(past, future)
        fake = self.model.critic(past, self.sample)
        loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        self.opt_c.zero_grad()
        loss.backward()
        self.opt_c.step()
        return loss.item()

    def generator_step(self, past, future):
        base = self.model.nowcast(past)
        heavy = 1 + future.clamp(max=4)
        loss = (heavy * (base - future).abs()).mean()
        if self.adversarial_weight > 0:
            fake = self.model.refine(base.detach())
            loss = loss - self.adversarial_weight * self.model.critic(past, fake).mean()
        self.opt_g.zero_grad()
        loss.backward()
        self.opt_g.step()
        return loss.item()

    def fit(self, archive, epochs):
        for self.epoch in range(epochs):
            self.bus.emit("epoch_begin", self)
            for past, future in archive:
                c = self.critic_step(past, future)
                g = self.generator_step(past, future)
            self.bus.emit("epoch_end", self, critic=c, generator=g, spread=self.sample.std().item())
