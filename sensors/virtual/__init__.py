"""Heart-rate straps without hardware: a virtual BlueZ that Bleak's real Linux backend talks to."""
