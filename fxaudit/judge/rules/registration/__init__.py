"""FXA2: registration and replacement."""
