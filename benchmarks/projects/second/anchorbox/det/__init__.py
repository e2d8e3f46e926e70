from . import backbone, heads, neck  # noqa: F401  (fill the registry)
