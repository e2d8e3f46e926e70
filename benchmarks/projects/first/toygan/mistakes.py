"""A toy GAN on a mixture of points; a script with global settings and two optimizers."""
RUN = ["run_gan.py"]
EXPECT = {"*": "trained"}
INTENT = []
_G = {"*fc_in*": 0, "*bn*": 0, "*up*": 0, "*to_data*": 0}
MISTAKES = {
    "helper detaches the fake on the generator's turn too": {
        "kind": "detach in helper",
        "edits": [("losses.py", "    if for_d:\n        fake = fake.detach()\n    feats = net.features(fake)",
                   "    feats = net.features(fake.detach())  # <-- culprit")],
        "expect": {**{k: "unreachable" for k in _G}, "*": "trained"}, "codes": set(),
        "culprit_note": "The detach is only meant for the discriminator's turn.",
    },
    "discriminator's optimizer is built over the generator": {
        "kind": "optimizer over wrong module",
        "edits": [("opts.py", 'opt_d = make_opt(netD, LR_D, "rmsprop")', 'opt_d = make_opt(netG, LR_D, "rmsprop")  # <-- culprit')],
        "expect": {**{k: "trained" for k in _G}, "*": "excluded"}, "codes": set(),
        "culprit_note": "Copy-paste of netG in the factory.",
    },
    "turn of the generator never comes: remainder compared with the divisor": {
        "kind": "condition never true",
        "edits": [("opts.py", "return it % N_CRITIC == N_CRITIC - 1", "return it % N_CRITIC == N_CRITIC  # <-- culprit")],
        "expect": {**{k: "blocked" for k in _G}, "*": "trained"}, "codes": set(),
        "culprit_note": "A remainder never equals the divisor.",
    },
    "gradient clip value 0 in the settings": {
        "kind": "clip to 0",
        "edits": [("settings.py", "GRAD_CLIP = 5.0", "GRAD_CLIP = 0  # <-- culprit")],
        "expect": {"*": "blocked"}, "codes": set(),
        "culprit_note": "Clamping to [-0, 0] erases each gradient; 0 was meant as 'off'.",
    },
}
