"""FXA4: the training loop."""
