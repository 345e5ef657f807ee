"""What people see: the aiohttp application, its live socket and its pages."""
