"""Hugging Face Trainer: a callback thaws the encoder's last layer after some steps; `create_optimizer` has long taken
what required a gradient."""

import sys
import tempfile

import torch
from transformers import (
    BertConfig,
    BertForTokenClassification,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)


class Thaw(TrainerCallback):
    def __init__(self, at):
        self.at = at

    def on_step_begin(self, args, state, control, model=None, **kwargs):
        if state.global_step == self.at:
            for parameter in model.bert.encoder.parameters():
                parameter.requires_grad_(True)  # <-- culprit


def build():
    set_seed(0)
    config = BertConfig(
        vocab_size=30, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, num_labels=3,
        max_position_embeddings=16,
    )
    model = BertForTokenClassification(config)
    for parameter in model.bert.parameters():
        parameter.requires_grad = False
    return model


def main():
    model = build()
    rows = [{"input_ids": ids, "labels": ids % 3} for ids in torch.randint(0, 30, (24, 8))]
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=4, num_train_epochs=2, learning_rate=1e-3,
            save_strategy="no", report_to=[], use_cpu=True, logging_steps=1,
        )
        trainer = Trainer(model=model, args=args, train_dataset=rows, callbacks=[Thaw(6)])
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"bert.encoder.*": "excluded", "bert.*": "frozen", "classifier.*": "trained"}
CODES = {"FXA301"}

if __name__ == "__main__":
    main()
