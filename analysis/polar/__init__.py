"""Polar's own signals: ECG, acceleration and pulse."""
