import torch
import torch.nn.functional as F
from torch import nn

from acoustic import CharDecoder, Subsample
from sparkle import Unit


class Recognizer(Unit):
    def __init__(self, hparams):
        super().__init__(hparams)
        dim, vocab = hparams["dim"], hparams["vocab"]
        self.front = Subsample(hparams["n_mels"], dim)
        self.rnn = nn.GRU(dim, dim // 2, batch_first=True, bidirectional=True)
        self.ctc_out = nn.Linear(dim, vocab)
        self.decoder = CharDecoder(vocab, dim)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams["lr"])

    def encode(self, feats):
        return self.rnn(self.front(feats))[0]

    def ctc_loss(self, memory, lengths, targets, target_lengths):
        logp = self.ctc_out(memory).log_softmax(-1).transpose(0, 1)
        return F.ctc_loss(logp, targets, self.front.out_lengths(lengths), target_lengths,
                          blank=0, zero_infinity=True)

    def training_step(self, batch, i):
        feats, lengths, targets, target_lengths = batch
        memory = self.encode(feats)
        ctc = self.ctc_loss(memory, lengths, targets, target_lengths)
        logits = self.decoder(memory, targets)
        att = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=0)
        w = self.hparams["ctc_weight"]
        loss = w * ctc + (1 - w) * att
        self.log("ctc", ctc)
        self.log("att", att)
        return {"loss": loss, "ctc": ctc.detach(), "att": att.detach()}
