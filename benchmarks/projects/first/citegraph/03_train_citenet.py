# %% [markdown]
# Node classification on a planted partition

# %%
import torch
import torch.nn.functional as F

from gnn import CiteNet
from graphs import normalize, planted_partition
from nb_utils import masked_mean, set_seed, split_masks
from optim_setup import get_optimizer

SEED = 42
set_seed(SEED)

# %%
X, A, y = planted_partition(seed=SEED)
A_hat = normalize(A)
masks = split_masks(len(y), frac_train=0.5, seed=SEED)
print({k: int(m.sum()) for k, m in masks.items()})

# %%
net = CiteNet(X.size(1), 8, 3)
opt = get_optimizer(net)
hist = []

# %%
for ep in range(15):
    net.train()
    opt.zero_grad()
    out = net(X, A, A_hat)
    loss = masked_mean(F.cross_entropy(out, y, reduction="none"), masks["train"])
    loss.backward()
    opt.step()
    with torch.no_grad():
        acc = masked_mean((out.argmax(1) == y).float(), masks["val"]).item()
    hist.append((loss.item(), acc))
    if ep % 5 == 0:
        print(f"ep {ep:3d}  loss {loss.item():.4f}  val acc {acc:.3f}")

# %%
print("best val", max(a for _, a in hist))
