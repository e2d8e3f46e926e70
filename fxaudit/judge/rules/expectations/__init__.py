"""FXA6: what the user expects."""
