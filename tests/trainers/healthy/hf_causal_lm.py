"""Hugging Face Trainer: a small GPT-2 with warm-up, accumulation, gradient checkpointing and evaluation."""

import sys
import tempfile

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed


class Blocks(torch.utils.data.Dataset):
    def __init__(self, tokens, size):
        self.blocks = tokens.view(-1, size)

    def __len__(self):
        return len(self.blocks)

    def __getitem__(self, index):
        return {"input_ids": self.blocks[index], "labels": self.blocks[index]}


def build():
    set_seed(0)
    config = GPT2Config(vocab_size=50, n_positions=16, n_embd=16, n_layer=2, n_head=2)
    return GPT2LMHeadModel(config)


def main():
    model = build()
    data = Blocks(torch.randint(0, 50, (24 * 12,)), 12)
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=4,
            gradient_accumulation_steps=2,
            gradient_checkpointing=True,
            gradient_checkpointing_kwargs={"use_reentrant": False},
            num_train_epochs=2,
            learning_rate=1e-3,
            warmup_steps=2,
            logging_steps=2,
            eval_strategy="epoch",
            save_strategy="no",
            report_to=[],
            use_cpu=True,
        )
        trainer = Trainer(model=model, args=args, train_dataset=data, eval_dataset=Blocks(torch.arange(48), 12))
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*": "trained"}

if __name__ == "__main__":
    main()
