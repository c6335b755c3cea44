"""The shelf of models: saved whole, loaded only when nothing about them has changed, one of them in use.

::

    models/<name>/0001-1f2e3d4c/model.skops     what was learned, in a file that holds no code
    models/<name>/0001-1f2e3d4c/card.json       what it is, what it was made from, and the seal of both
    models/<name>/current                       the version in use; below it those used before, latest first

Any object of plain parts (numbers, texts, arrays, estimators) that skops can write may be stored. Nothing
here unpickles, and which types a file may hold is decided here, never by the file (an allow-list read from a
model let crafted models run code elsewhere). A file takes no more memory than it is long, and leads nowhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import itertools
import json
import os
import re
import shutil
import stat
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import skops.io

from pipeline.errors import GateRefused, InputNotFound, OutputError, PermissionDenied, UsageError

SCHEMA: Final = 1
MODEL: Final = "model.skops"
CARD: Final = "card.json"
CURRENT: Final = "current"
_SCHEMA: Final = "schema.json"

ALLOWED: Final = frozenset[str]()
"""Types a model may hold beyond those that skops itself holds safe (numpy, scipy and scikit-learn's own)."""

_LOADERS: Final = frozenset(
    {"CachedNode", "DictNode", "JsonNode", "ListNode", "NdArrayNode", "ObjectNode", "TupleNode", "TypeNode"}
)
"""Ways of reading that make data and estimators of it; none makes a function, or unpacks what is packed."""

RESERVED: Final = ("schema", "name", "version", "libraries", "model", "promotion", "seal")
"""Keys of a card that the registry writes."""

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_VERSION: Final = re.compile(r"(\d{4,})-[0-9a-f]{8}")
_STAGING: Final = re.compile(r"\.\d{4,}|\.current\.\d+")
_ABANDONED: Final = 24 * 3600
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_MOST_OF_CARD: Final = 1 << 26
_MOST_OF_SCHEMA: Final = 1 << 24
_ARRAY: Final = b"\x93NUMPY"


@dataclass(frozen=True, slots=True)
class Stored:
    """A model from the shelf: what was saved, and its card."""

    version: str
    model: Any
    card: dict[str, Any]


def save(root: Path, name: str, model: Any, card: Mapping[str, Any]) -> str:
    """Return the version under which ``model`` now stands on the shelf.

    Versions count up and end in the first 8 digits of their content's SHA-256: the same model with the
    same card (its date ``created`` aside) is one version, however often it is saved. It is not yet in
    use; see `promote`. A version appears whole or not at all, also when several processes save at once.

    Args:
        root: The folder of models; made if need be.
        name: Small letters, digits, ``-`` and ``_``.
        model: Anything that skops writes without types of our own.
        card: JSON values of the caller's: labels, taxonomy, metrics, hash of the data, ``created`` …

    Raises:
        UsageError: The name is no name, or the card claims a reserved key.
        GateRefused: The model holds a type that could not be loaded again.
        OutputError, PermissionDenied: The system did not let it be written.
    """
    _check_name(name)
    taken = [key for key in RESERVED if key in card]
    if taken:
        raise UsageError("The card must not hold {key}: the registry writes it.", key=taken[0])
    data = _deterministic(skops.io.dumps(model))
    _check_types(data, name)
    body = {
        **card,
        "schema": SCHEMA,
        "name": name,
        "libraries": _libraries(),
        "model": {"file": MODEL, "bytes": len(data), "sha256": _sha256(data)},
    }
    mark = _sha256(_json({key: value for key, value in body.items() if key != "created"}))[:8]
    folder = root / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        known = [version for version in versions(root, name) if version.endswith(mark)]
        return known[0] if known else _publish(folder, mark, data, body)
    except PermissionError as fault:
        raise PermissionDenied("Models cannot be written to {path}.", path=str(folder)) from fault
    except OSError as fault:
        raise OutputError(
            "The model could not be saved in {path}: {fault}.", path=str(folder), fault=fault
        ) from fault


def load(root: Path, name: str, version: str | None = None, *, taxonomy: str | None = None) -> Stored:
    """Return a model and its card: of ``version``, or the one in use.

    Args:
        root: The folder of models.
        name: The model's name.
        version: As `save` returned it.
        taxonomy: If given, the version of the taxonomy that the card must name.

    Raises:
        InputNotFound: There is no such model, or none is in use.
        OutputError: Model or card are not what was saved: one changed bit suffices.
        GateRefused: The file holds types that are not allowed, or was made for other libraries or another
            taxonomy.
    """
    version = version or current(root, name)
    if version is None:
        raise InputNotFound(
            "No version of the model {name} is in use in {root}. Train one, or promote a version.",
            name=name,
            root=str(root),
        )
    folder = _folder(root, name, version)
    card = _read_card(folder, name, version)
    _check_fit(card, taxonomy)
    promised = card["model"]
    data = _read(folder / MODEL, most=promised["bytes"])
    if len(data) != promised["bytes"] or _sha256(data) != promised.get("sha256"):
        raise _damaged(folder / MODEL)
    _check_types(data, name)
    try:
        return Stored(version, skops.io.loads(data, trusted=sorted(ALLOWED)), card)
    except Exception as fault:  # noqa: BLE001 - a crafted file can fail anywhere in a reader
        raise _no_model(name, fault) from None


def versions(root: Path, name: str) -> list[str]:
    """Return the versions of a model, oldest first; [] when there is none."""
    _check_name(name)
    folder = root / name
    found = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return sorted(filter(_VERSION.fullmatch, found), key=_order)


def names(root: Path) -> list[str]:
    """Return the names of the models on the shelf, sorted."""
    found = [entry.name for entry in root.iterdir() if entry.is_dir()] if root.is_dir() else []
    return sorted(name for name in found if _NAME.fullmatch(name) and versions(root, name))


def card(root: Path, name: str, version: str) -> dict[str, Any]:
    """Return the card of a version; raises as `load` does where the card was changed."""
    return _read_card(_folder(root, name, version), name, version)


def current(root: Path, name: str) -> str | None:
    """Return the version in use, None when there is none."""
    used = _used(root, name)
    return used[0] if used else None


def promote(root: Path, name: str, version: str, *, note: Mapping[str, Any] | None = None) -> None:
    """Put ``version`` in use, after checking that it loads.

    Args:
        root: The folder of models.
        name: The model's name.
        version: As `save` returned it.
        note: Why, in JSON values; the card keeps it under ``promotion``.
    """
    load(root, name, version)
    if note is not None:
        _annotate(root, name, version, note)
    used = _used(root, name)
    if used[:1] != [version]:
        _write_used(root, name, [version, *used])


def rollback(root: Path, name: str) -> str:
    """Return the version that was in use before, now in use again.

    Raises:
        InputNotFound: None was in use before.
    """
    used = _used(root, name)
    if len(used) <= 1:
        raise InputNotFound("No earlier version of the model {name} was in use.", name=name)
    load(root, name, used[1])
    _write_used(root, name, used[1:])
    return used[1]


def _annotate(root: Path, name: str, version: str, note: Mapping[str, Any]) -> None:
    """Write ``note`` into the card of a version, whole or not at all, under a new seal."""
    folder = _folder(root, name, version)
    sealed = {**_read_card(folder, name, version), "promotion": dict(note)}
    sealed["seal"] = _sha256(_json(sealed))
    staging = root / name / f".{CURRENT}.{os.getpid()}"
    try:
        _write(staging, _json(sealed))
        staging.replace(folder / CARD)
    except PermissionError as fault:
        raise PermissionDenied("Models cannot be written to {path}.", path=str(folder)) from fault
    _sync(folder)


def _publish(folder: Path, mark: str, data: bytes, body: Mapping[str, Any]) -> str:
    """Return the version under which the files now stand, written beside it and moved there at once."""
    staging, number = _claim(folder)
    version = f"{number:04d}-{mark}"
    sealed = {**body, "version": version}
    sealed["seal"] = _sha256(_json(sealed))
    try:
        _write(staging / MODEL, data)
        _write(staging / CARD, _json(sealed))
        _sync(staging)
        staging.rename(folder / version)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    _sync(folder)
    return version


def _claim(folder: Path) -> tuple[Path, int]:
    """Return an empty folder to write into, and the number that is ours alone while it stands."""
    _sweep(folder)
    number = max(
        (_order(entry.name)[0] for entry in folder.iterdir() if _VERSION.fullmatch(entry.name)), default=0
    )
    while True:
        number += 1
        staging = folder / f".{number:04d}"
        try:
            staging.mkdir()
        except FileExistsError:
            continue
        # Between our look and our claim another process may have finished this very number.
        if not any(folder.glob(f"{number:04d}-*")):
            return staging, number
        staging.rmdir()


def _sweep(folder: Path) -> None:
    """Remove what a killed process left behind a day ago or more."""
    for entry in folder.iterdir():
        # Another process may finish, and so rename, what we are looking at.
        with contextlib.suppress(FileNotFoundError):
            if _STAGING.fullmatch(entry.name) and time.time() - entry.stat().st_mtime > _ABANDONED:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _deterministic(data: bytes) -> bytes:
    """Return a skops file without what differs from run to run: dates, and addresses used as names.

    skops calls every object by where it lay in memory; here they are numbered as they come.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    schema = json.loads(members.pop(_SCHEMA))
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}
    renamed = _renumber(schema, numbers, files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for old, new in sorted(files.items(), key=lambda pair: pair[1]):
            archive.writestr(zipfile.ZipInfo(new, _LONG_AGO), members[old])
        archive.writestr(zipfile.ZipInfo(_SCHEMA, _LONG_AGO), json.dumps(renamed, indent=1))
    return out.getvalue()


def _renumber(node: Any, numbers: dict[int, int], files: dict[str, str]) -> Any:
    """Return ``node`` with object ids and file names numbered in order of appearance."""
    if isinstance(node, list):
        return [_renumber(part, numbers, files) for part in node]
    if not isinstance(node, dict):
        return node
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key == "__id__" and isinstance(value, int):
            found[key] = numbers.setdefault(value, len(numbers) + 1)
        elif key == "file" and "__loader__" in node and isinstance(value, str):
            found[key] = files.setdefault(value, f"{len(files):06d}{Path(value).suffix}")
        else:
            found[key] = _renumber(value, numbers, files)
    return found


def _check_types(data: bytes, name: str) -> None:
    """Refuse a model file that is no plain skops file of allowed types; nothing in it is run."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            strange = _unfolding(archive) or _strange(_nodes(json.loads(archive.read(_SCHEMA))))
        # Asked last: to answer it reads every array.
        strange = strange or sorted(set(skops.io.get_untrusted_types(data=data)) - ALLOWED)
    except Exception as fault:  # noqa: BLE001 - a crafted file can fail anywhere in a reader
        raise _no_model(name, fault) from None
    if strange:
        raise GateRefused(
            "The model {name} holds {types}, which a model must not hold; it was not loaded.",
            name=name,
            types=", ".join(strange),
        )


def _no_model(name: str, fault: Exception) -> GateRefused:
    kind = type(fault).__name__
    return GateRefused("The model {name} is not a model file ({kind}).", name=name, kind=kind)


def _unfolding(archive: zipfile.ZipFile) -> list[str]:
    """Return what in a file takes more memory than it is long, in words; [] where nothing does."""
    entries = archive.infolist()
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        return ["packed data"]
    if sum(entry.file_size for entry in entries) > sum(entry.compress_size for entry in entries):
        return ["packed data"]
    # Entries may overlap in the file, so that one array is there a thousand times.
    places = sorted((entry.header_offset, entry.file_size) for entry in entries)
    if any(start + size > end for (start, size), (end, _) in itertools.pairwise(places)):
        return ["overlapping data"]
    if archive.getinfo(_SCHEMA).file_size > _MOST_OF_SCHEMA:
        return ["endless structure"]
    for entry in entries:
        if entry.filename != _SCHEMA:
            with archive.open(entry) as file:
                if file.read(len(_ARRAY)) != _ARRAY:
                    return ["other data than arrays"]
    return []


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every object that a schema describes."""
    left = [schema]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            if "__loader__" in each:
                yield each
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)


def _strange(nodes: Iterator[dict[str, Any]]) -> list[str]:
    """Return what a model must not be made of, by name, and arrays that are read more than once."""
    found: set[str] = set()
    readers: dict[str, object] = {}
    for node in nodes:
        if node["__loader__"] not in _LOADERS:
            found.add(f"{node.get('__module__')}.{node.get('__class__')}")
        if "file" in node and readers.setdefault(str(node["file"]), node.get("__id__", node)) != node.get(
            "__id__"
        ):
            found.add("one array many times")
    return sorted(found)


def _check_fit(card: Mapping[str, Any], taxonomy: str | None) -> None:
    """Refuse a model made for other libraries or another taxonomy."""
    for library, now in _libraries().items():
        made = str(card["libraries"].get(library, "none"))
        if made.split(".")[:2] != now.split(".")[:2]:
            raise GateRefused(
                "The model {name} {version} was made with {library} {made}; {now} is installed. "
                "Train it again.",
                name=card["name"],
                version=card["version"],
                library=library,
                made=made,
                now=now,
            )
    if taxonomy is not None and card.get("taxonomy") != taxonomy:
        raise GateRefused(
            "The model {name} {version} belongs to taxonomy {made}; taxonomy {now} is in use. Map the labels "
            "and train again.",
            name=card["name"],
            version=card["version"],
            made=card.get("taxonomy"),
            now=taxonomy,
        )


def _libraries() -> dict[str, str]:
    """Return the libraries whose numbers decide what a stored model says."""
    return {library: metadata.version(library) for library in ("numpy", "scikit-learn", "scipy", "skops")}


def _read_card(folder: Path, name: str, version: str) -> dict[str, Any]:
    data = _read(folder / CARD, most=_MOST_OF_CARD)
    try:
        found = json.loads(data)
        body = {key: value for key, value in found.items() if key != "seal"}
        # The bytes must be ours too, or a change in blanks would pass.
        whole = found["seal"] == _sha256(_json(body)) and data == _json(found)
    except (ValueError, KeyError, AttributeError, RecursionError):
        raise _damaged(folder / CARD) from None
    if not whole or (body.get("name"), body.get("version")) != (name, version):
        raise _damaged(folder / CARD)
    # Whoever knows the format can seal anything.
    sound = isinstance(body.get("libraries"), dict) and isinstance(body.get("model"), dict)
    if not sound or not isinstance(body["model"].get("bytes"), int):
        raise _damaged(folder / CARD)
    if body.get("schema") != SCHEMA:
        raise GateRefused(
            "The card {file} is of schema {made}; this program reads schema {now}.",
            file=str(folder / CARD),
            made=body.get("schema"),
            now=SCHEMA,
        )
    return body


def _used(root: Path, name: str) -> list[str]:
    """Return the versions put in use, latest first."""
    _check_name(name)
    if not os.path.lexists(root / name / CURRENT):
        return []
    try:
        lines = _read(root / name / CURRENT, most=_MOST_OF_CARD).decode("ascii").split()
    except UnicodeDecodeError:
        raise _damaged(root / name / CURRENT) from None
    if not all(map(_VERSION.fullmatch, lines)):
        raise _damaged(root / name / CURRENT)
    return lines


def _write_used(root: Path, name: str, used: list[str]) -> None:
    folder = root / name
    staging = folder / f".{CURRENT}.{os.getpid()}"
    _write(staging, "".join(f"{version}\n" for version in used).encode())
    staging.replace(folder / CURRENT)
    _sync(folder)


def _folder(root: Path, name: str, version: str) -> Path:
    """Return the folder of a version, which is never outside ``root``."""
    if version not in versions(root, name):
        raise InputNotFound(
            "The model {name} has no version {version} in {root}. There are: {known}.",
            name=name,
            version=version,
            root=str(root),
            known=", ".join(versions(root, name)) or "none",
        )
    # A link could lead out of the shelf.
    if (root / name / version).is_symlink():
        raise _damaged(root / name / version)
    return root / name / version


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(
            "{name} is no name for a model. Use small letters, digits, - and _, at most 64.", name=repr(name)
        )


def _order(version: str) -> tuple[int, str]:
    return int(version.partition("-")[0]), version


def _damaged(path: Path) -> OutputError:
    return OutputError(
        "{file} is not what was saved; it was not used. Roll back to an earlier version, or train again.",
        file=str(path),
    )


def _read(path: Path, *, most: int) -> bytes:
    """Return the bytes of a plain file that is not longer than promised."""
    try:
        found = path.lstat()
        # A link could lead out of the shelf, a pipe never ends, and what has grown is not what was saved.
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            raise _damaged(path)
        return path.read_bytes()
    except PermissionError:
        raise PermissionDenied("{file} cannot be read.", file=str(path)) from None
    except OSError:
        raise _damaged(path) from None


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """Make names in ``folder`` outlast a power cut, where the system lets a folder be opened."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _json(value: Any) -> bytes:
    """Return the one spelling of ``value``: sorted keys, UTF-8, a line end."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
    return f"{text}\n".encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
