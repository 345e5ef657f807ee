"""Packets of ended sessions, packed into compressed chunks and read back bit for bit."""
