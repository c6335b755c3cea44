"""What an office keeps between runs: one SQLite file with the archive, and a cache of cut words.

::

    <store>/sangkien.db    records, decisions, labels, taxonomies, audit: WAL, synchronous=FULL, so that
                           what was confirmed is on the disk
    <store>/tokens.db      words by content and model: may be deleted at any time
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import pandas as pd

from pipeline import decisions, labels, normalize, taxonomy
from pipeline.errors import GateRefused, InputNotFound, OutputError, PermissionDenied, StoreLocked
from pipeline.records import CANONICAL, ENCODING, ORIGIN, Decision, Label
from pipeline.revision import Course, Revision, compare
from pipeline.taxonomy import Taxonomy

DATABASE: Final = "sangkien.db"
TOKENS: Final = "tokens.db"
_WAIT: Final = 5.0  # seconds for another writer to finish
_DAMAGED: Final = "{path} is damaged or is no archive of sangkien ({fault}). Restore it from a copy."
_MANY: Final = 500  # values in one query; SQLite allows 999 everywhere

MIGRATIONS: Final = (
    """
    create table record (
        id text primary key, content text not null, cells text not null, submitted text not null
    ) strict, without rowid;
    create table audit (
        seq integer primary key autoincrement, time text not null, action text not null, detail text not null
    ) strict;
    create trigger audit_is_not_changed before update on audit begin select raise(abort, 'append-only'); end;
    create trigger audit_is_not_cut before delete on audit begin select raise(abort, 'append-only'); end;
    """,
    """
    create table decision (
        seq integer primary key autoincrement, later text not null, earlier text not null,
        later_content text not null, earlier_content text not null,
        verdict text not null check (verdict in ('duplicate', 'similar', 'different')),
        note text not null, reviewer text not null, decided text not null, source text not null,
        recorded text not null, key text not null unique, chain text not null
    ) strict;
    create trigger decision_is_not_changed before update on decision
        begin select raise(abort, 'append-only'); end;
    create trigger decision_is_not_cut before delete on decision
        begin select raise(abort, 'append-only'); end;
    """,
    """
    create table label (
        seq integer primary key autoincrement, id text not null, field text not null, field2 text not null,
        content text not null, taxonomy text not null,
        source text not null check (source in ('human', 'model')),
        labeller text not null, labelled text not null, note text not null, file text not null,
        recorded text not null, key text not null unique, chain text not null
    ) strict;
    create trigger label_is_not_changed before update on label begin select raise(abort, 'append-only'); end;
    create trigger label_is_not_cut before delete on label begin select raise(abort, 'append-only'); end;
    create table taxonomy (
        seq integer primary key autoincrement, version text not null, cells text not null,
        adopted text not null, key text not null unique, chain text not null
    ) strict;
    create trigger taxonomy_is_not_changed before update on taxonomy
        begin select raise(abort, 'append-only'); end;
    create trigger taxonomy_is_not_cut before delete on taxonomy
        begin select raise(abort, 'append-only'); end;
    """,
)
"""What makes version n of the file from version n - 1; only ever appended to."""

_DERIVED: Final = frozenset({"flags", *ORIGIN})
_DECISION: Final = tuple(each.name for each in fields(Decision))
_LABEL: Final = tuple(each.name for each in fields(Label))
_Said = TypeVar("_Said")
_TAXONOMY: Final = ("version", "cells", "adopted")


@dataclass(frozen=True, slots=True)
class Added:
    """What became of records offered to the archive: ids, in the order offered.

    ``conflicts`` stand in the archive with other content and were left as they are.
    """

    added: tuple[str, ...]
    known: tuple[str, ...]
    conflicts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of decisions offered to the store, in the order offered.

    ``overruled`` are known ones that count no more, because the same pair was decided otherwise since.
    """

    added: tuple[Decision, ...]
    known: tuple[Decision, ...]
    overruled: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """What became of labels offered to the store, in the order offered.

    ``overruled`` are known ones that count no more, because the same record was labelled otherwise since.
    """

    added: tuple[Label, ...]
    known: tuple[Label, ...]
    overruled: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """The archive in a few numbers; dates are ISO, ``""`` where no record has one."""

    records: int
    dated: int
    first: str
    last: str
    changed: str


