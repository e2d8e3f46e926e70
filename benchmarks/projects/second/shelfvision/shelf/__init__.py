"""shelf: fine-tuning of pretrained image classifiers."""
__version__ = "0.3.1"
