"""Bytes on the air to measured values and back: the heart rate service and Polar's own protocol."""
