import torch

import vocab
from learner import TextLearner
from textnet import TextNet

# thaw from the top: classifier, second rnn, then everything
STAGES = [(-1, 1), (-2, 1), (0, 2)]

torch.manual_seed(1)
net = TextNet(len(vocab.STOI))
learner = TextLearner(net, vocab.reviews(96), lr=8e-3, batch=16)
for thaw_to, epochs in STAGES:
    learner.fit_stage(thaw_to, epochs)
