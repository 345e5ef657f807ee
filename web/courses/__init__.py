"""Courses and who is due."""
