"""A folder of results that is there whole or not at all, and loses nothing a person put into it.

New results are made in a hidden folder beside the old ones and take their place in one step. Names
beside the folder ``out``::

    .out.lock   held while one run publishes
    .out.new    being written; worthless until it holds run.json, which is written last
    .out.old    the former results, for the moment of the exchange

Whatever a crash leaves of these, `settle` puts right at the next start.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pipeline.errors import OutputError, PermissionDenied, SangkienError, StoreLocked, UsageError
from pipeline.report import lock
from pipeline.report.files import sha256

RECORD: Final = "run.json"
"""The file that tells a folder of ours, and which bytes each of its other files had."""

PROGRAM: Final = "sangkien"
"""What `RECORD` says of who wrote it."""

KEPT: Final = "kept"
"""Where files stand that people added to or changed in former results: ``kept/1/…``, ``kept/2/…``."""

_EXCHANGE: Final = 2  # RENAME_EXCHANGE of renameat2(2)
_HERE: Final = -100  # AT_FDCWD: paths are relative to the working folder


def target(out: Path) -> Path:
    """Return the folder that ``out`` names, links followed, having checked that results may go there.

    Raises:
        UsageError: It is a file, the working folder, or holds something that is not a run's results.
    """
    try:
        folder = out.expanduser().resolve()
        lost = folder.is_symlink()  # from Python 3.13 on, a loop of links resolves to itself
    except (RuntimeError, OSError):
        lost = True
    if lost:
        raise UsageError("{path} is a link that leads nowhere. Name another folder.", path=out)
    if folder in (cwd := Path.cwd(), *cwd.parents):
        raise UsageError(
            "{path} is the working folder or holds it, and cannot be exchanged as a whole. "
            "Name a new folder, for example {example}.",
            path=out,
            example=out / "results",
        )
    if folder.exists() and not folder.is_dir():
        raise UsageError("{path} is a file. Name a folder for the results.", path=out)
    with telling(folder):
        if folder.is_dir() and any(folder.iterdir()) and _recorded(folder) is None:
            raise UsageError(
                "{path} holds files that are not the results of a run; nothing was touched. "
                "Name a new or an empty folder.",
                path=out,
            )
    return folder


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Give an empty folder to write into; afterwards it stands at ``folder`` whole, or not at all.

    Of the former results, files that were added or changed since they were written are carried along
    under ``kept``. An exception inside leaves ``folder`` as it was.
    """
    with telling(folder), lock.holding(_beside(folder, "lock"), folder):
        _settle(folder)
        new = _beside(folder, "new")
        new.mkdir()
        try:
            yield new
            if folder.is_dir():
                _rescue(folder, new)
                shutil.copymode(folder, new)
            _flush(new)
            _swap(new, folder)
        finally:
            # After an exchange the former results stand here; what was changed in them while the
            # new ones were being made is carried along too.
            _settle(folder)


def settle(folder: Path) -> None:
    """Finish or undo what an interrupted run left beside ``folder``; let a run be that is still writing."""
    if folder.parent.is_dir():
        with telling(folder), contextlib.suppress(StoreLocked), lock.holding(_beside(folder, "lock"), folder):
            _settle(folder)


@contextlib.contextmanager
def telling(folder: Path) -> Iterator[None]:
    """Turn what the system says into a sentence that names the place."""
    try:
        yield
    except SangkienError:
        raise
    except PermissionError as error:
        raise PermissionDenied(
            "{path}: the system refused to write there; nothing was published. "
            "Close files that are open in another program, allow writing, or name another folder.",
            path=error.filename or folder,
        ) from error
    except OSError as error:
        raise OutputError(
            "{path} could not be written ({reason}); nothing was published. "
            "Make room on the disk or name another folder, then run again.",
            path=folder,
            reason=os.strerror(error.errno) if error.errno else str(error),
        ) from error


