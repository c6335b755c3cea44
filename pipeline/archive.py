"""The archive's index beside its store: files that can be made again at any time, and are never half-used.

::

    <store>/index/manifest.json     which files count, and of which store, program and settings they are
    <store>/index/segment-N.bin     a header, then sorted postings (`dedupe.index`), mapped and not read
    <store>/index/words-N.bin       a header, then the rarest words of texts (`dedupe.rarest`), mapped too
    <store>/index/texts-N.npz       what each text weighs, and who filed it when

A segment or a table of words is never written again. A change writes new files, flushes them, and then puts a
new manifest in the place of the old one in one step: after a crash at any point the old files count, or the
new ones. What no manifest names is deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import dedupe, normalize
from pipeline.dedupe import features, index, join, lookup, neighbours, rarest
from pipeline.dedupe.search import IDENTITY, cut
from pipeline.dedupe.shingles import bounds_of
from pipeline.dedupe.syllables import Syllables
from pipeline.errors import OutputError, PermissionDenied
from pipeline.report.lock import holding
from pipeline.settings import Settings
from pipeline.store import Store

U64 = NDArray[np.uint64]

FOLDER: Final = "index"
MANIFEST: Final = "manifest.json"
ALGORITHM: Final = 2
"""Of hashing, weighing and the files: raised when one of them changes, so that older files are made again."""
_MAGIC: Final = {"segment": b"SKINDEX\n", "words": b"SKWORDS\n"}
_NUMBER: Final[dict[str, np.dtype[Any]]] = {"segment": np.dtype("<u8"), "words": np.dtype("<u4")}
_HEADER: Final = struct.Struct("<8sII16sQ")
_SIZE: Final = 64
_ROWS: Final = 5_000
_KEPT: Final = 10_000_000
"""Syllables that are kept until it is known what is form text: of more, the texts are read again."""
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


@dataclass(frozen=True, slots=True)
class Made:
    """What an index is made with: how records are compared, and what is known of words and forms."""

    settings: Settings
    known: dedupe.Knowledge

    def belongs(self, store: Store) -> dict[str, object]:
        """Return what an index must have been made from to be used."""
        return {
            "algorithm": ALGORITHM,
            "normalize": normalize.VERSION,
            "shingle": self.settings.shingle,
            "form_min": self.settings.form_min,
            "form_share": self.settings.form_share,
            "store": store.stamp(),
        }

    def cut(self, part: pd.DataFrame) -> tuple[pd.DataFrame, Syllables]:
        """Return records repaired, and their syllables."""
        clean = normalize.frame(part)
        return clean, cut(clean, self.known, self.settings)

    def rarest(self, texts: Syllables, form: U64) -> features.Said:
        """Return the rarest words of texts outside form text."""
        said = features.spoken(texts, form, self.known.lexicon)
        return said.heaviest(neighbours.RAREST, self.known.lexicon)


def load(folder: Path, store: Store, made: Made, *, words: bool = True) -> lookup.Index | None:
    """Return the index of a store, or None if there is none that is whole and of this store as it is.

    Args:
        folder: The store's folder.
        store: The store.
        made: What it must be made with.
        words: Whether its words must be taken with what is known now, which only asking for them needs.
    """
    try:
        found = _load(folder / FOLDER, made.belongs(store))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    return None if found is None or (words and found.knowledge != made.known.digest()) else found


def _load(folder: Path, belongs: dict[str, object]) -> lookup.Index | None:
    told = _manifest(folder)
    if told is None or told["belongs"] != belongs:
        return None
    segments = tuple(_mapped(folder / str(name), "segment", int(count)) for name, count in told["segments"])
    tables = tuple(_mapped(folder / str(name), "words", int(count)) for name, count in told["words"])
    # Opened here, so that it is closed when numpy finds it damaged.
    with (folder / str(told["texts"])).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        fields = {name: arrays[name] for name in _ARRAYS}
        ids = arrays["ids"].tobytes().decode()
        words, counts = arrays["words"], arrays["word_counts"]
    held = index.Holdings(
        segments=segments,
        ids=tuple(ids.split("\0")) if ids else (),
        knobs=_knobs(belongs),
        **fields,
    )
    said = rarest.Rarest(tuple(table.reshape(-1, neighbours.RAREST) for table in tables), words, counts)
    return lookup.Index(held, said, str(told["knowledge"])) if len(said) == len(held.live) else None


def _knobs(belongs: dict[str, Any]) -> index.Knobs:
    return index.Knobs(belongs["form_min"], belongs["form_share"])


def _manifest(folder: Path) -> dict[str, Any] | None:
    """Return what the manifest says, None if it is damaged."""
    said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    told: dict[str, Any] = said["told"]
    return told if said["sha256"] == _digest(told) else None


def _digest(told: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _header(kind: str, count: int) -> bytes:
    said = _HEADER.pack(_MAGIC[kind], ALGORITHM, join.RECORD_BITS, normalize.VERSION.encode(), count)
    return (said + struct.pack("<I", zlib.crc32(said))).ljust(_SIZE, b"\0")


def _mapped(path: Path, kind: str, count: int) -> NDArray[Any]:
    """Return the numbers in a file, mapped into memory.

    Raises:
        ValueError: It is no file of this kind and so many numbers by this program.
    """
    number = _NUMBER[kind]
    with path.open("rb") as file:
        header = file.read(_SIZE)
    if header != _header(kind, count) or path.stat().st_size != _SIZE + number.itemsize * count:
        message = f"{path.name} is no {kind} of {count} numbers"
        raise ValueError(message)
    mapped: NDArray[Any] = np.memmap(path, dtype=number, mode="r", offset=_SIZE, shape=(count,))
    return mapped


def condition(folder: Path, store: Store, made: Made) -> Condition:
    """Return how the index of a store is."""
    place = folder / FOLDER
    size = sum(path.stat().st_size for path in place.iterdir()) if place.is_dir() else 0
    found = load(folder, store, made, words=False)
    if found is None:
        return Condition(current=False, records=0, texts=0, segments=0, size=size)
    held = found.held
    return Condition(
        current=True, records=len(held.ids), texts=held.texts, segments=len(held.segments), size=size
    )


def rebuild(folder: Path, store: Store, made: Made, *, advance: Advance | None = None) -> None:
    """Make the index of a store again, from its records.

    Args:
        folder: The store's folder.
        store: The store, opened for writing: nobody else may change it meanwhile.
        made: What it is made with.
        advance: Told how many records were read, part by part.
    """
    with _alone(folder):
        _publish(folder, _anew(store, made, advance), made.belongs(store))


def _anew(store: Store, made: Made, advance: Advance | None = None) -> lookup.Index:
    knobs = index.Knobs(made.settings.form_min, made.settings.form_share)
    empty = lookup.Index(index.nothing(knobs), rarest.nothing(), made.known.digest())
    return _with(empty, lambda: store.batches(_ROWS), made, advance)


def _with(
    found: lookup.Index,
    parts: Callable[[], Iterable[pd.DataFrame]],
    made: Made,
    advance: Advance | None = None,
) -> lookup.Index:
    """Return the index with the records of some tables added.

    What is form text is known when all are counted; only then are their words.
    """
    postings, ids, dates = join.Postings(), list[str](), list[str]()
    kept: list[Syllables] = []
    size = 0
    for part in parts():
        clean, texts = made.cut(part)
        postings.add(texts.marks)
        ids += clean["id"].tolist()
        dates += clean["submitted"].tolist()
        size += len(texts.codes)
        kept = [*kept, texts] if size <= _KEPT else []
        if advance:
            advance(len(part))
    arrived = index.arrivals(found.held, postings, least=IDENTITY)
    held = index.added(found.held, arrived, ids, dates)
    again = kept if size <= _KEPT else (made.cut(part)[1] for part in parts())
    said = _rarest(again, arrived.text, len(found.held.live), np.union1d(made.known.form, held.common), made)
    return lookup.Index(held, rarest.added(found.rarest, said), found.knowledge)


def _rarest(
    texts: Iterable[Syllables], numbers: NDArray[np.int64], old: int, form: U64, made: Made
) -> features.Said:
    """Return the rarest words of the texts numbered from ``old`` on, each said by its first record."""
    done, codes, sizes = 0, [np.zeros(0, np.uint32)], [np.zeros(0, np.int64)]
    following = old
    for part in texts:
        mine = numbers[done : done + len(part)]
        done += len(part)
        # New texts are numbered in the order of their first records.
        first = np.flatnonzero(mine >= following)
        first = first[np.unique(mine[first], return_index=True)[1]]
        following = max(following, int(mine.max(initial=-1)) + 1)
        said = made.rarest(part.take(first), form)
        codes.append(said.codes)
        sizes.append(np.diff(said.bounds))
    return features.Said(np.concatenate(codes), bounds_of(np.concatenate(sizes)))


def add(folder: Path, store: Store, batch: pd.DataFrame, made: Made, *, now: str) -> Any:
    """Put records into the store (`Store.add`) and into its index, and return what became of them.

    An index that does not belong to the store as it was is made again.
    """
    with _alone(folder):
        found = load(folder, store, made)
        done = store.add(batch, now=now)
        if found is None:
            found = _anew(store, made)
        elif done.added:
            new = batch[batch["id"].isin(done.added)].reset_index(drop=True)
            starts = range(0, len(new), _ROWS)
            found = _with(found, lambda: (new[start : start + _ROWS] for start in starts), made)
        _publish(folder, found, made.belongs(store))
    return done


def remove(folder: Path, store: Store, ids: Iterable[str], made: Made, *, now: str) -> tuple[str, ...]:
    """Take records out of the store (`Store.remove`) and out of every file of its index."""
    with _alone(folder):
        found = load(folder, store, made, words=False)
        gone = store.remove(list(ids), now=now)
        if found is None:
            found = _anew(store, made)
        elif gone:
            held = index.removed(found.held, gone)
            found = lookup.Index(held, rarest.removed(found.rarest, ~held.live), found.knowledge)
        _publish(folder, found, made.belongs(store))
    return gone


def _alone(folder: Path) -> Any:
    return holding(folder / f"{FOLDER}.lock", folder)


def _publish(folder: Path, found: lookup.Index, belongs: dict[str, object]) -> None:
    """Write what is new of an index, let the new manifest count, and delete what it does not name."""
    place = folder / FOLDER
    try:
        place.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(path.stem.split("-")[1]) for path in place.glob("*-*.*")), default=0)
        segments = [
            _written(place, "segment", parts, number + at)
            for at, parts in enumerate(_few(found.held.segments))
        ]
        tables = [
            _written(place, "words", parts, number + at) for at, parts in enumerate(_few(found.rarest.tables))
        ]
        texts = f"texts-{number}.npz"
        _write_texts(place / texts, found)
        told = {
            "belongs": belongs,
            "knowledge": found.knowledge,
            "segments": segments,
            "words": tables,
            "texts": texts,
        }
        beside = place / f"{MANIFEST}.new"
        beside.write_text(json.dumps({"told": told, "sha256": _digest(told)}), encoding="utf-8")
        _flush(beside)
        beside.replace(place / MANIFEST)
        _flush(place)
        kept = {MANIFEST, texts, *(name for name, _ in (*segments, *tables))}
        for path in place.iterdir():
            if path.name not in kept:
                path.unlink()
    except PermissionError as fault:
        raise PermissionDenied("{path} cannot be written: the system refuses access.", path=place) from fault
    except OSError as fault:
        raise OutputError("{path}: {fault}.", path=place, fault=fault.strerror or fault) from fault


def _few(arrays: Sequence[NDArray[Any]]) -> list[list[NDArray[Any]]]:
    """Return the arrays, those that are to become one together."""
    count = index.to_merge([array.size for array in arrays]) or 1
    return [*([array] for array in arrays[:-count]), list(arrays[-count:])] if arrays else []


def _written(place: Path, kind: str, parts: list[NDArray[Any]], number: int) -> tuple[str, int]:
    """Return name and size of the file of some arrays, which is written unless it is a file already."""
    whole = parts[0]
    if len(parts) == 1 and isinstance(whole, np.memmap) and whole.filename is not None:
        return Path(str(whole.filename)).name, whole.size
    count = sum(part.size for part in parts)
    path = place / f"{kind}-{number}.bin"
    with path.open("wb") as file:
        file.write(_header(kind, count))
        for window in index.merged(parts) if kind == "segment" else parts:
            file.write(window.astype(_NUMBER[kind], copy=False).tobytes())
        file.flush()
        os.fsync(file.fileno())
    return path.name, count


def _write_texts(path: Path, found: lookup.Index) -> None:
    arrays: dict[str, Any] = {name: getattr(found.held, name) for name in _ARRAYS}
    arrays |= {"words": found.rarest.words, "word_counts": found.rarest.counts}
    ids = np.frombuffer("\0".join(found.held.ids).encode(), dtype=np.uint8)
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
