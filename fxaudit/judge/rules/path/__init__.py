"""FXA1: the path from a parameter to the loss."""
