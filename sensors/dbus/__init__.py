"""D-Bus: a private one for a virtual BlueZ, and the system's, by which sleep is held off."""
