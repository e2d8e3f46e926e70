import argparse

import torch

from config import load_config
from data import BatchSampler, make_stream
from model import WordLM
from optim import build_optimizer, build_scheduler


class Trainer:
    def __init__(self, cfg):
        self.cfg = cfg
        torch.manual_seed(cfg.seed)
        self.model = WordLM(cfg.model)
        self.optimizer = build_optimizer(self.model, cfg.optim)
        self.scheduler = build_scheduler(self.optimizer, cfg.optim)
        stream = make_stream(cfg.data.n_tokens, cfg.model.vocab_size, cfg.seed)
        self.sampler = BatchSampler(stream, cfg.model.block_size, cfg.data.batch_size, cfg.seed)

    def train_step(self):
        x, y = self.sampler.next()
        _, loss = self.model(x, y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.scheduler.step()
        return loss.item()

    def fit(self):
        self.model.train()
        for step in range(self.cfg.optim.total_steps):
            loss = self.train_step()
            if step % 4 == 0:
                lr = self.scheduler.get_last_lr()[0]
                print(f"{self.cfg.run_name} step {step:3d} loss {loss:.4f} lr {lr:.2e}")


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--config", required=True)
    Trainer(load_config(ap.parse_args().config)).fit()
