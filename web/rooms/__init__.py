"""Rooms: their pages, the entries of a running session, and the live socket."""
