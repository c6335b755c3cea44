"""Options that several commands share, and what they open."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from pipeline.cli.console import Console

if TYPE_CHECKING:
    # At run time this costs seconds, which --help must not pay.
    from pipeline.starter import Readers

STORE: Final = Path("sangkien-store")
MODELS: Final = Path("models")

# Whether it may be read is found out by reading: one refused file must not stop the others.
PATH: Final = click.Path(path_type=Path, readable=False)

store = click.option(
    "--store", type=PATH, envvar="SANGKIEN_STORE", help="Folder of the archive.  [default: ./sangkien-store]"
)

author_fields = click.option(
    "--author-fields",
    type=PATH,
    help="Sheet of your authors' words for fields (CSV: phrase,code), beside the program's own.",
)
kinds = click.option(
    "--kinds",
    type=PATH,
    help="List of your kinds of solution (like data/kinds.csv), instead of the program's own.",
)
fields_of = click.option(
    "--store",
    type=PATH,
    envvar="SANGKIEN_STORE",
    help="Folder of the store whose list of fields is in use.  [default: ./sangkien-store]",
)

scope = click.option(
    "--scope",
    type=click.Choice(["unit", "union", "all"]),
    default="all",
    show_default=True,
    help="Pairs to show: of one place of work, of one upper union, or all. Records that name none stay in.",
)
form_text = click.option(
    "--form-text",
    type=PATH,
    help="Sheet of sentences of your forms (CSV: phrase), beside the program's own: they do not count.",
)
units = click.option(
    "--units",
    type=PATH,
    help="Register of your units (CSV: name,upper_union,sector,since,until); other names are listed.",
)
rules = click.option(
    "--rules",
    type=PATH,
    help="Sheet of your programme's rules of validity (CSV like data/validity.csv), instead of the shipped.",
)
keep_personal = click.option(
    "--keep-personal",
    is_flag=True,
    help="Keep birth dates, phones, ids of people, home and e-mail addresses, which are dropped otherwise.",
)
encoding = click.option(
    "--encoding",
    "encodings",
    multiple=True,
    type=click.Choice(["viscii", "vps"]),
    help="Old encoding to look for in columns, beside TCVN3, VNI, windows-1258 and UTF-8 gone wrong.",
)
unit_names = click.option(
    "--unit-aliases",
    type=PATH,
    help="Sheet of your unit names and abbreviations (CSV: alias,name,note), beside the program's own.",
)
fill_merged = click.option(
    "--fill-merged", is_flag=True, help="What cells merged down hold counts for each of their rows."
)
headers = click.option(
    "--headers",
    type=PATH,
    help="Sheet of your column names (CSV: alias,column), beside the program's own.",
)


_READING: Final = "pipeline.reading"


def tables(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--headers --encoding --fill-merged`` to a command; `reading.tables` looks them up."""

    @headers
    @encoding
    @fill_merged
    @wraps(command)
    def wrapped(
        *args: Any, headers: Path | None, encodings: tuple[str, ...], fill_merged: bool, **kwargs: Any
    ) -> Any:
        chosen = {"headers": headers, "encodings": encodings, "fill": fill_merged}
        click.get_current_context().meta[_READING] = chosen
        return command(*args, **kwargs)

    return wrapped


def reading() -> dict[str, Any]:
    """Return how the command was told to read tables (`tables`)."""
    found: dict[str, Any] = click.get_current_context().meta.get(_READING, {})
    return found


_ENCODER: Final = "pipeline.encoder"


def _remember(context: click.Context, _option: click.Parameter, folders: tuple[Path, ...]) -> None:
    context.meta[_ENCODER] = folders


encoder = click.option(
    "--encoder",
    type=PATH,
    envvar="SANGKIEN_ENCODER",
    multiple=True,
    expose_value=False,
    callback=_remember,
    help="Folder of a text encoder (model2vec, sentence-transformers) that a model reads texts with; may be "
    "given several times, for models of different ones.",
)


def readers(cut: Callable[[Sequence[str]], Sequence[str]] | None = None) -> Readers:
    """Return what classifiers may read texts with: words, and the encoders that the command was given.

    Args:
        cut: Gives each text its words; by default this process cuts them.
    """
    from pipeline import segment
    from pipeline.starter import Readers

    tables = cache_folder()
    return Readers(
        cut or (lambda texts: [text for text, _guarded in segment.column(texts, tables=tables)]),
        click.get_current_context().meta.get(_ENCODER, ()),
    )


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--lang --json --quiet`` to a command, which gets a `Console` as its first argument."""

    @click.option(
        "--lang",
        type=click.Choice(["vi", "en"]),
        default="vi",
        envvar="SANGKIEN_LANG",
        show_default=True,
        help="Language of documents and messages for people.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print a summary for machines on stdout.")
    @click.option("--quiet", is_flag=True, help="Say only what must be known.")
    @wraps(command)
    def wrapped(*args: Any, lang: str, as_json: bool, quiet: bool, **kwargs: Any) -> Any:
        return command(Console(language=lang, as_json=as_json, quiet=quiet), *args, **kwargs)

    return wrapped


def workers(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--workers`` and ``--engine``."""
    command = click.option(
        "--engine",
        type=click.Choice(["local"]),
        default="local",
        show_default=True,
        help="Where the work is done.",
    )(command)
    return click.option(
        "--workers",
        type=click.IntRange(min=1),
        default=lambda: os.cpu_count() or 1,
        show_default="one a processor",
        help="Processes to use; results are the same for any number.",
    )(command)


def models_folder() -> Path:
    """Return the folder of models: ``SANGKIEN_MODELS``, or ``models`` in the current folder."""
    return Path(os.environ.get("SANGKIEN_MODELS") or MODELS)


def cache_folder() -> Path | None:
    """Return this user's own folder for what can be made anew, or None where there is no home.

    That is ``SANGKIEN_CACHE``, or ``sangkien`` in the folder that the system has for such things
    (https://specifications.freedesktop.org/basedir-spec/latest/).
    """
    named = os.environ.get("SANGKIEN_CACHE")
    if named:
        return Path(named)
    place = os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", "")
    if Path(place).is_absolute():
        return Path(place) / "sangkien"
    try:
        return Path.home() / ".cache" / "sangkien"
    except RuntimeError:
        return None


def store_folder() -> Path:
    """Return the folder of the store where no option names one: ``SANGKIEN_STORE``, or the default."""
    return Path(os.environ.get("SANGKIEN_STORE") or STORE)


def now() -> str:
    """Return the time, ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def today() -> str:
    """Return the date where the user is, ISO 8601."""
    return datetime.now().astimezone().date().isoformat()
