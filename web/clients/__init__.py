"""Clients: their list, records and requests."""
