"""`python -m pipeline` is `sangkien`."""

from pipeline.cli import main

main()
