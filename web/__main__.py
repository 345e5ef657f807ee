"""`python -m restbeat.web`, the same as `restbeat`."""

from .commands import main

main()
