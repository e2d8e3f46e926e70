"""Hugging Face Trainer: LoRA by hand on a frozen GPT-2, reentrant checkpointing made to work by
`enable_input_require_grads`, as PEFT's guide says."""

import math
import sys
import tempfile

import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, set_seed
from transformers.pytorch_utils import Conv1D


class LoRA(nn.Module):
    def __init__(self, base, rank=4, alpha=8):
        super().__init__()
        self.base = base
        self.lora_a = nn.Parameter(torch.empty(base.nx, rank))
        self.lora_b = nn.Parameter(torch.zeros(rank, base.nf))
        self.scale = alpha / rank
        nn.init.kaiming_uniform_(self.lora_a, a=math.sqrt(5))

    def forward(self, x):
        return self.base(x) + x @ self.lora_a @ self.lora_b * self.scale


def build():
    set_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=40, n_positions=16, n_embd=16, n_layer=2, n_head=2))
    for parameter in model.parameters():
        parameter.requires_grad = False
    for block in model.transformer.h:
        assert isinstance(block.attn.c_attn, Conv1D)
        block.attn.c_attn = LoRA(block.attn.c_attn)
    return model


def main():
    model = build()
    model.enable_input_require_grads()
    ids = torch.randint(0, 40, (16, 8))
    with tempfile.TemporaryDirectory() as folder:
        args = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=4, max_steps=6, learning_rate=1e-2, save_strategy="no",
            gradient_checkpointing=True, gradient_checkpointing_kwargs={"use_reentrant": True}, logging_steps=1,
            report_to=[], use_cpu=True,
        )
        trainer = Trainer(model=model, args=args, train_dataset=[{"input_ids": i, "labels": i} for i in ids])
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    torch.save({"model": model.state_dict(), "losses": losses}, sys.argv[-1])


EXPECT = {"*.lora_*": "trained", "*": "frozen"}

if __name__ == "__main__":
    main()
