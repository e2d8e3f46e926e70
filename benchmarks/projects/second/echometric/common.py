"""globals for the metric learning runs"""
import torch

N_ID = 6
DIM_IN = 20
DIM = 8
QUIET = True
LOG_EVERY = 5
WARM = 3

state = {"it": 0, "losses": [], "printed": 0}


def log(msg, force=False):
    if QUIET and not force:
        return
    print(f"[{state['it']:03d}] {msg}")
    state["printed"] += 1


def onehot(y, n=N_ID):
    return torch.nn.functional.one_hot(y, n).float()