def kept(folder: Path) -> tuple[Path, ...]:
    """Return the files that stand under ``kept``, in order."""
    return tuple(path for path in _files(folder) if path.relative_to(folder).parts[0] == KEPT)


def _beside(folder: Path, role: str) -> Path:
    return folder.with_name(f".{folder.name}.{role}")


def _recorded(folder: Path) -> dict[str, str] | None:
    """Return the SHA-256 of each file a run put into ``folder``; None where no run wrote it."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if record["program"] != PROGRAM:
            return None
        return {str(name): str(digest) for name, digest in record["outputs"].items()}
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _files(folder: Path) -> list[Path]:
    """Return every file and link below ``folder``, sorted; links are not followed."""
    found = []
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        found += [Path(root) / name for name in (*names, *links)]
    return sorted(found)


def _fingerprint(path: Path) -> str:
    """Return what tells a file's content from another's; of a link, where it leads."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return f"link to {os.readlink(path)}"  # noqa: PTH115 - the text of the link, not a Path made of it
    if not stat.S_ISREG(mode):
        raise UsageError("{path} is no ordinary file. Move it away, then run again.", path=path)
    return sha256(path)


def _rescue(old: Path, new: Path) -> None:
    """Copy into ``new`` what people added to or changed in ``old`` and what does not stand in ``new`` yet."""
    recorded = _recorded(old) or {}
    foreign: dict[Path, str] = {}
    for path in _files(old):
        name = path.relative_to(old)
        digest = _fingerprint(path)
        if name.as_posix() != RECORD and recorded.get(name.as_posix()) != digest:
            foreign[name] = digest
    if not foreign:
        return
    there = {path.relative_to(new): _fingerprint(path) for path in _files(new)}
    safe = {digest for name, digest in there.items() if name.parts[0] == KEPT}
    before = [name for name in foreign if name.parts[0] == KEPT and name not in there]
    fresh = [name for name in foreign if name not in before and foreign[name] not in safe]
    for name in before:
        _copy(old / name, new / name)
    numbers = [int(each.name) for each in (new / KEPT).glob("*") if each.name.isdecimal()]
    place = new / KEPT / str(max(numbers, default=0) + 1)
    for name in fresh:
        _copy(old / name, place / name)


def _copy(source: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, destination, follow_symlinks=False)
    if not destination.is_symlink():
        _sync(destination)
    _sync(destination.parent)


def _flush(folder: Path) -> None:
    """Put everything below ``folder`` on the disk: a rename that outlives a power cut must not outrun it."""
    for path in _files(folder):
        if not path.is_symlink():
            _sync(path)
    for root, _, _ in os.walk(folder):
        _sync(Path(root))


def _sync(path: Path) -> None:
    if sys.platform == "win32":
        if path.is_dir():  # Windows has no handle of a folder to flush
            return
        flags = os.O_RDWR | os.O_BINARY
    else:
        flags = os.O_RDONLY
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _swap(new: Path, folder: Path) -> None:
    """Put ``new`` in the place of ``folder``, in one step where the system can do that."""
    if not folder.exists():
        new.rename(folder)
    elif not _exchange(new, folder):
        folder.rename(_beside(folder, "old"))
        new.rename(folder)
    _sync(folder.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders' names in one step (renameat2, Linux); return False where that cannot be done."""
    if not sys.platform.startswith("linux"):
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    if renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number), str(other))


def _settle(folder: Path) -> None:
    """Leave only ``folder`` of what a publication makes, and in it everything that is worth keeping."""
    new, old = _beside(folder, "new"), _beside(folder, "old")
    if old.exists() and not folder.exists():
        # Stopped between two renames: the new results were complete, or there would be no old ones.
        (new if _recorded(new) is not None else old).rename(folder)
    for rest in (new, old):
        if rest.exists():
            if folder.exists() and _recorded(rest) is not None:
                _rescue(rest, folder)
            shutil.rmtree(rest)
