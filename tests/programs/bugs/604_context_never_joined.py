"""A decoder with attention. Its state and the context are joined before the output layer; the state is joined with itself.
Origin: a translation tutorial typed off; retold."""
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


class Translator(nn.Module):
    def __init__(self, vocab=15, d=6):
        super().__init__()
        self.src, self.tgt = nn.Embedding(vocab, d, padding_idx=0), nn.Embedding(vocab, d)
        self.encoder = nn.GRU(d, d, batch_first=True)
        self.decoder = nn.GRU(d, d, batch_first=True)
        self.query = nn.Linear(d, d, bias=False)
        self.out = nn.Linear(2 * d, vocab)

    def forward(self, src, lengths, tgt):
        packed = pack_padded_sequence(self.src(src), lengths, batch_first=True, enforce_sorted=False)
        memory, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True)
        state, _ = self.decoder(self.tgt(tgt))
        score = self.query(state) @ memory.transpose(1, 2)
        score = score.masked_fill((src == 0)[:, None, :], float("-inf"))
        context = score.softmax(-1) @ memory
        joined = torch.cat([state, state], dim=-1)  # <-- culprit
        return self.out(joined)


def make():
    torch.manual_seed(0)
    model = Translator()
    src = torch.tensor([[3, 4, 5, 6], [7, 8, 0, 0], [9, 2, 1, 0]])
    batch = (src, torch.tensor([4, 2, 3]), torch.randint(1, 15, (3, 5)), torch.randint(1, 15, (3, 5)))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), batch


def loss_fn(model, batch):
    src, lengths, tgt_in, tgt_out = batch
    return nn.functional.cross_entropy(model(src, lengths, tgt_in).flatten(0, 1), tgt_out.flatten())


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


KIND = "forward"
EXPECT = {
    "src.weight": "unreachable",
    "tgt.weight": "trained",
    "encoder.weight_ih_l0": "unreachable",
    "encoder.weight_hh_l0": "unreachable",
    "encoder.bias_ih_l0": "unreachable",
    "encoder.bias_hh_l0": "unreachable",
    "decoder.weight_ih_l0": "trained",
    "decoder.weight_hh_l0": "trained",
    "decoder.bias_ih_l0": "trained",
    "decoder.bias_hh_l0": "trained",
    "query.weight": "unreachable",
    "out.weight": "trained",
    "out.bias": "trained",
}
CAUSE = "unused"

if __name__ == "__main__":
    train()
