"""HRV from beats, and the relaxation response from HRV: pure functions without I/O and without a clock of their own."""
