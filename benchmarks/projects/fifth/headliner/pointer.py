import torch
import torch.nn as nn

from encoder import Encoder
from news import VOCAB


class Attention(nn.Module):
    def __init__(self, hid):
        super(Attention, self).__init__()
        self.query = nn.Linear(hid, hid, bias=False)
        self.cover = nn.Linear(1, hid, bias=False)
        self.energy = nn.Linear(hid, 1, bias=False)

    def forward(self, h, memory, coverage):
        e = self.energy(torch.tanh(self.query(h).unsqueeze(1) + memory + self.cover(coverage.unsqueeze(2))))
        return torch.softmax(e.squeeze(2), 1)


class PointerGenerator(nn.Module):
    def __init__(self, opt):
        super(PointerGenerator, self).__init__()
        self.embed = nn.Embedding(VOCAB, opt.emb)
        self.encoder = Encoder(opt, self.embed)
        self.cell = nn.LSTMCell(opt.emb, opt.hid)
        self.read = Attention(opt.hid)
        self.copy_query = nn.Linear(opt.hid, opt.hid, bias=False)
        self.vocab_out = nn.Linear(2 * opt.hid, VOCAB)
        self.p_gen = nn.Linear(2 * opt.hid + opt.emb, 1)

    def step(self, word, state, memory, src, coverage):
        x = self.embed(word)
        h, c = self.cell(x, state)
        attn = self.read(h, memory, coverage)
        context = torch.bmm(attn.unsqueeze(1), memory).squeeze(1)
        gen = torch.sigmoid(self.p_gen(torch.cat([h, context, x], 1)))
        words = torch.softmax(self.vocab_out(torch.cat([h, context], 1)), 1)
        pointer = torch.softmax(torch.bmm(memory, self.copy_query(h).unsqueeze(2)).squeeze(2), 1)
        probs = gen * words
        probs = probs.scatter_add(1, src, (1 - gen) * pointer)
        return probs, attn, (h, c)

    def forward(self, src, tgt):
        memory, state = self.encoder(src)
        coverage = torch.zeros(src.size(), dtype=memory.dtype)
        nll, cov = 0, 0
        for t in range(tgt.size(1) - 1):
            probs, attn, state = self.step(tgt[:, t], state, memory, src, coverage)
            gold = probs.gather(1, tgt[:, t + 1:t + 2])
            nll = nll - torch.log(gold + 1e-9).mean()
            cov = cov + torch.min(attn, coverage).sum(1).mean()
            coverage = coverage + attn
        return nll / t, cov / t
