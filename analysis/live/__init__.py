"""Figures of a running session, beat by beat."""
