"""Packets to judged beats: one clock, a verdict for each beat, and the runs that figures may use."""
