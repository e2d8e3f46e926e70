"""accelerate: accumulation, clipping, a prepared schedule, workers, tqdm, a config from the command line."""

import argparse
import logging

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from tqdm.auto import tqdm
from transformers import get_linear_schedule_with_warmup

logger = logging.getLogger(__name__)


class Tagger(nn.Module):
    def __init__(self, vocabulary=30, width=16, tags=5):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, bidirectional=True, batch_first=True)
        self.out = nn.Linear(2 * width, tags)

    def forward(self, ids):
        return self.out(self.lstm(self.embedding(ids))[0])


def build():
    set_seed(11)
    return Tagger()


def parse_args():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gradient_accumulation_steps", type=int, default=2)
    parser.add_argument("--num_train_epochs", type=int, default=2)
    parser.add_argument("--learning_rate", type=float, default=5e-3)
    parser.add_argument("--num_warmup_steps", type=int, default=2)
    parser.add_argument("--output")
    return parser.parse_args()


def main():
    args = parse_args()
    logging.basicConfig(level=logging.INFO)
    accelerator = Accelerator(gradient_accumulation_steps=args.gradient_accumulation_steps, cpu=True)
    model = build()
    ids = torch.randint(0, 30, (48, 7))
    loader = DataLoader(TensorDataset(ids, ids % 5), batch_size=4, shuffle=True, num_workers=1)
    no_decay = ["bias"]
    groups = [
        {"params": [p for n, p in model.named_parameters() if not any(d in n for d in no_decay)], "weight_decay": 0.01},
        {"params": [p for n, p in model.named_parameters() if any(d in n for d in no_decay)], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=args.learning_rate)
    total = args.num_train_epochs * len(loader) // args.gradient_accumulation_steps
    scheduler = get_linear_schedule_with_warmup(optimizer, args.num_warmup_steps, total)
    model, optimizer, loader, scheduler = accelerator.prepare(model, optimizer, loader, scheduler)
    progress = tqdm(range(total), disable=not accelerator.is_local_main_process)
    losses = []
    for epoch in range(args.num_train_epochs):
        model.train()
        for x, y in loader:
            with accelerator.accumulate(model):
                loss = nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())
                accelerator.backward(loss)
                if accelerator.sync_gradients:
                    accelerator.clip_grad_norm_(model.parameters(), 1.0)
                    progress.update(1)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
            losses.append(accelerator.gather(loss.detach()).mean().item())
        logger.info("epoch %d: %.3f", epoch, losses[-1])
    accelerator.wait_for_everyone()
    torch.save({"model": accelerator.unwrap_model(model).state_dict(), "losses": losses}, args.output)


EXPECT = {"*": "trained"}

if __name__ == "__main__":
    main()
