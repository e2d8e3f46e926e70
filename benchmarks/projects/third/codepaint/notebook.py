#!/usr/bin/env python
# coding: utf-8
# Exported from codepaint.ipynb

# In[1]:
import torch

from nets import VQVAE
from shapes import picture_batches
from vq import VectorQuantizer

_ = torch.manual_seed(11)

# ## Model
# The codebook learns faster, so it gets an optimizer of its own.

# In[2]:
model = VQVAE()
book_params = list(model.quantizer.parameters())
book_ids = {id(p) for p in book_params}
opt_ae = torch.optim.Adam([p for p in model.parameters() if id(p) not in book_ids], lr=3e-3)
opt_book = torch.optim.Adam(book_params, lr=1e-2)
assert isinstance(model.quantizer, VectorQuantizer)

# ## Train

# In[3]:
history = []
for x in picture_batches(12):
    z = model.encode(x)
    zq, vq_loss, idx = model.quantizer(z)
    loss = model.nll(x, model.decode(zq)) + vq_loss
    loss.backward()
    opt_ae.step()
    opt_book.step()
    opt_ae.zero_grad()
    opt_book.zero_grad()
    history.append((loss.item(), idx.unique().numel()))

# In[4]:
for i, (l, used) in enumerate(history):
    if i % 4 == 3:
        print(f"batch {i:2d}  loss {l:.3f}  codes in use {used}")

# In[5]:
test = next(picture_batches(1, seed=99))
print("mean error", float((model.reconstruct(test) - test).abs().mean()))
