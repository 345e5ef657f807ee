"""Beats become HRV, HRV becomes the relaxation response: pure functions, no I/O and no clock of their own."""
