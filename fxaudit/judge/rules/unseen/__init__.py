"""FXA9: what could not be seen."""
