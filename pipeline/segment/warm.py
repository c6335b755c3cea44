"""The model's tables on disk, so that a process need not make them again.

A file holds a SHA-256 of what follows and an uncompressed NPZ archive of arrays: nothing in it can run. What
is damaged, of another version or not there is made anew; what cannot be written only costs time.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.segment.crf import Grams, Tables
from pipeline.segment.lattice import Tokens
from pipeline.segment.lexicon import Known

FORMAT: Final = "1"  # to be raised when the tables mean something else
_SEAL: Final = hashlib.sha256().digest_size


def path(folder: Path, version: str) -> Path:
    """Return where the tables of a version stand in ``folder``."""
    return folder / f"segment-{version}-{FORMAT}.tables"


def read(file: Path) -> tuple[Tables, Known] | None:
    """Return what `write` kept, or None where there is nothing that can be used."""
    try:
        sealed = file.read_bytes()
        if sealed[:_SEAL] != _seal(file, sealed[_SEAL:]):
            return None
        with np.load(io.BytesIO(sealed[_SEAL:]), allow_pickle=False) as arrays:
            return _unpacked(dict(arrays))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def write(file: Path, tables: Tables, known: Known) -> None:
    """Keep the tables for the next process; where that cannot be done, nothing happens."""
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **_packed(tables, known))
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f"{file.stem}-", delete=False) as draft:
            draft.write(_seal(file, packed.getvalue()) + packed.getvalue())
        Path(draft.name).replace(file)  # another process may do the same: whichever comes last, it is whole
    except OSError:
        return


def _seal(file: Path, content: bytes) -> bytes:
    """Return the digest of name and content: a file of another version under this name is none of ours."""
    return hashlib.sha256(file.name.encode() + b"\n" + content).digest()


def _packed(tables: Tables, known: Known) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {"known": _lines(known.words)}
    for name, value in tables._asdict().items():
        if isinstance(value, Grams):
            arrays |= {f"{name}.keys": value.keys, f"{name}.values": value.values}
        else:
            arrays[name] = _lines(value) if isinstance(value, list) else value
    return arrays | {f"known.{name}": value for name, value in known.tokens._asdict().items()}


def _unpacked(arrays: dict[str, NDArray[Any]]) -> tuple[Tables, Known]:
    tables: dict[str, Any] = {}
    for name in Tables._fields:
        if f"{name}.keys" in arrays:
            tables[name] = Grams(arrays[f"{name}.keys"], arrays[f"{name}.values"])
        else:
            values = arrays[name]
            tables[name] = _listed(values) if values.dtype == np.uint8 else values
    tokens = Tokens(**{name: arrays[f"known.{name}"] for name in Tokens._fields})
    return Tables(**tables), Known(_listed(arrays["known"]), tokens)


def _lines(words: list[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def _listed(lines: NDArray[np.uint8]) -> list[str]:
    return lines.tobytes().decode().split("\n")
