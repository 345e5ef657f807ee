"""`python -m restbeat.web` is `restbeat`."""

from .commands import main

main()
