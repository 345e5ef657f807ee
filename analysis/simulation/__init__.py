"""Simulated hearts and straps whose truth is known."""
