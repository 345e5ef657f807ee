"""Recordings of a strap: reading, writing, anonymising, and putting faults into them."""
