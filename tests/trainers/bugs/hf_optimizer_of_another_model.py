"""Hugging Face Trainer: `optimizers=` were built for a first model; the one that is trained was made anew after."""

import sys
import tempfile

import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainingArguments,
    get_cosine_schedule_with_warmup,
    set_seed,
)


def build():
    set_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=30, n_positions=12, n_embd=12, n_layer=1, n_head=2))


def main():
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = get_cosine_schedule_with_warmup(optimizer, 0, 100)
    model = build()  # <-- culprit
    ids = torch.randint(0, 30, (16, 8))
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=4, num_train_epochs=2, save_strategy="no", report_to=[],
            use_cpu=True, logging_steps=1,
        )
        trainer = Trainer(
            model=model, args=args, train_dataset=[{"input_ids": i, "labels": i} for i in ids],
            optimizers=(optimizer, schedule),
        )
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*(old)*": "stale", "*": "excluded"}
CODES = {"FXA204", "FXA303", "FXA301"}

if __name__ == "__main__":
    main()
