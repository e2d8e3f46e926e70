"""2-d point diffusion."""
