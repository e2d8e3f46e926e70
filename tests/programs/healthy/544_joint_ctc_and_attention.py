"""Speech: packed BiLSTM encoder, CTC on it, an attention decoder with label smoothing, and a weight between the two.
Origin: the hybrid recipe, reduced."""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Hybrid(nn.Module):
    def __init__(self, feats=5, vocab=7, d=6, weight=0.3):
        super().__init__()
        self.weight = weight
        self.norm = nn.BatchNorm1d(feats)
        self.enc = nn.LSTM(feats, d, bidirectional=True, batch_first=True)
        self.ctc = nn.Linear(2 * d, vocab)
        self.embed, self.dec = nn.Embedding(vocab, d), nn.LSTMCell(3 * d, d)
        self.key, self.out = nn.Linear(2 * d, d), nn.Linear(d, vocab)

    def forward(self, x, lengths, y, y_lengths):
        x = self.norm(x.transpose(1, 2)).transpose(1, 2)
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        memory, _ = pad_packed_sequence(self.enc(packed)[0], batch_first=True)
        log_p = self.ctc(memory).log_softmax(-1).transpose(0, 1)
        ctc = nn.functional.ctc_loss(log_p, y, lengths, y_lengths, zero_infinity=True)
        keys, hidden = self.key(memory), None
        pad = torch.arange(memory.shape[1])[None] >= lengths[:, None]
        state = memory.new_zeros(len(x), keys.shape[-1])
        ce = 0.0
        for step in range(y.shape[1] - 1):
            score = (keys @ state.unsqueeze(-1)).squeeze(-1).masked_fill(pad, float("-inf"))
            context = (score.softmax(-1).unsqueeze(1) @ memory).squeeze(1)
            hidden = self.dec(torch.cat([self.embed(y[:, step]), context], -1), hidden)
            state = hidden[0]
            ce = ce + nn.functional.cross_entropy(self.out(state), y[:, step + 1], label_smoothing=0.1, ignore_index=0)
        return self.weight * ctc + (1 - self.weight) * ce


def make():
    torch.manual_seed(0)
    model = Hybrid()
    y = torch.tensor([[1, 2, 3, 4], [5, 6, 1, 2], [3, 3, 2, 6]])
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), (torch.randn(3, 12, 5), torch.tensor([12, 9, 11]), y, torch.tensor([4, 4, 4]))


def loss_fn(model, batch):
    return model(*batch)


def train(steps=3):
    net, opt, data = make()
    net.train()
    log = []
    for step in range(steps):
        value = loss_fn(net, data)
        opt.zero_grad(set_to_none=True)
        value.backward()
        opt.step()
        log.append(float(value.detach()))
    return net, log


KIND = "healthy"
EXPECT = {
    "norm.weight": "trained",
    "norm.bias": "trained",
    "enc.weight_ih_l0": "trained",
    "enc.weight_hh_l0": "trained",
    "enc.bias_ih_l0": "trained",
    "enc.bias_hh_l0": "trained",
    "enc.weight_ih_l0_reverse": "trained",
    "enc.weight_hh_l0_reverse": "trained",
    "enc.bias_ih_l0_reverse": "trained",
    "enc.bias_hh_l0_reverse": "trained",
    "ctc.weight": "trained",
    "ctc.bias": "trained",
    "embed.weight": "trained",
    "dec.weight_ih": "trained",
    "dec.weight_hh": "trained",
    "dec.bias_ih": "trained",
    "dec.bias_hh": "trained",
    "key.weight": "trained",
    "key.bias": "trained",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "healthy"

if __name__ == "__main__":
    train()
