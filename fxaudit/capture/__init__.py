"""Capture: what is seen of a program, with source. The only code that touches torch's internals."""
