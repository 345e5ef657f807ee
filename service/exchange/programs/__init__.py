"""Files that one program or device family writes, each by its own reader."""
