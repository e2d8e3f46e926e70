"""Hugging Face Trainer: the classifier is replaced for another number of labels after the optimizer was built."""

import sys
import tempfile

import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed


def build():
    set_seed(0)
    config = BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, num_labels=2,
        max_position_embeddings=16,
    )
    return BertForSequenceClassification(config)


def main():
    model = build()
    optimizer = torch.optim.AdamW(
        [{"params": model.bert.parameters(), "lr": 1e-4}, {"params": model.classifier.parameters(), "lr": 1e-3}]
    )
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)
    model.classifier = nn.Linear(16, 5)  # <-- culprit
    model.num_labels = model.config.num_labels = 5
    rows = [{"input_ids": torch.randint(0, 30, (8,)), "labels": n % 5} for n in range(20)]
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=4, num_train_epochs=2, save_strategy="no", report_to=[],
            use_cpu=True, logging_steps=1,
        )
        trainer = Trainer(model=model, args=args, train_dataset=rows, optimizers=(optimizer, scheduler))
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*(old)*": "stale", "classifier.*": "excluded", "*": "trained"}
CODES = {"FXA204"}

if __name__ == "__main__":
    main()
