"""Hugging Face Trainer: a BERT encoder with a head of one's own on the mean of the tokens. The pooler that BertModel
brings along is held by the optimizer and never in the loss: true, and nothing to be alarmed about."""

import sys
import tempfile

import torch
from torch import nn
from transformers import BertConfig, BertModel, Trainer, TrainingArguments, set_seed


class MeanClassifier(nn.Module):
    def __init__(self, config, labels):
        super().__init__()
        self.bert = BertModel(config)
        self.classifier = nn.Linear(config.hidden_size, labels)

    def forward(self, input_ids, attention_mask=None, labels=None):
        hidden = self.bert(input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        logits = self.classifier((hidden * mask).sum(1) / mask.sum(1))
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return {"loss": loss, "logits": logits}


def build():
    set_seed(0)
    config = BertConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=16,
    )
    return MeanClassifier(config, labels=3)


def accuracy(prediction):
    return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}


def main():
    model = build()
    ids = torch.randint(0, 40, (24, 10))
    rows = [
        {"input_ids": row, "attention_mask": (torch.arange(10) < 6 + n % 5).long(), "labels": int(row[0]) % 3}
        for n, row in enumerate(ids)
    ]
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=6, num_train_epochs=2, learning_rate=2e-3, weight_decay=0.01,
            logging_steps=1, eval_strategy="epoch", save_strategy="no", report_to=[], use_cpu=True,
        )
        trainer = Trainer(
            model=model, args=args, train_dataset=rows, eval_dataset=rows[:8], compute_metrics=accuracy
        )
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"bert.pooler.*": "unreachable", "*": "trained"}

if __name__ == "__main__":
    main()
