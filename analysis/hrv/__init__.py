"""Heart-rate variability of accepted beats: time domain, spectrum, and NeuroKit2 as the engine of record."""
