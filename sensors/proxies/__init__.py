"""Straps heard through ESPHome Bluetooth proxies."""
