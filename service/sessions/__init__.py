"""Stored sessions: rows, reports, notes, screening."""
