"""Bytes on air become measurements, and measurements become beats on one clock."""
