"""The command line: parse, call one function, print.

Text for people goes to stderr, data to stdout; errors are sentences and exit codes, never tracebacks.
"""

from pipeline.cli.main import cli, main

__all__ = ["cli", "main"]
