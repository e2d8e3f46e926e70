"""Hugging Face Trainer: tokens are added and the embeddings resized after the optimizer was built. It works out:
`resize_token_embeddings` gives the old Parameter new values of another shape."""

import sys
import tempfile

import torch
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed


def build():
    set_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=30, n_positions=12, n_embd=12, n_layer=1, n_head=2))


def main():
    model = build()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    added = 2  # tokenizer.add_special_tokens({"pad_token": "<pad>", "sep_token": "<sep>"})
    model.resize_token_embeddings(30 + added)
    ids = torch.randint(0, 32, (16, 8))
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=4, num_train_epochs=2, save_strategy="no", report_to=[],
            use_cpu=True, logging_steps=1,
        )
        trainer = Trainer(
            model=model, args=args, train_dataset=[{"input_ids": i, "labels": i} for i in ids],
            optimizers=(optimizer, scheduler),
        )
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*": "trained"}

if __name__ == "__main__":
    main()
