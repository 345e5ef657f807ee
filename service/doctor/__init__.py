"""Checks of the computer that restbeat runs on."""
