"""Signals of Polar's own protocol: ECG beats, movement and breathing from acceleration."""
