"""One process at a time: a lock that the system lets go of when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import StoreLocked


@contextlib.contextmanager
def holding(path: Path, folder: Path) -> Iterator[None]:
    """Hold the lock file ``path``, which stands for ``folder``; nobody else holds it meanwhile.

    Raises:
        StoreLocked: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not _seize(descriptor):
            os.close(descriptor)
            raise StoreLocked(
                "{path}: another run is writing its results there. Try again when it has ended.", path=folder
            )
        if _is_at(descriptor, path):
            break
        os.close(descriptor)  # the run before took the file away between our opening and our locking
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # Windows does not remove an open file; an empty one stays behind
            path.unlink()
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _seize(descriptor: int) -> bool:
    """Lock an open file without waiting; return whether it was free."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 - there is none elsewhere

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 - there is none on Windows

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
