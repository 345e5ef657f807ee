"""Clients: their list, their records, and their requests for export or erasure."""
