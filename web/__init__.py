"""The web interface: the aiohttp application, its pages, its JSON API and its live socket."""
