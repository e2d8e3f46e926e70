"""Hugging Face Trainer: a weighted loss in `compute_loss`, written from the hidden states, which a detach cuts off."""

import sys
import tempfile

import torch
from torch import nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification, Trainer, TrainingArguments, set_seed


class WeightedTrainer(Trainer):
    def __init__(self, *args, class_weights=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.class_weights = class_weights

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs.pop("labels")
        hidden = model.distilbert(**inputs).last_hidden_state.detach()  # <-- culprit
        logits = model.classifier(model.pre_classifier(hidden[:, 0]).relu())
        loss = nn.functional.cross_entropy(logits, labels, weight=self.class_weights)
        return (loss, {"logits": logits}) if return_outputs else loss


def build():
    set_seed(0)
    config = DistilBertConfig(vocab_size=30, dim=16, n_layers=1, n_heads=2, hidden_dim=24, max_position_embeddings=16)
    return DistilBertForSequenceClassification(config)


def main():
    model = build()
    rows = [{"input_ids": torch.randint(0, 30, (8,)), "labels": n % 2} for n in range(24)]
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=4, num_train_epochs=2, learning_rate=1e-3,
            save_strategy="no", report_to=[], use_cpu=True, logging_steps=1,
        )
        trainer = WeightedTrainer(
            model=model, args=args, train_dataset=rows, class_weights=torch.tensor([0.3, 0.7])
        )
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"distilbert.*": "unreachable", "*classifier.*": "trained"}
CODES = {"FXA104"}

if __name__ == "__main__":
    main()
