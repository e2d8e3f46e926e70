import torch

from common import LOG_EVERY, QUIET, log, state
from echodata import pk_batch
from echonet import EchoNet
from gradtools import ramp_gradients, set_lr
from metriclosses import Total

torch.manual_seed(7)
net = EchoNet()
crit = Total()
ramp_gradients(net.tap)

LR = 0.02
opt = torch.optim.SGD(net.parameters(), lr=LR, momentum=0.9)
opt.add_param_group({"params": list(crit.parameters())})

net.train()
for it in range(15):
    state["it"] = it
    x, ids = pk_batch()
    e, logits = net(x)
    loss = crit(e, logits, ids)
    opt.zero_grad()
    loss.backward()
    set_lr(opt, LR)
    opt.step()
    state["losses"].append(loss.item())
    if it % LOG_EVERY == 0 and not QUIET:
        log("loss %.4f" % loss.item())

log("first %.4f last %.4f" % (state["losses"][0], state["losses"][-1]), force=True)
