"""Hugging Face Trainer: a frozen encoder under heads that live in a plain list; the optimizer has nothing to hold but
what is frozen."""

import sys
import tempfile

import torch
from torch import nn
from transformers import BertConfig, BertModel, Trainer, TrainingArguments, set_seed


class Probes(nn.Module):
    def __init__(self, config, classes=(2, 3)):
        super().__init__()
        self.bert = BertModel(config, add_pooling_layer=False)
        self.heads = [nn.Linear(config.hidden_size, n) for n in classes]  # <-- culprit
        self.bert.requires_grad_(False)

    def forward(self, input_ids, labels=None):
        hidden = self.bert(input_ids).last_hidden_state[:, 0]
        logits = [head(hidden) for head in self.heads]
        loss = sum(nn.functional.cross_entropy(part, labels[:, n]) for n, part in enumerate(logits))
        return {"loss": loss, "logits": logits[0]}


def build():
    set_seed(0)
    return Probes(
        BertConfig(
            vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
            max_position_embeddings=16,
        )
    )


def main():
    model = build()
    rows = [{"input_ids": torch.randint(1, 30, (8,)), "labels": torch.tensor([n % 2, n % 3])} for n in range(16)]
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=4, num_train_epochs=2, learning_rate=1e-2,
            save_strategy="no", report_to=[], use_cpu=True, logging_steps=1,
        )
        trainer = Trainer(model=model, args=args, train_dataset=rows)
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"bert.*": "frozen", "heads*": "unregistered"}
CODES = {"FXA205"}

if __name__ == "__main__":
    main()
