"""Hugging Face Trainer: all but the head should be frozen, but the head is called `classifier` here, not `head`. The
optimizer gets nothing, and the backward raises."""

import sys
import tempfile

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed


def build():
    set_seed(0)
    config = BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=16,
    )
    model = BertForSequenceClassification(config)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = name.startswith("head")  # <-- culprit
    return model


def main():
    model = build()
    rows = [{"input_ids": torch.randint(0, 30, (8,)), "labels": n % 2} for n in range(16)]
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=4, num_train_epochs=1, save_strategy="no", report_to=[],
            use_cpu=True,
        )
        Trainer(model=model, args=args, train_dataset=rows).train()
    torch.save({"model": model.state_dict()}, sys.argv[-1])


RAISES = "RuntimeError"
EXPECT = {"*": "frozen"}
CODES = {"FXA302"}

if __name__ == "__main__":
    main()
