"""Rooms and the sessions that run in them now."""
