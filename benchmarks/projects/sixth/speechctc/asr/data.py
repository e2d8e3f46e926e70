"""Synthetic 'utterances': every character has a prototype spectrum that is held for some frames."""
import torch
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset


class ToySpeech(Dataset):
    def __init__(self, num_utts, n_mels, vocab, frames_per_char, chars, seed=0):
        g = torch.Generator().manual_seed(seed)
        proto = torch.randn(vocab, n_mels, generator=g)
        self.items = []
        for _ in range(num_utts):
            n = int(torch.randint(chars[0], chars[1] + 1, (1,), generator=g))
            text = torch.randint(1, vocab, (n,), generator=g)
            feats = proto[text].repeat_interleave(frames_per_char, dim=0)
            feats = feats + 0.1 * torch.randn(feats.shape, generator=g)
            self.items.append((feats, text))

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def collate(batch):
    feats, texts = zip(*batch)
    flen = torch.tensor([len(f) for f in feats])
    tlen = torch.tensor([len(t) for t in texts])
    return pad_sequence(feats, batch_first=True), flen, torch.cat(texts), tlen
