"""Verdicts from the symbolic trace alone, where nothing ran."""
