"""Hugging Face Trainer: `compute_loss` takes the predicted classes for the error. The backward raises."""

import sys
import tempfile

import torch
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed


class OrdinalTrainer(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        predicted = outputs.logits.argmax(-1).float()  # <-- culprit
        loss = nn.functional.l1_loss(predicted, labels.float())
        return (loss, outputs) if return_outputs else loss


def build():
    set_seed(0)
    config = BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, num_labels=5,
        max_position_embeddings=16,
    )
    return BertForSequenceClassification(config)


def main():
    model = build()
    rows = [{"input_ids": torch.randint(0, 30, (8,)), "labels": n % 5} for n in range(16)]
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=4, num_train_epochs=1, save_strategy="no", report_to=[],
            use_cpu=True,
        )
        OrdinalTrainer(model=model, args=args, train_dataset=rows).train()
    torch.save({"model": model.state_dict()}, sys.argv[-1])


RAISES = "RuntimeError"
EXPECT = {"*": "unreachable"}
CODES = {"FXA108"}

if __name__ == "__main__":
    main()
