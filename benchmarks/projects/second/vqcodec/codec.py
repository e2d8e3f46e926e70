import math

import torch
import torch.nn as nn

from modules import VectorQuantizer, WaveEncoder, make_decoder


class Codec(nn.Module):
    def __init__(self, args):
        super().__init__()
        self.encoder = WaveEncoder(args.channels)
        self.quantizer = VectorQuantizer(args.codes, args.channels)
        self.decoder = make_decoder(args.decoder, args.channels)
        self.log_noise = nn.Parameter(torch.tensor(-1.0), requires_grad=args.learn_noise)
        self.commit_weight = args.commit
        if args.freeze_encoder:
            self.encoder.requires_grad_(False)

    def nll(self, recon, wav):
        var = torch.exp(2 * self.log_noise)
        return ((recon - wav).pow(2) / (2 * var)).mean() + self.log_noise + 0.5 * math.log(2 * math.pi)

    def forward(self, wav):
        q, commit, ppl = self.quantizer(self.encoder(wav))
        recon = self.decoder(q)
        loss = self.nll(recon, wav) + self.commit_weight * commit
        return loss, {"commit": commit.item(), "ppl": ppl.item()}
