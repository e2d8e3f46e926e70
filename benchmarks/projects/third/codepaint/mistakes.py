"""VQ-VAE with straight-through codes, notebook export, two optimizers."""
RUN = ["notebook.py"]
EXPECT = {"*": "trained"}
INTENT = []
MISTAKES = {
    "codebook term has the detach on the code instead of on the latent": {
        "kind": "detach on wrong operand",
        "edits": [("vq.py", "pull = F.mse_loss(q, z.detach())", "pull = F.mse_loss(q.detach(), z)  # <-- culprit")],
        "expect": {"quantizer.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "Both terms then pull the latent; the codebook gets no gradient (straight-through gives none either).",
    },
    "no_grad decorator put on the method that training uses too": {
        "kind": "no_grad where not meant",
        "edits": [("nets.py", "    def encode(self, x):", "    @torch.no_grad()  # <-- culprit\n    def encode(self, x):")],
        "expect": {"encoder.*": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": "The encoder runs without a graph.",
    },
    "all gradients zeroed between the steps of the two optimizers": {
        "kind": "zero_grad between two steps",
        "edits": [("notebook.py", "    opt_ae.step()\n    opt_book.step()\n    opt_ae.zero_grad()\n    opt_book.zero_grad()\n",
                   "    opt_ae.step()\n    model.zero_grad()  # <-- culprit\n    opt_book.step()\n")],
        "expect": {"quantizer.*": "blocked", "*": "trained"}, "codes": set(),
        "culprit_note": "model.zero_grad() clears the codebook's gradient before its optimizer steps.",
        "also": [("notebook.py", "opt_book.step()")],
    },
    "scale of the likelihood read as a number": {
        "kind": ".item() in the loss",
        "edits": [("nets.py", "log_sigma = self.log_sigma\n", "log_sigma = self.log_sigma.item()  # <-- culprit\n")],
        "expect": {"log_sigma": "unreachable", "*": "trained"}, "codes": set(),
        "culprit_note": ".item() makes a float; log_sigma is out of the graph.",
    },
}
