# usage: python maml.py [iterations] [inner steps]
import sys

import torch

from inner import episode
from learner import MetaLearner
from outer import meta_optimizer
from tasks import SineTasks

N_ITER = int(sys.argv[1]) if len(sys.argv) > 1 else 8
N_INNER = int(sys.argv[2]) if len(sys.argv) > 2 else 2
HIDDEN = 16
K_SHOT = 6
META_BATCH = 3
INNER_RATE = 0.02

torch.manual_seed(4)
META = MetaLearner(HIDDEN, INNER_RATE)
OPT = meta_optimizer(META, 2e-3, 1e-3)
TASKS = SineTasks(K_SHOT, seed=21)

for it in range(N_ITER):
    OPT.zero_grad()
    total = 0.0
    for task in TASKS.meta_batch(META_BATCH):
        total = total + episode(META, task, N_INNER, INNER_RATE) / META_BATCH
    total.backward()
    OPT.step()
    if it % 4 == 3:
        print(it, "query loss", round(total.item(), 4))
