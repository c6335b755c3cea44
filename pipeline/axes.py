"""What stands beside the field: the kind of solution, and the field in the author's own words.

Nghị định 13/2012/NĐ-CP, Điều 3 tells four kinds of solution (kỹ thuật, quản lý, tác nghiệp, ứng dụng tiến bộ
kỹ thuật), whatever the field. The form of Thông tư 18/2013/TT-BKHCN asks authors for the "lĩnh vực áp dụng"
in free words. Neither is a label: a cell stays as it was handed in, and a column beside it says what it
means, as far as a sheet knows its words. Nothing is guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from pipeline import sheets
from pipeline.errors import Note, UsageError
from pipeline.normalize import fold, fold_table, key
from pipeline.records import AUTHOR_CODES, AUTHOR_FIELD, KIND, KIND_CODE
from pipeline.taxonomy import OTHER, Taxonomy

COLUMNS: Final = ("phrase", "code")
"""Columns of a sheet of authors' words."""

_BREAK: Final = re.compile(r"[^\w\s\u0300-\u036f]+|\n")  # a mark that joined no letter parts no word
_END: Final = "\n"
_AND: Final = "va"
# Of boxes to tick, those that are not ticked stand in the cell too: what is meant cannot be told from words.
_BOX: Final = re.compile(r"[\u2610-\u2612\u25a0-\u25a3\u25fb-\u25fe]|\[\s?[xXvV]?\s?\]")
_SHOWN: Final = 200  # characters of an unknown cell that are told

Words = tuple[str, ...]


class Row(NamedTuple):
    """A row of a sheet of authors' words, and where it stands."""

    phrase: str
    code: str
    file: str
    row: int


class Unknown(NamedTuple):
    """What a cell says where no kind is recognised, and how many records say so."""

    cell: str
    records: int


