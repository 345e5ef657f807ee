"""A virtual BlueZ: heart-rate straps without hardware, behind Bleak's real Linux backend."""
