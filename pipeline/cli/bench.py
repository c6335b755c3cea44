"""bench: the published figures, measured again on the user's own machine."""

from __future__ import annotations

import runpy
import sys

import click


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("name")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def bench(name: str, options: tuple[str, ...]) -> None:
    """Run the benchmark NAME; OPTIONS are its own (`sangkien bench dedupe --help`).

    \b
    Example:
      sangkien bench dedupe
    """
    from pipeline.errors import UsageError
    from pipeline.settings import checkout

    folder = checkout("benchmarks")
    known = sorted(path.stem for path in folder.glob("[a-z]*.py"))
    if name not in known:
        raise UsageError(
            "There is no benchmark {name}. There are: {known}.", name=name, known=", ".join(known)
        )
    former = sys.argv
    sys.path.insert(0, str(folder))  # a benchmark may use another
    sys.argv = [f"sangkien bench {name}", *options]
    try:
        runpy.run_path(str(folder / f"{name}.py"), run_name="__main__")
    finally:
        sys.argv = former
        sys.path.remove(str(folder))
