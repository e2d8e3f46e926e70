class Conf:
    scripts = ("latin", "greek", "runic")
    features = 6
    width = 14
    ways = 3
    shots = 4
    inner_steps = 2
    inner_lr = 0.2
    outer_lr = 0.01
    meta_steps = 10
    seed = 19


class NightConf(Conf):
    meta_steps = 400
    inner_steps = 5
