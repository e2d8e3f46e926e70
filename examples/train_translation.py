"""Learns to say sentences backwards. The loss falls, yet the encoder's weights end exactly as they began."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

WORDS, SIZE, LENGTH = 24, 32, 8


class Bridge(nn.Module):
    """Mixes the two reading directions into the memory that the decoder looks at."""

    def __init__(self, size):
        super().__init__()
        self.mix = nn.Linear(2 * size, size)
        self.norm = nn.LayerNorm(size)

    def forward(self, states):
        memory = self.norm(torch.tanh(self.mix(states)))
        return memory.detach()  # <- the defect


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, SIZE)
        self.rnn = nn.GRU(SIZE, SIZE, batch_first=True, bidirectional=True)
        self.bridge = Bridge(SIZE)

    def forward(self, source):
        states, _ = self.rnn(self.embedding(source))
        return self.bridge(states)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(WORDS, SIZE)
        self.rnn = nn.GRU(SIZE, SIZE, batch_first=True)
        self.query = nn.Linear(SIZE, SIZE, bias=False)
        self.output = nn.Linear(2 * SIZE, WORDS)

    def forward(self, memory, target):
        states, _ = self.rnn(self.embedding(target))
        weights = torch.softmax(self.query(states) @ memory.transpose(1, 2) / SIZE**0.5, dim=-1)
        return self.output(torch.cat([states, weights @ memory], dim=-1))


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.decoder = Decoder()
        self.length = nn.Linear(SIZE, 1)

    def forward(self, source, target):
        memory = self.encoder(source)
        return self.decoder(memory, target), self.length(memory.mean(dim=1)).squeeze(-1)


def make_data():
    """Sentences of 4 to 8 words, padded with 0, and the same words in reverse order."""
    source, target = torch.zeros(192, LENGTH).long(), torch.zeros(192, LENGTH + 1).long()
    lengths = torch.randint(4, LENGTH + 1, (192,))
    for row, length in enumerate(lengths.tolist()):
        words = torch.randint(2, WORDS, (length,))
        source[row, :length] = words
        target[row, 0], target[row, 1 : length + 1] = 1, words.flip(0)
    return TensorDataset(source, target, lengths.float() / LENGTH)


def main():
    torch.manual_seed(0)
    loader = DataLoader(make_data(), batch_size=32, shuffle=True)
    model = Translator()
    heads = [*model.decoder.parameters(), *model.length.parameters()]
    groups = [{"params": model.encoder.parameters(), "lr": 5e-4}, {"params": heads, "lr": 5e-3}]
    optimizer = torch.optim.Adam(groups)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    word_loss = nn.CrossEntropyLoss(ignore_index=0)
    length_loss = nn.MSELoss()
    for epoch in range(4):
        total = 0.0
        for source, target, lengths in loader:
            logits, guess = model(source, target[:, :-1])
            loss = word_loss(logits.flatten(0, 1), target[:, 1:].flatten()) + 0.5 * length_loss(guess, lengths)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        scheduler.step()
        print(f"epoch {epoch}: loss {total / len(loader):.4f}")


if __name__ == "__main__":
    main()
