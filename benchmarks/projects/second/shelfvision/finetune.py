#!/usr/bin/env python
"""usage: finetune.py SPEC_NAME"""
import sys

import torch
import yaml

from shelf.callbacks import DivergenceGuard, History
from shelf.session import Session


def main(argv):
    with open("specs.yaml") as f:
        specs = yaml.safe_load(f)
    torch.manual_seed(2)
    guard = DivergenceGuard(tolerance=3.0)
    session = Session(specs[argv[1]], callbacks=[guard, History()])
    session.run()
    print("rollbacks:", guard.rollbacks)


if __name__ == "__main__":
    main(sys.argv)
