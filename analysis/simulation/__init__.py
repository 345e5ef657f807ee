"""Simulated hearts and straps with known ground truth."""
