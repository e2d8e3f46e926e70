import sys
import tomllib

import torch

from data import make_tables
from loop import Loop
from net import MultiTaskNet
from tasks import from_config

with open(sys.argv[1], "rb") as f:
    conf = tomllib.load(f)

torch.manual_seed(conf["seed"])
tasks = from_config(conf["tasks"])
x, targets = make_tables(**conf["data"], tasks=tasks, seed=conf["seed"])
net = MultiTaskNet(x.shape[1], **conf["model"], tasks=tasks).to(conf["device"])
Loop(net, tasks, **conf["optim"]).run(x, targets)
