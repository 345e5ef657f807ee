"""Clients: who they are, what they consented to, flags for the next visit, the strap they wear."""
