"""Courses over weeks, and the clients who are due."""
