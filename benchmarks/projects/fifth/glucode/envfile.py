import os


def parse_line(line):
    line = line.split("#")[0].strip()
    if line.startswith("export "):
        line = line[len("export "):]
    if "=" not in line:
        return None
    key, _, value = line.partition("=")
    return key.strip(), value.strip().strip("'\"")


def load_env(path):
    """KEY=VALUE lines; what is set already wins."""
    with open(path) as f:
        pairs = [parse_line(line) for line in f]
    for pair in pairs:
        if pair:
            os.environ.setdefault(*pair)
