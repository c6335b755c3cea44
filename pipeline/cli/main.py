"""The command group, and what an error becomes outside."""

from __future__ import annotations

import os
import signal
import sys
from typing import Final

import click

from pipeline import errors
from pipeline.cli import (
    analyst,
    archive,
    bench,
    decisions,
    drift,
    fields,
    labelling,
    repair,
    requeue,
    running,
)
from pipeline.words import translator

EXIT_CODES: Final = {
    errors.UsageError: 2,
    errors.GateRefused: 3,
    errors.NoUsableRow: 65,
    errors.InputNotFound: 66,
    errors.OutputError: 74,
    errors.StoreLocked: 75,
    errors.PermissionDenied: 77,
}
"""What each kind of error tells the caller; 0 is done, 130 interrupted, 70 a fault of the program."""

_INTERNAL: Final = 70
_INTERRUPTED: Final = 130


@click.group(
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
        "auto_envvar_prefix": "SANGKIEN",
    }
)
@click.version_option(package_name="sangkien", message="%(prog)s %(version)s")
def cli() -> None:
    """Find repeated initiatives (sáng kiến) in office tables and put each into a field. Offline.

    \b
    Example:
      sangkien run new.xlsx --against archive.csv --out results
    """


for command in (
    running.run,
    running.dedupe,
    running.classify,
    requeue.requeue,
    archive.archive,
    decisions.decisions,
    repair.repair,
    analyst.train,
    analyst.models,
    analyst.evaluate,
    labelling.label_queue,
    labelling.audit_labels,
    drift.drift,
    fields.taxonomy,
    bench.bench,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line and exit with the code that says how it ended."""
    # A service manager or a shutdown must not leave half-made folders behind: it is told like Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(_exit_code(sys.argv[1:]))


def _exit_code(arguments: list[str]) -> int:  # noqa: PLR0911 - one return for each way to end
    say = translator(_language(arguments))
    try:
        cli.main(arguments, prog_name="sangkien", standalone_mode=False)
    except errors.SangkienError as fault:
        click.echo(fault.note.say(say), err=True)
        return next(code for kind, code in EXIT_CODES.items() if isinstance(fault, kind))
    except click.UsageError as fault:
        _show(fault, _language(arguments))
        return fault.exit_code
    except click.ClickException as fault:
        fault.show()
        return fault.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo(say("Interrupted. Nothing was published; run the same command again."), err=True)
        return _INTERRUPTED
    except click.exceptions.Exit as done:
        return done.exit_code
    except PermissionError as fault:
        click.echo(say("{path}: the system refuses access.").format(path=fault.filename or ""), err=True)
        return EXIT_CODES[errors.PermissionDenied]
    except OSError as fault:
        click.echo(
            say("{path}: {reason}.").format(path=fault.filename or "", reason=fault.strerror or fault),
            err=True,
        )
        return EXIT_CODES[errors.OutputError]
    except Exception as fault:
        if os.environ.get("SANGKIEN_DEBUG"):
            raise
        template = say("The program failed ({fault}). Set SANGKIEN_DEBUG=1 to see where, and report it.")
        click.echo(template.format(fault=type(fault).__name__), err=True)
        return _INTERNAL
    return 0


def _show(fault: click.UsageError, language: str) -> None:
    """Say what is wrong with a call; click itself knows only English."""
    if language == "en" or isinstance(fault, click.exceptions.NoArgsIsHelpError):
        fault.show()
        return
    click.echo(_misuse(fault).say(translator(language)), err=True)


def _misuse(fault: click.UsageError) -> errors.Note:
    param = getattr(fault, "param", None)
    name = param.get_error_hint(fault.ctx) if param and fault.ctx else ""
    values: dict[str, object] = {
        "name": name,
        "command": fault.ctx.command_path if fault.ctx else "sangkien",
        "reason": fault.format_message(),
    }
    if isinstance(fault, click.NoSuchOption):
        values["name"] = fault.option_name
        return errors.Note("There is no option {name}. `{command} -h` shows those there are.", values)
    if isinstance(fault, click.BadOptionUsage):
        values["name"] = fault.option_name
        return errors.Note("{name}: a value is missing behind it.", values)
    if isinstance(fault, click.MissingParameter):
        return errors.Note("{name} is missing. `{command} -h` shows how to call it.", values)
    if param and isinstance(param.type, click.Choice):
        values["choices"] = ", ".join(map(str, param.type.choices))
        return errors.Note("{name}: choose one of {choices}.", values)
    if name:
        return errors.Note("{name}: the value is none that is understood ({reason}).", values)
    return errors.Note("The call was not understood ({reason}). `{command} -h` shows how to call it.", values)


def _language(arguments: list[str]) -> str:
    """Return the language errors are told in, also where the options could not be parsed."""
    for place, argument in enumerate(arguments):
        if argument == "--lang" and place + 1 < len(arguments):
            return "en" if arguments[place + 1] == "en" else "vi"
        if argument.startswith("--lang="):
            return "en" if argument == "--lang=en" else "vi"
    return "en" if os.environ.get("SANGKIEN_LANG") == "en" else "vi"
