from pointpart import backbones, segmenter  # noqa: F401  (fills the registries)