class Phrases:
    """Phrases that stand for codes, found in cells as whole syllables.

    Case, marks, tone placement, punctuation and spaces mean nothing. The longest phrase comes first, and a
    syllable belongs to one phrase only. A phrase of one syllable counts only where it stands alone, between
    commas or the like (numbers beside it do not matter): bare of marks, "toán" is a part of "an toàn".

    Args:
        codes: The codes of each phrase, in the order in which they are given back.

    >>> found = Phrases({"kỹ thuật": ["a"], "ứng dụng kỹ thuật": ["b"], "toán": ["c"]})
    >>> found.codes("Ứng dụng KĨ THUẬT"), found.codes("an toàn kỹ thuật"), found.codes("Văn, Toán 8")
    (('b',), ('a',), ('c',))
    """

    def __init__(self, codes: Mapping[str, Sequence[str]]) -> None:
        self._codes: dict[Words, tuple[str, ...]] = {}
        for phrase, named in codes.items():
            words = _words(phrase)
            self._codes[words] = tuple(dict.fromkeys((*self._codes.get(words, ()), *named)))
        self._codes.pop((), None)
        self._longest = max(map(len, self._codes), default=0)

    def codes(self, cell: str) -> tuple[str, ...]:
        """Return the codes that a cell names, each once, in the order of first mention."""
        words, alone = _syllables(cell)
        taken = [False] * len(words)
        found: dict[int, tuple[str, ...]] = {}
        for length in range(min(self._longest, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                named = self._codes.get(words[start : start + length])
                if not named or any(taken[start : start + length]) or (length == 1 and not alone[start]):
                    continue
                taken[start : start + length] = [True] * length
                found[start] = named
        return tuple(dict.fromkeys(code for start in sorted(found) for code in found[start]))


def _words(text: str) -> Words:
    return tuple(word for part in _parts(text) for word in part)


def _parts(text: str) -> list[list[str]]:
    """Return the bare syllables of each part of a text that punctuation parts."""
    # `key` makes one of "kĩ thuật" and "kỹ thuật", which bare letters would not.
    codes = np.frombuffer(_BREAK.sub(_END, key(text)).encode("utf-32-le"), dtype=np.uint32)
    # One gather for all parts: asking `fold` for each takes longer than all the rest.
    folded = np.where(codes == ord(_END), codes, fold_table()[codes])
    bare = folded[folded > 0].astype(np.uint32).tobytes().decode("utf-32-le")
    return [part.split() for part in bare.split(_END)]


def _syllables(cell: str) -> tuple[Words, list[bool]]:
    """Return the syllables of a cell, and of each whether nothing else stands in its part but numbers."""
    words: list[str] = []
    alone: list[bool] = []
    for here in _parts(cell):
        words += here
        for group in _parted(here):
            lone = sum(not word.isdecimal() for word in group) == 1
            alone += [lone and not word.isdecimal() for word in group]
    return tuple(words), alone


def _parted(words: Sequence[str]) -> list[list[str]]:
    """Return runs of words that "và" parts, itself a run of its own."""
    groups: list[list[str]] = [[]]
    for word in words:
        if word == _AND:
            groups += [[word], []]
        else:
            groups[-1].append(word)
    return groups


def kinds(batch: pd.DataFrame, sheet: Taxonomy) -> tuple[pd.DataFrame, tuple[Unknown, ...]]:
    """Return the batch with `records.KIND_CODE`, and the cells that name no kind, the most frequent first.

    A cell is a kind's code, name or alias, or holds one as whole syllables; one that names several kinds has
    all their codes, in the order of the sheet. A batch without a column `records.KIND` stays as it is.

    >>> from pipeline.taxonomy import check
    >>> rows = [{"version": "1", "code": code, "name": name} for code, name in
    ...         [("technical", "Giải pháp kỹ thuật"), ("management", "Giải pháp quản lý"), ("other", "Khác")]]
    >>> sheet = check(enumerate(rows), file="").taxonomy
    >>> cells = ["Giải pháp kỹ thuật (máy)", "GIAI PHAP QUAN LI; giải pháp kỹ thuật", "khác", "Máy", ""]
    >>> found, unknown = kinds(pd.DataFrame({"kind": cells}), sheet)
    >>> found["kind_code"].tolist(), unknown
    (['technical', 'technical management', 'other', '', ''], (Unknown(cell='Máy', records=1),))
    """
    if KIND not in batch:
        return batch, ()
    named = _kind_names(sheet)
    codes = {cell: _kind_of(cell, sheet, named) for cell in batch[KIND].unique()}
    found = batch[KIND].map(codes.get).astype("str")
    lost = [cell for cell in batch[KIND] if not codes[cell] and fold(cell)]
    counts = Counter(" ".join(cell.split())[:_SHOWN] for cell in lost)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return batch.assign(**{KIND_CODE: found}), tuple(Unknown(*item) for item in ranked)


def _kind_names(sheet: Taxonomy) -> Phrases:
    # "Giải pháp kỹ thuật khác" is a technical one: that it is another says nothing.
    fields = [field for field in sheet.fields if field.code != OTHER]
    codes: dict[str, list[str]] = {}
    for field in fields:
        for name in (field.code, field.name, *field.aliases):
            codes.setdefault(name, []).append(field.code)
    return Phrases(codes)


def _kind_of(cell: str, sheet: Taxonomy, named: Phrases) -> str:
    if _BOX.search(cell):
        return ""
    found = [cell] if sheet.code_of(cell) else named.codes(cell)
    now = {sheet.code_now(each) for each in found}
    return " ".join(code for code in sheet.codes if code in now)


def parse(text: str, *, file: str) -> tuple[Row, ...]:
    r"""Return the rows of a CSV sheet of authors' words (`COLUMNS`), by commas or semicolons.

    Args:
        text: The file's content.
        file: Its name for messages.

    Raises:
        UsageError: It is no CSV, a column is missing, or a row has a phrase without a code, a code without
            a phrase, or a phrase without a letter or digit.

    >>> parse("phrase,code\nGiảng dạy lớp 2,education\n", file="a.csv")[0][:2]
    ('Giảng dạy lớp 2', 'education')
    """
    told = sheets.rows(text, file=file, columns=COLUMNS, needed=len(COLUMNS))
    found = [Row(cells["phrase"], cells["code"], file, line) for line, cells in told]
    return tuple(_checked(row) for row in found if row.phrase or row.code)


def _checked(row: Row) -> Row:
    for column, there in (("phrase", bool(fold(row.phrase))), ("code", bool(row.code))):
        if not there:
            raise UsageError(
                "{file}, row {row}, column {column}: nothing stands there. Write a phrase and the code of "
                "its field, or take the row out.",
                file=row.file,
                row=row.row,
                column=column,
            )
    return row


@dataclass(frozen=True, slots=True)
class AuthorWords:
    """What authors' words for fields mean in the taxonomy in use, and what is to be said of the sheets."""

    phrases: Phrases
    notes: tuple[Note, ...] = ()


def author_words(shipped: Iterable[Row], own: Iterable[Row], taxonomy: Taxonomy) -> AuthorWords:
    """Return what the shipped sheet and an office's own say; of one phrase in both the office's rows count.

    A field that another took over stands for that one. Rows of the shipped sheet whose field the taxonomy
    does not have are left out with one note.

    Raises:
        UsageError: A row of the office's own sheet names no field of the taxonomy.
    """
    said: dict[Words, tuple[str, list[str]]] = {}
    strange: list[str] = []
    file = ""
    for row in shipped:
        code = taxonomy.code_now(row.code)
        if code:
            said.setdefault(_words(row.phrase), (row.phrase, []))[1].append(code)
        else:
            strange.append(row.code)
            file = row.file
    mine: dict[Words, tuple[str, list[str]]] = {}
    for row in own:
        code = taxonomy.code_now(row.code)
        if not code:
            raise UsageError(
                "{file}, row {row}, column {column}: {cell} is no field of taxonomy {version}. "
                "Use one of: {known}.",
                file=row.file,
                row=row.row,
                column="code",
                cell=row.code,
                version=taxonomy.version,
                known=", ".join(taxonomy.codes),
            )
        mine.setdefault(_words(row.phrase), (row.phrase, []))[1].append(code)
    notes = [_left_out(file, strange, taxonomy)] if strange else []
    return AuthorWords(Phrases(dict((said | mine).values())), tuple(notes))


def _left_out(file: str, strange: Sequence[str], taxonomy: Taxonomy) -> Note:
    return Note(
        "{file}: {count} rows name fields that taxonomy {version} does not have ({codes}) and are left out. "
        "What authors' words mean in it may stand in a sheet of your own (--author-fields FILE).",
        {
            "file": file,
            "count": len(strange),
            "version": taxonomy.version,
            "codes": ", ".join(dict.fromkeys(strange)),
        },
    )


def author_codes(batch: pd.DataFrame, words: AuthorWords) -> pd.DataFrame:
    """Return the batch with `records.AUTHOR_CODES`, ``""`` where the author's words name no field.

    The columns that hold labels are not looked at. A batch without a column `records.AUTHOR_FIELD` stays as
    it is.

    >>> words = AuthorWords(Phrases({"giảng dạy": ["education"], "văn thư": ["administration"]}))
    >>> rows = pd.DataFrame({"author_field": ["Văn thư, giảng dạy", "Khác"]})
    >>> author_codes(rows, words)["author_codes"].tolist()
    ['administration education', '']
    """
    if AUTHOR_FIELD not in batch:
        return batch
    codes = {cell: " ".join(words.phrases.codes(cell)) for cell in batch[AUTHOR_FIELD].unique()}
    return batch.assign(**{AUTHOR_CODES: batch[AUTHOR_FIELD].map(codes.get).astype("str")})
