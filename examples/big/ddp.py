"""Two processes train one image classifier with DistributedDataParallel; the optimizer is built without the stem. The
program starts the second rank itself, and the report is that of the first."""

import subprocess
import sys
import tempfile

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


def block(inputs, outputs):
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


class Classifier(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.stem = block(3, 32)
        self.stages = nn.Sequential(block(32, 64), block(64, 128), block(128, 256))
        self.head = nn.Linear(256, classes)

    def forward(self, images):
        return self.head(self.stages(self.stem(images)).mean((2, 3)))


def train(rank, store):
    dist.init_process_group("gloo", rank=rank, world_size=2, store=dist.FileStore(store, 2))
    torch.manual_seed(rank)
    model = DistributedDataParallel(Classifier())
    net = model.module
    optimizer = torch.optim.SGD([*net.stages.parameters(), *net.head.parameters()], lr=0.05)  # <- the defect
    for step in range(4):
        images, labels = torch.randn(8, 3, 32, 32), torch.randint(10, (8,))
        loss = nn.functional.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if rank == 0:
            print(f"step {step}: loss {loss.item():.4f}")
    dist.destroy_process_group()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        train(1, sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as folder:
            second = subprocess.Popen([sys.executable, __file__, f"{folder}/store"])
            try:
                train(0, f"{folder}/store")
            finally:
                second.terminate()
                second.wait()
