# all knobs live here, import * from it
import torch

SEED = 3
NZ = 6          # latent size
NDF = 16
NGF = 16
DATA_DIM = 8
BATCH = 12
ITERS = 12
LR_G = 2e-3
LR_D = 1e-3
N_CRITIC = 2
GRAD_CLIP = 5.0
FM_WEIGHT = 0.1     # feature matching

HISTORY = {"d": [], "g": []}


def seed_all(s=SEED):
    torch.manual_seed(s)


def report(it):
    d = HISTORY["d"][-1] if HISTORY["d"] else float("inf")
    g = HISTORY["g"][-1] if HISTORY["g"] else float("inf")
    print("[%d/%d] loss_d %.4f loss_g %.4f" % (it, ITERS, d, g))
