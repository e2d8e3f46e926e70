import argparse
import random
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from .datasets import Shapes, collate_fn
from .engine import evaluate, train_one_epoch
from .models import build_model


def get_args_parser():
    parser = argparse.ArgumentParser("Set transformer detector", add_help=False)
    parser.add_argument("--lr", default=1e-4, type=float)
    parser.add_argument("--lr_backbone", default=1e-5, type=float)
    parser.add_argument("--batch_size", default=4, type=int)
    parser.add_argument("--weight_decay", default=1e-4, type=float)
    parser.add_argument("--epochs", default=2, type=int)
    parser.add_argument("--lr_drop", default=200, type=int)
    parser.add_argument("--clip_max_norm", default=0.1, type=float)
    parser.add_argument("--backbone", default="resnet8", type=str)
    parser.add_argument("--width", default=8, type=int)
    parser.add_argument("--enc_layers", default=2, type=int)
    parser.add_argument("--dec_layers", default=2, type=int)
    parser.add_argument("--dim_feedforward", default=64, type=int)
    parser.add_argument("--hidden_dim", default=32, type=int)
    parser.add_argument("--dropout", default=0.1, type=float)
    parser.add_argument("--nheads", default=4, type=int)
    parser.add_argument("--num_queries", default=5, type=int)
    parser.add_argument("--no_aux_loss", dest="aux_loss", action="store_false")
    parser.add_argument("--set_cost_class", default=1, type=float)
    parser.add_argument("--set_cost_bbox", default=5, type=float)
    parser.add_argument("--bbox_loss_coef", default=5, type=float)
    parser.add_argument("--eos_coef", default=0.1, type=float)
    parser.add_argument("--output_dir", default="out")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seed", default=42, type=int)
    return parser


def main(args):
    device = torch.device(args.device)
    torch.manual_seed(args.seed)
    np.random.seed(args.seed)
    random.seed(args.seed)

    model, criterion = build_model(args)
    model.to(device)
    n_parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    print("number of params:", n_parameters)

    param_dicts = [
        {"params": [p for n, p in model.named_parameters() if "backbone" not in n and p.requires_grad]},
        {
            "params": [p for n, p in model.named_parameters() if "backbone" in n and p.requires_grad],
            "lr": args.lr_backbone,
        },
    ]
    optimizer = torch.optim.AdamW(param_dicts, lr=args.lr, weight_decay=args.weight_decay)
    lr_scheduler = torch.optim.lr_scheduler.StepLR(optimizer, args.lr_drop)

    dataset_train, dataset_val = Shapes(16, 0), Shapes(8, 1)
    batch_sampler_train = BatchSampler(RandomSampler(dataset_train), args.batch_size, drop_last=True)
    data_loader_train = DataLoader(dataset_train, batch_sampler=batch_sampler_train, collate_fn=collate_fn)
    data_loader_val = DataLoader(dataset_val, args.batch_size, collate_fn=collate_fn)

    output_dir = Path(args.output_dir)
    output_dir.mkdir(parents=True, exist_ok=True)
    for epoch in range(args.epochs):
        train_stats = train_one_epoch(model, criterion, data_loader_train, optimizer, device, epoch, args.clip_max_norm)
        lr_scheduler.step()
        torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}, output_dir / "checkpoint.pth")
        print(evaluate(model, criterion, data_loader_val, device), train_stats["loss"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser("training and evaluation script", parents=[get_args_parser()])
    main(parser.parse_args())
