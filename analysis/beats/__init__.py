"""Judged beats from packets: one clock, one verdict per beat, and the runs that figures may use."""
