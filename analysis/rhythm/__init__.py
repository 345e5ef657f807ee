"""Whether the rhythm allows HRV: sinus-like, irregular, ectopic or paced, from all received beats."""