class Store:
    """The archive of an office, opened; use it as a context manager.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> batch = pd.DataFrame({"id": ["A1"], "title": ["Đồ gá hàn"], "submitted": ["2025-03-04"]})
    >>> with Store.open(Path(folder.name) / "store", create=True) as store:
    ...     store.add(batch, now="2025-04-01T00:00:00+00:00").added, store.status().records
    (('A1',), 1)
    >>> folder.cleanup()
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Return the store in ``folder`` for reading: also one in a folder where nothing may be written.

        Raises:
            As `open`.
        """
        path = _existing(folder)
        with _telling(path):
            # Without a right to write there is no shared memory for the log; then a log must not be needed.
            log = path.with_name(f"{path.name}-wal")
            modes = ["mode=ro"] if log.exists() and log.stat().st_size else ["mode=ro", "immutable=1"]
            for mode in modes:
                connection = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=_WAIT)
                try:
                    _check_version(connection, path)
                    if _version(connection) == len(MIGRATIONS):
                        return cls(connection, path)
                except sqlite3.OperationalError:
                    if mode == modes[-1]:
                        connection.close()
                        raise
                except BaseException:
                    connection.close()
                    raise
                connection.close()
        try:
            return cls.open(folder)
        except PermissionDenied:
            with _telling(path):
                return cls(_brought_up(path), path)

    @classmethod
    def open(cls, folder: Path, *, create: bool = False) -> Self:
        """Return the store in ``folder`` for reading and writing.

        Raises:
            InputNotFound: There is none, and none is to be created.
            OutputError: The file is damaged or newer.
            StoreLocked: Another process is writing to it.
            PermissionDenied: The system refuses.
        """
        path = folder / DATABASE if create else _existing(folder)
        with _telling(path):
            folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=_WAIT, isolation_level=None)
            try:
                # Before anything that writes: a file that is refused stays as it is.
                _check_version(connection, path)
                connection.execute("pragma journal_mode = wal")
                connection.execute("pragma synchronous = full")
                _migrate(connection)
            except BaseException:
                connection.close()
                raise
        return cls(connection, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with _telling(self._path):
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                # A full disk ends the transaction by itself: rolling back again would hide why.
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise
            self._connection.execute("commit")

    def add(self, batch: pd.DataFrame, *, now: str) -> Added:
        """Put the records of ``batch`` into the archive, all or none, and say what became of each.

        Args:
            batch: Unique ids; columns that steps add (`records.ORIGIN`, flags) are not kept.
            now: The time for the audit, ISO 8601 in UTC.
        """
        kept = batch[[column for column in batch.columns if column not in _DERIVED]]
        rows = [
            (row["id"], _digest(row), json.dumps(row, ensure_ascii=False), row.get("submitted", ""))
            for row in kept.to_dict("records")
        ]
        with self._writing() as connection:
            stored = self._contents([row[0] for row in rows])
            new = [row for row in rows if row[0] not in stored]
            connection.executemany("insert into record values (?, ?, ?, ?)", new)
            known = tuple(row[0] for row in rows if stored.get(row[0]) == row[1])
            conflicts = tuple(row[0] for row in rows if stored.get(row[0], row[1]) != row[1])
            done = Added(tuple(row[0] for row in new), known, conflicts)
            if new:
                self._note(
                    now, "archive add", {"added": len(new), "known": len(known), "conflicts": list(conflicts)}
                )
        return done

    def remove(self, ids: Sequence[str], *, now: str) -> tuple[str, ...]:
        """Take records out of the archive and return the ids that were there.

        Their pages are overwritten, so that what a person asked to have removed is not left in the file.
        """
        with self._writing() as connection:
            there = [name for name in dict.fromkeys(ids) if name in self._contents([name])]
            connection.execute("pragma secure_delete = on")
            connection.executemany("delete from record where id = ?", [(name,) for name in there])
            if there:
                self._note(now, "archive remove", {"removed": len(there)})
        with _telling(self._path):
            self._connection.execute("pragma wal_checkpoint(truncate)")
        return tuple(there)

    def archive(self) -> pd.DataFrame:
        """Return every record of the archive, by id: `records.CANONICAL` and the columns it came with."""
        with _telling(self._path):
            rows = self._connection.execute("select cells from record order by id").fetchall()
        return self._table(rows)

    def batches(self, size: int) -> Iterator[pd.DataFrame]:
        """Yield the records of the archive as `archive` does, by id, ``size`` at a time."""
        last = ""
        while True:
            with _telling(self._path):
                rows = self._connection.execute(
                    "select cells, id from record where id > ? order by id limit ?", (last, size)
                ).fetchall()
            if not rows:
                return
            yield self._table(rows)
            last = rows[-1][1]

    def some(self, ids: Iterable[str]) -> pd.DataFrame:
        """Return those records of the archive that have one of these ids, as `archive` does."""
        names, rows = sorted(set(ids)), []
        for start in range(0, len(names), _MANY):
            part = names[start : start + _MANY]
            query = f"select cells from record where id in ({','.join('?' * len(part))}) order by id"  # noqa: S608 - only question marks
            with _telling(self._path):
                rows += self._connection.execute(query, part).fetchall()
        return self._table(rows)

    def stamp(self) -> str:
        """Return what changes whenever a record is added or removed."""
        with _telling(self._path):
            found = self._connection.execute(
                "select coalesce(max(seq), 0), coalesce(max(time), ''), (select count(*) from record)"
                " from audit where action in ('archive add', 'archive remove')"
            ).fetchone()
        return " ".join(map(str, found))

    def _table(self, rows: Sequence[Sequence[str]]) -> pd.DataFrame:
        try:
            cells = [json.loads(row[0]) for row in rows]
        except ValueError as fault:
            raise OutputError(_DAMAGED, path=self._path, fault=fault) from fault
        extra = dict.fromkeys(name for row in cells for name in row if name not in CANONICAL)
        columns = [*CANONICAL, *extra]
        return pd.DataFrame({name: [row.get(name, "") for row in cells] for name in columns}, dtype="str")

    def status(self) -> Status:
        """Return how many records the archive holds, and of which time."""
        with _telling(self._path):
            counted = self._connection.execute(
                "select count(*), count(nullif(submitted, '')), coalesce(min(nullif(submitted, '')), ''),"
                " max(submitted) from record"
            ).fetchone()
            changed = self._connection.execute("select coalesce(max(time), '') from audit").fetchone()
        return Status(counted[0], counted[1], counted[2], counted[3] or "", changed[0])

    def decide(self, offered: Sequence[Decision], *, now: str) -> Decided:
        """Add decisions, all or none; one that says what was recorded before changes nothing.

        Args:
            offered: In the order in which later ones overrule earlier ones of the same day.
            now: When they are recorded, ISO 8601 in UTC; of each the field ``recorded`` is this.
        """
        with self._writing():
            new = [replace(decision, recorded=now) for decision in offered]
            added, known = self._appended("decision", _DECISION, new, decisions.key)
            if added:
                self._note(now, "decisions import", {"added": len(added), "known": len(known)})
        done = decisions.newest(self.decisions())
        overruled = [each for each in known if done[decisions.pair(each)].verdict != each.verdict]
        return Decided(added, known, tuple(overruled))

    def decisions(self) -> list[Decision]:
        """Return every decision in the order of recording.

        Raises:
            OutputError: A decision was changed behind the program's back.
        """
        rows = self._vouched("decision", _DECISION)
        return [Decision(**dict(zip(_DECISION, row, strict=False))) for row in rows]  # type: ignore[arg-type] # the table checks verdicts

    def label(self, offered: Sequence[Label], *, now: str) -> Labelled:
        """Add labels, all or none; one that says what was recorded before changes nothing.

        Args:
            offered: In the order in which later ones overrule earlier ones of the same day.
            now: When they are recorded, ISO 8601 in UTC; of each the field ``recorded`` is this.
        """
        with self._writing():
            new = [replace(label, recorded=now) for label in offered]
            added, known = self._appended("label", _LABEL, new, labels.key)
            if added:
                self._note(now, "label import", {"added": len(added), "known": len(known)})
        done = labels.newest(self.labels())
        overruled = [each for each in known if done[labels.subject(each)].field != each.field]
        return Labelled(added, known, tuple(overruled))

    def labels(self) -> list[Label]:
        """Return every label in the order of recording, with the codes it was given in.

        Raises:
            OutputError: A label was changed behind the program's back.
        """
        rows = self._vouched("label", _LABEL)
        return [Label(**dict(zip(_LABEL, row, strict=False))) for row in rows]  # type: ignore[arg-type] # the table checks sources

    def course(self) -> Course:
        """Return the versions of the taxonomy, the last in use; the program's own where none was adopted.

        Raises:
            OutputError: One was changed behind the program's back.
        """
        rows = self._vouched("taxonomy", _TAXONOMY)
        found = [taxonomy.check(enumerate(json.loads(row[1]), 2), file=row[0]).taxonomy for row in rows]
        return Course(tuple(each for each in found if each) or (taxonomy.default(),))

    def adopt(self, new: Taxonomy, *, now: str) -> Revision:
        """Put a version of the taxonomy in use and return what changes; the one in use changes nothing.

        A store without labels into which no sheet was put yet has no past: it may begin with a list of fields
        that has nothing to do with the program's own, and then all fields are new.

        Raises:
            GateRefused: It lacks a field there was, or has the version of another sheet.
        """
        course = self.course()
        step = compare(course.current, new)
        if new == course.current:
            return step
        if step.gone and not self._vouched("taxonomy", _TAXONOMY) and not self.labels():
            course, step = Course(()), compare(Taxonomy("", ()), new)
        if new.version in {each.version for each in course.versions}:
            raise GateRefused(
                "Version {version} of the taxonomy is another sheet already. Give this one a new version.",
                version=new.version,
            )
        if step.gone:
            raise GateRefused(
                "The taxonomy {version} has no row for {codes}: labels of the past would lose their meaning. "
                "Put the rows back, with to_date and, where another field takes the labels, replaced_by.",
                version=new.version,
                codes=", ".join(step.gone),
            )
        with self._writing():
            # The version it starts from belongs to the history, also where that is the program's own.
            rows = [(each.version, json.dumps(each.rows()), now) for each in (*course.versions, new)]
            self._appended("taxonomy", _TAXONOMY, [_Adopted(*row) for row in rows], lambda each: each.version)
            before = course.versions[-1].version if course.versions else ""
            self._note(now, "taxonomy apply", {"from": before, "to": new.version})
        return step

    def _appended(
        self, table: str, names: Sequence[str], offered: Iterable[_Said], key: Callable[[_Said], str]
    ) -> tuple[tuple[_Said, ...], tuple[_Said, ...]]:
        """Append what is new to a table, within a transaction; return what was added and what was known."""
        rows = self._chained(table, names)
        there = {row[-2] for row in rows}
        chain = rows[-1][-1] if rows else ""
        insert = f"insert into {table} ({', '.join(names)}, key, chain) values ({'?, ' * len(names)}?, ?)"  # noqa: S608 - our own names
        added: list[_Said] = []
        known: list[_Said] = []
        for each in offered:
            name = key(each)
            (known if name in there else added).append(each)
            if name in there:
                continue
            there.add(name)
            values = (*(getattr(each, column) for column in names), name)
            chain = _link(chain, values)
            self._connection.execute(insert, (*values, chain))
        return tuple(added), tuple(known)

    def _vouched(self, table: str, names: Sequence[str]) -> list[tuple[str, ...]]:
        with _telling(self._path):
            return self._chained(table, names)

    def _chained(self, table: str, names: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the rows of an append-only table, having checked that each vouches for the one before it.

        Behind the columns ``names`` stand the key of the row and its link.
        """
        columns = ", ".join((*names, "key", "chain"))
        rows = self._connection.execute(f"select {columns} from {table} order by seq").fetchall()  # noqa: S608 - our own names
        chain = ""
        for row in rows:
            chain = _link(chain, row[:-1])
            # SQLite's own check does not see a flipped bit inside a cell.
            if row[-1] != chain:
                raise OutputError(_DAMAGED, path=self._path, fault=table)
        return rows

    def titles(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the titles of those of ``ids`` that are in the archive."""
        names = sorted(set(ids))
        found: dict[str, str] = {}
        with _telling(self._path):
            for start in range(0, len(names), _MANY):
                part = names[start : start + _MANY]
                query = f"select id, cells from record where id in ({','.join('?' * len(part))})"  # noqa: S608 - only question marks
                rows = self._connection.execute(query, part).fetchall()
                found |= {name: json.loads(cells).get("title", "") for name, cells in rows}
        return found

    def judged(self, records: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the decided pairs for a model to learn from, as `decisions.judged`.

        Args:
            records: Records beside the archive's (``id,title,description`` as submitted); where an id
                stands in both, these count.
        """
        texts = self.archive()[["id", "title", "description"]]
        if records is not None:
            both = pd.concat([records[list(texts.columns)], texts], ignore_index=True)
            texts = both.drop_duplicates("id", ignore_index=True)
        return decisions.judged(self.decisions(), texts)

    def _contents(self, ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for start in range(0, len(ids), _MANY):
            part = ids[start : start + _MANY]
            marks = ",".join("?" * len(part))
            found |= dict(
                self._connection.execute(f"select id, content from record where id in ({marks})", part)  # noqa: S608 - only question marks
            )
        return found

    def _note(self, now: str, action: str, detail: dict[str, object]) -> None:
        self._connection.execute(
            "insert into audit (time, action, detail) values (?, ?, ?)",
            (now, action, json.dumps(detail, ensure_ascii=False)),
        )


@dataclass(frozen=True, slots=True)
class _Adopted:
    """A version of the taxonomy as a row."""

    version: str
    cells: str
    adopted: str


def _digest(row: dict[Any, str]) -> str:
    """Return the SHA-256 of what makes a record another one: its text, however its letters are encoded."""
    told = normalize.stated(row.get(ENCODING, ""))
    title, description = (
        normalize.clean(row.get(name, ""), encoding=told.get(name, "")).text
        for name in ("title", "description")
    )
    return hashlib.sha256(f"{title}\n{description}".encode()).hexdigest()


def _link(before: str, row: Sequence[str]) -> str:
    """Return the SHA-256 of a row and of the one before it, so that no row can change unseen."""
    return hashlib.sha256(json.dumps([before, *row]).encode()).hexdigest()


def _existing(folder: Path) -> Path:
    path = folder / DATABASE
    # An archive has at least one page: an empty file is what is left of one, not one without records.
    if not (path.exists() and path.stat().st_size):
        raise InputNotFound(
            "There is no archive in {path}. `sangkien archive add FILE` makes one.", path=folder
        )
    return path


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) > len(MIGRATIONS):
        raise OutputError(
            "{path} was written by a newer version of sangkien: update the program. Nothing was changed.",
            path=path,
        )


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("pragma user_version").fetchone()[0]
    return version


def _migrate(connection: sqlite3.Connection) -> None:
    for number in range(_version(connection), len(MIGRATIONS)):
        # One transaction a step, statement by statement: executescript would commit half of it.
        connection.execute("begin immediate")
        if _version(connection) == number:
            for statement in _statements(MIGRATIONS[number]):
                connection.execute(statement)
            connection.execute(f"pragma user_version = {number + 1}")
        connection.execute("commit")


def _brought_up(path: Path) -> sqlite3.Connection:
    """Return a copy in memory, of this version, of a file that an older one wrote and nobody may change."""
    log = path.with_name(f"{path.name}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    copy = sqlite3.connect(":memory:", isolation_level=None)
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, timeout=_WAIT)) as file:
        file.backup(copy)
    _migrate(copy)
    return copy


def _statements(script: str) -> Iterator[str]:
    part = ""
    for piece in script.split(";"):
        part += piece + ";"
        if sqlite3.complete_statement(part):
            if part.strip(" \n;"):
                yield part
            part = ""


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    """Turn what SQLite and the system say into what a user can do."""
    try:
        yield
    except PermissionError as fault:
        raise PermissionDenied("{path} cannot be opened: the system refuses access.", path=path) from fault
    except sqlite3.OperationalError as fault:
        if "locked" in str(fault) or "busy" in str(fault):
            raise StoreLocked(
                "{path} is being written by another run. Try again when it has ended.", path=path
            ) from fault
        if "unable to open" in str(fault) or "readonly" in str(fault):
            raise PermissionDenied(
                "{path} cannot be opened: the system refuses access.", path=path
            ) from fault
        raise OutputError("{path}: {fault}.", path=path, fault=fault) from fault
    except sqlite3.DatabaseError as fault:
        raise OutputError(_DAMAGED, path=path, fault=fault) from fault
    except (FileExistsError, NotADirectoryError) as fault:
        raise OutputError("{path} is a file. Name a folder for the archive.", path=path.parent) from fault
    except OSError as fault:
        raise OutputError("{path}: {fault}.", path=path, fault=fault.strerror or fault) from fault


class TokenCache:
    """Words by the text they were cut from; a cache that fails only costs time.

    >>> cache = TokenCache(None, model="m1")
    >>> cache.through(["a b", "a b"], lambda texts: [(text.replace(" ", "_"), False) for text in texts])
    [('a_b', False), ('a_b', False)]
    """

    def __init__(self, folder: Path | None, *, model: str) -> None:
        self._model = model
        self._path = folder / TOKENS if folder else None

    def through(
        self, texts: Sequence[str], cut: Callable[[list[str]], list[tuple[str, bool]]]
    ) -> list[tuple[str, bool]]:
        """Return ``cut`` of each text; each different one is cut once, and none this model cut before."""
        keys = [hashlib.sha256(f"{self._model}\n{text}".encode()).digest()[:16] for text in texts]
        distinct = dict(zip(keys, texts, strict=True))
        known = self._look_up(list(distinct))
        missing = [key for key in distinct if key not in known]
        fresh = dict(zip(missing, cut([distinct[key] for key in missing]), strict=True)) if missing else {}
        self._remember(fresh)
        known |= fresh
        return [known[key] for key in keys]

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection | None]:
        if self._path is None:
            yield None
            return
        connection: sqlite3.Connection | None = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=1.0)
            connection.execute("pragma synchronous = off")
            connection.execute(
                "create table if not exists token"
                " (key blob primary key, words text, guarded int) without rowid"
            )
        except (sqlite3.Error, OSError):
            self._path = None
        try:
            yield connection if self._path else None
        finally:
            if connection:
                connection.close()

    def _look_up(self, keys: list[bytes]) -> dict[bytes, tuple[str, bool]]:
        found: dict[bytes, tuple[str, bool]] = {}
        with self._opened() as connection:
            if connection is None:
                return found
            try:
                for start in range(0, len(keys), _MANY):
                    part = keys[start : start + _MANY]
                    query = (
                        f"select key, words, guarded from token where key in ({','.join('?' * len(part))})"  # noqa: S608 - only question marks
                    )
                    found |= {
                        key: (words, bool(guarded)) for key, words, guarded in connection.execute(query, part)
                    }
            except sqlite3.Error:
                return {}
        return found

    def _remember(self, fresh: dict[bytes, tuple[str, bool]]) -> None:
        if not fresh:
            return
        with self._opened() as connection:
            if connection is None:
                return
            rows = [(key, words, guarded) for key, (words, guarded) in fresh.items()]
            try:
                with connection:
                    connection.executemany("insert or ignore into token values (?, ?, ?)", rows)
            except sqlite3.Error:
                return
