"""Finding straps and reading them over Bluetooth LE, with Bleak."""
