"""Backups of the database: made, verified, listed and deleted when they expire."""
