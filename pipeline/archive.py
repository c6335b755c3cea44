"""The archive's index beside its store: files that can be made again at any time, and are never half-used.

::

    <store>/index/manifest.json     which files count, and of which store, program and settings they are
    <store>/index/segment-N.bin     a header, then sorted postings (`dedupe.index`), mapped and not read
    <store>/index/texts-N.npz       what each text weighs, and who filed it when

A segment is never written again. A change writes new files, flushes them, and then puts a new manifest in the
place of the old one in one step: after a crash at any point the old files count, or the new ones. What no
manifest names is deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import normalize
from pipeline.dedupe import index, join
from pipeline.dedupe.search import IDENTITY
from pipeline.dedupe.shingles import fingerprint
from pipeline.errors import OutputError, PermissionDenied
from pipeline.report.lock import holding
from pipeline.settings import Settings
from pipeline.store import Store

U64 = NDArray[np.uint64]

FOLDER: Final = "index"
MANIFEST: Final = "manifest.json"
ALGORITHM: Final = 1
"""Of hashing, weighing and the files: raised when one of them changes, so that older files are made again."""
_MAGIC: Final = b"SKINDEX\n"
_HEADER: Final = struct.Struct("<8sII16sQ")
_SIZE: Final = 64
_ROWS: Final = 5_000
_ARRAYS: Final = (
    "digests",
    "comparable",
    "live",
    "counted",
    "logs",
    "common",
    "common_counts",
    "text",
    "dates",
)

Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Condition:
    """An index in a few numbers; ``current`` says whether it is that of the store as it is."""

    current: bool
    records: int
    texts: int
    segments: int
    size: int


def _belongs(store: Store, settings: Settings) -> dict[str, object]:
    """Return what an index must have been made from to be used."""
    return {
        "algorithm": ALGORITHM,
        "normalize": normalize.VERSION,
        "shingle": settings.shingle,
        "form_min": settings.form_min,
        "form_share": settings.form_share,
        "store": store.stamp(),
    }


def load(folder: Path, store: Store, settings: Settings) -> index.Holdings | None:
    """Return the index of a store, or None if there is none that is whole and of this store as it is."""
    try:
        return _load(folder / FOLDER, _belongs(store, settings))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None


def _load(folder: Path, belongs: dict[str, object]) -> index.Holdings | None:
    told = _manifest(folder)
    if told is None or told["belongs"] != belongs:
        return None
    segments = tuple(_segment(folder / str(name), int(count)) for name, count in told["segments"])
    # Opened here, so that it is closed when numpy finds it damaged.
    with (folder / str(told["texts"])).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        fields = {name: arrays[name] for name in _ARRAYS}
        ids = arrays["ids"].tobytes().decode()
    return index.Holdings(
        segments=segments,
        ids=tuple(ids.split("\0")) if ids else (),
        knobs=_knobs(belongs),
        **fields,
    )


def _knobs(belongs: dict[str, Any]) -> index.Knobs:
    return index.Knobs(belongs["form_min"], belongs["form_share"])


def _manifest(folder: Path) -> dict[str, Any] | None:
    """Return what the manifest says, None if it is damaged."""
    said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    told: dict[str, Any] = said["told"]
    return told if said["sha256"] == _digest(told) else None


def _digest(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _header(count: int) -> bytes:
    said = _HEADER.pack(_MAGIC, ALGORITHM, join.RECORD_BITS, normalize.VERSION.encode(), count)
    return (said + struct.pack("<I", zlib.crc32(said))).ljust(_SIZE, b"\0")


def _segment(path: Path, count: int) -> U64:
    """Return the postings in a file, mapped into memory.

    Raises:
        ValueError: It is not a segment of so many postings by this program.
    """
    with path.open("rb") as file:
        header = file.read(_SIZE)
    if header != _header(count) or path.stat().st_size != _SIZE + 8 * count:
        message = f"{path.name} is no segment of {count} postings"
        raise ValueError(message)
    return np.memmap(path, dtype="<u8", mode="r", offset=_SIZE, shape=(count,))


def condition(folder: Path, store: Store, settings: Settings) -> Condition:
    """Return how the index of a store is."""
    place = folder / FOLDER
    size = sum(path.stat().st_size for path in place.iterdir()) if place.is_dir() else 0
    held = load(folder, store, settings)
    if held is None:
        return Condition(current=False, records=0, texts=0, segments=0, size=size)
    return Condition(
        current=True, records=len(held.ids), texts=held.texts, segments=len(held.segments), size=size
    )


def rebuild(folder: Path, store: Store, settings: Settings, *, advance: Advance | None = None) -> None:
    """Make the index of a store again, from its records.

    Args:
        folder: The store's folder.
        store: The store, opened for writing: nobody else may change it meanwhile.
        settings: What form text is.
        advance: Told how many records were read, part by part.
    """
    with _alone(folder):
        _publish(folder, _made(store, settings, advance), _belongs(store, settings))


def _made(store: Store, settings: Settings, advance: Advance | None) -> index.Holdings:
    empty = index.nothing(index.Knobs(settings.form_min, settings.form_share))
    return _with(empty, store.batches(_ROWS), settings, advance)


def _with(
    held: index.Holdings, parts: Iterable[pd.DataFrame], settings: Settings, advance: Advance | None = None
) -> index.Holdings:
    """Return the index with the records of some tables added."""
    postings, ids, dates = join.Postings(), list[str](), list[str]()
    for part in parts:
        clean = normalize.frame(part)
        cells = zip(clean["clean_title"].tolist(), clean["clean_description"].tolist(), strict=True)
        postings.add(fingerprint([f"{title}\n{text}" for title, text in cells], width=settings.shingle))
        ids += clean["id"].tolist()
        dates += clean["submitted"].tolist()
        if advance:
            advance(len(part))
    return index.added(held, index.arrivals(held, postings, least=IDENTITY), ids, dates)


def add(folder: Path, store: Store, batch: pd.DataFrame, settings: Settings, *, now: str) -> Any:
    """Put records into the store (`Store.add`) and into its index, and return what became of them.

    An index that does not belong to the store as it was is made again.
    """
    with _alone(folder):
        held = load(folder, store, settings)
        done = store.add(batch, now=now)
        if held is None:
            held = _made(store, settings, None)
        elif done.added:
            new = batch[batch["id"].isin(done.added)].reset_index(drop=True)
            held = _with(held, (new[start : start + _ROWS] for start in range(0, len(new), _ROWS)), settings)
        _publish(folder, held, _belongs(store, settings))
    return done


def remove(
    folder: Path, store: Store, ids: Iterable[str], settings: Settings, *, now: str
) -> tuple[str, ...]:
    """Take records out of the store (`Store.remove`) and out of every file of its index."""
    with _alone(folder):
        held = load(folder, store, settings)
        gone = store.remove(list(ids), now=now)
        if held is None:
            held = _made(store, settings, None)
        elif gone:
            held = index.removed(held, gone)
        _publish(folder, held, _belongs(store, settings))
    return gone


def _alone(folder: Path) -> Any:
    return holding(folder / f"{FOLDER}.lock", folder)


def _publish(folder: Path, held: index.Holdings, belongs: dict[str, object]) -> None:
    """Write what is new of an index, let the new manifest count, and delete what it does not name."""
    place = folder / FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(path.stem.split("-")[1]) for path in place.glob("*-*.*")), default=0)
        names = [_written(place, segment, number + at) for at, segment in enumerate(_few(held.segments))]
        texts = f"texts-{number}.npz"
        _write_texts(place / texts, held)
        told = {"belongs": belongs, "segments": names, "texts": texts}
        beside = place / f"{MANIFEST}.new"
        beside.write_text(json.dumps({"told": told, "sha256": _digest(told)}), encoding="utf-8")
        _flush(beside)
        beside.replace(place / MANIFEST)
        _flush(place)
        kept = {MANIFEST, texts, *(name for name, _ in names)}
        for path in place.iterdir():
            if path.name not in kept:
                path.unlink()
    except PermissionError as fault:
        raise PermissionDenied("{path} cannot be written: the system refuses access.", path=place) from fault
    except OSError as fault:
        raise OutputError("{path}: {fault}.", path=place, fault=fault.strerror or fault) from fault


def _few(segments: tuple[U64, ...]) -> list[U64 | list[U64]]:
    """Return the segments, the last ones as a list that is to become one."""
    count = index.to_merge([len(segment) for segment in segments])
    if not count:
        return list(segments)
    return [*segments[:-count], list(segments[-count:])]


def _written(place: Path, segment: U64 | list[U64], number: int) -> tuple[str, int]:
    """Return name and size of the file of a segment, which is written unless it is a file already."""
    if isinstance(segment, np.memmap) and segment.filename is not None:
        return Path(str(segment.filename)).name, len(segment)
    parts = segment if isinstance(segment, list) else [segment]
    count = sum(map(len, parts))
    path = place / f"segment-{number}.bin"
    with path.open("wb") as file:
        file.write(_header(count))
        for window in _windows(parts):
            file.write(window.astype("<u8", copy=False).tobytes())
        file.flush()
        os.fsync(file.fileno())
    return path.name, count


def _windows(parts: list[U64]) -> Iterator[U64]:
    yield from index.merged(parts)


def _write_texts(path: Path, held: index.Holdings) -> None:
    arrays = {name: getattr(held, name) for name in _ARRAYS}
    ids = np.frombuffer("\0".join(held.ids).encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez(file, ids=ids, **arrays)
        file.flush()
        os.fsync(file.fileno())


def _flush(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk: a rename must not outrun what it names."""
    if path.is_dir() and os.name == "nt":  # Windows has no handle of a folder to flush
        return
    descriptor = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
