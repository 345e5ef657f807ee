"""Recordings played under control in rooms of their own."""
