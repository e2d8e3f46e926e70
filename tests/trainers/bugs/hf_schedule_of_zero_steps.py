"""Hugging Face schedule: the total is computed before the arguments are complete, and is zero: the rate is zero from
the first step on."""

import sys
import tempfile

import torch
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainingArguments,
    get_linear_schedule_with_warmup,
    set_seed,
)


def build():
    set_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=30, n_positions=12, n_embd=12, n_layer=1, n_head=2))


def main():
    model = build()
    ids = torch.randint(0, 30, (16, 8))
    batch, accumulation, epochs = 4, 8, 2
    total = len(ids) // batch // accumulation * epochs
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warmup_steps=0, num_training_steps=total)  # <-- culprit
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=batch, num_train_epochs=epochs,
            gradient_accumulation_steps=2, save_strategy="no", report_to=[], use_cpu=True, logging_steps=1,
        )
        trainer = Trainer(
            model=model, args=args, train_dataset=[{"input_ids": i, "labels": i} for i in ids],
            optimizers=(optimizer, schedule),
        )
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*": "blocked"}
CODES = {"FXA304"}

if __name__ == "__main__":
    main()
