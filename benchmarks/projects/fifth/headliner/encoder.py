import torch
import torch.nn as nn


class Encoder(nn.Module):
    def __init__(self, opt, embed):
        super(Encoder, self).__init__()
        self.embed = embed
        self.rnn = nn.LSTM(opt.emb, opt.hid // 2, opt.layers, batch_first=True, bidirectional=True)
        self.bridge = nn.ModuleDict({
            "h": nn.Linear(opt.hid, opt.hid),
            "c": nn.Linear(opt.hid, opt.hid),
        })

    def join(self, state, which):
        # (2, batch, hid/2) -> (batch, hid)
        both = torch.cat([state[-2], state[-1]], 1)
        return torch.tanh(self.bridge[which](both))

    def forward(self, src):
        memory, (h, c) = self.rnn(self.embed(src))
        return memory, (self.join(h, "h"), self.join(c, "c"))
