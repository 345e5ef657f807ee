"""Intervals as a sensor sends them: their unit and step, repeats, and whether they are beats."""
