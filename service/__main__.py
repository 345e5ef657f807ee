"""`python -m restbeat.service` is `restbeat`."""

from .commands.main import main

main()
