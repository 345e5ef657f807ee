"""A private D-Bus for a virtual BlueZ."""
