import sys

import torch
from torch.utils.data import DataLoader, TensorDataset

import configs
from accelerator import Loop
from denoiser import Denoiser
from gaussian import GaussianDiffusion
from moons import four_blobs


def main(name):
    cfg = configs.load(name)
    torch.manual_seed(cfg["seed"])
    loader = DataLoader(TensorDataset(*four_blobs(seed=cfg["seed"])), cfg["train"]["batch_size"], shuffle=True)
    model = Denoiser(**cfg["model"])
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg["train"]["lr"])
    loop = Loop(model, GaussianDiffusion(**cfg["diffusion"]), optimizer, cfg["train"]["accumulate"])
    for epoch in range(cfg["train"]["epochs"]):
        print(f"epoch {epoch} eps-mse {loop.epoch(loader):.4f}")


if __name__ == "__main__":
    main(sys.argv[1])
