from .trainer import MultiTaskTrainer  # noqa: F401
