import json
from pathlib import Path


def load(name):
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())
