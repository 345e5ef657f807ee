"""Logging in and managing accounts."""
