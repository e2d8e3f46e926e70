"""Segmentation toy."""
