"""`python -m restbeat.service` is `restbeat`."""

from .cli import main

main()
