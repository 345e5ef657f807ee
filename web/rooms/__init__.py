"""Rooms: pages, entries and the live socket."""
