"""FXA3: what optimizers hold."""
