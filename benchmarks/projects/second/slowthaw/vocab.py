import torch

WORDS = ("the a very not really good fine great bad awful dull movie plot actor scene "
         "was is felt looked seemed and but though").split()
STOI = {"<pad>": 0, "<unk>": 1, **{w: i + 2 for i, w in enumerate(WORDS)}}
GOOD = {"good", "fine", "great"}
BAD = {"bad", "awful", "dull"}


def encode(sentence, length):
    ids = [STOI.get(w, 1) for w in sentence.split()][:length]
    return ids + [0] * (length - len(ids))


def reviews(n, length=8, seed=0):
    g = torch.Generator().manual_seed(seed)
    xs, ys = [], []
    while len(xs) < n:
        words = [WORDS[i] for i in torch.randint(0, len(WORDS), (length - 1,), generator=g).tolist()]
        s = sum(w in GOOD for w in words) - sum(w in BAD for w in words)
        if s:
            xs.append(encode(" ".join(words), length))
            ys.append(int(s > 0))
    return torch.tensor(xs), torch.tensor(ys)
