"""The nouns of the path: an initiative and what the steps say of it.

Bulk work is columnar: a *batch* is a `pandas.DataFrame` whose columns are named here, every cell a
``str`` and nothing missing (``""`` where a table had no value). The dataclasses stand where one thing
is looked at: a row that could not be read, a pair, a label.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from pipeline.errors import Note

CANONICAL: Final = (
    "id",
    "title",
    "description",
    "author",
    "unit",
    "upper_union",
    "sector",
    "submitted",
    "field",
    "field2",
)
"""Columns every batch has, in the order of the outputs; a table's other columns are carried along behind."""

KIND: Final = "kind"
"""The kind of solution (loại giải pháp) that a record names, in its words: another axis than the field."""

AUTHOR_FIELD: Final = "author_field"
"""The field in the author's own words (lĩnh vực áp dụng): it helps to tell the field, and is no label."""

OPTIONAL: Final = (KIND, AUTHOR_FIELD)
"""Columns that headers name too, which a batch has where a table does."""

KIND_CODE: Final = "kind_code"
"""What `axes` makes of `KIND`: codes of the sheet of kinds, in its order, with a space between."""

AUTHOR_CODES: Final = "author_codes"
"""What `axes` makes of `AUTHOR_FIELD`: codes of fields in the order of mention, with a space between."""

ORIGIN: Final = ("source_file", "source_row")
"""Where a row came from: the file's name, and the physical row (sheet rows and text lines count from 1)."""

ENCODING: Final = "encoding"
"""Where columns of a file are in an old encoding, the column that says which (``title:tcvn3``)."""

VALIDITY: Final = ("validity", "validity_codes", "validity_reason")
"""What `validity` adds: the verdict, the codes of the rules that a record fails, their reasons by "; "."""

REGISTERED: Final = ("registered_unit", "registered_union", "registered_sector")
"""What an office's register of units says of a record's unit, where there is a register."""

BENEFIT: Final = "benefit"
"""The benefit that a record states, in whole đồng, where the file has a column of it."""

PHASE: Final = "phase"
"""The column that names a record's phase of the programme, where the rules know any."""

CLEANED: Final = ("clean_title", "clean_description", "fixes", "flags")
"""What `normalize` adds: the texts for people, what was repaired, what a reviewer should know."""

Level = Literal["copy", "partial", "reworded", "related"]
SAME: Final = ("exact", "format", "noise", "partial", "reorder", "light", "deep")
"""Relations of a table of judged pairs that make two records one initiative."""

NOT_SAME: Final = ("same_topic", "same_form", "same_series", "unrelated")
"""Relations of a table of judged pairs that do not, however alike the texts look."""

DUPLICATE_LEVELS: Final = ("copy", "partial", "reworded")
"""Levels that put two records into one group; ``related`` is for looking at only."""

FLAGS: Final = {
    "bad_date": "the date handed in is no date; it is kept as it was written",
    "cut": "a cell was longer than 32,767 characters and was cut for comparing",
    "hidden_row": "the row cannot be seen in the workbook: it is hidden or filtered out",
    "hidden_characters": "the text holds characters that cannot be seen",
    "id_conflict": "the archive holds the same id with other content",
    "id_made": "the table gave no id; one was made from the content",
    "legacy_encoding": "the text came in an old or a wrong encoding; its letters were restored",
    "mixed_script": "letters of another alphabet stand for Latin ones",
    "month_first": "the date was read as month/day/year, as the others of its column are written",
    "no_description": "there is a title only",
    "no_diacritics": "the text is written without Vietnamese marks",
    "respelled": "words were spaced out, run together or spelled with digits; they were read as meant",
    "segment_guard": "the text was shortened for the word segmenter, which it would have stopped",
    "serial_date": "the date was handed in as a number, which was read as Excel counts the days",
    "stacked_marks": "marks were heaped on one letter",
    "too_short": "fewer than 20 syllables: not enough to compare",
}
"""Codes of the column ``flags`` (space-separated, sorted) and what each says."""

FIXES: Final = {
    "bidi": "a passage that stood backwards under a direction override was turned round",
    "compose": "a letter and its marks, written apart, became one character (Unicode NFC)",
    "cp1258": "a letter was restored from windows-1258",
    "cut": "the end of a cell that was too long was left out",
    "d_stroke": "a letter that looks like Đ, đ or ư became that letter",
    "digits": "digits that stand for letters in a disguised text became those letters",
    "entity": "an HTML entity became the character it stands for",
    "full_width": "a character of East Asian width became the ordinary one",
    "hidden": "characters that cannot be seen were taken out",
    "joined": "words run together in a disguised text were parted",
    "look_alike": "a letter or digit of another alphabet or style became the one it looks like",
    "marks": "of marks heaped on one letter, four were kept",
    "pdf": "a letter that the fonts of old PDF files garble was restored",
    "repeated": "letters repeated in a disguised text became one",
    "space": "spaces or line ends became one, or went at an end of the cell",
    "spaced": "letters spaced out in a disguised text became words",
    "surrogate": "half of a character, which is none, became the replacement character",
    "tcvn3": "a letter was restored from TCVN3 (ABC, the .VnTime fonts)",
    "utf8": "a letter was restored from UTF-8 that had been read as windows-1252",
    "viscii": "a letter was restored from VISCII (RFC 1456)",
    "vni": "a letter was restored from VNI-Windows",
    "vps": "a letter was restored from VPS",
}
"""Codes of the column ``fixes`` (``code:count``, sorted) and what each says was done."""


Verdict = Literal["duplicate", "similar", "different"]
VERDICTS: Final = get_args(Verdict)
"""What a person may decide about a pair: one initiative; alike, to be made clear; two initiatives."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A physical row that could not be read, kept verbatim.

    ``row`` counts from 1 (0: the file as a whole); ``column`` is the header or ``""`` for the whole row;
    ``raw`` is the row as it stands in the file (for a sheet: its cells joined by tabs).
    """

    file: str
    sheet: str
    row: int
    column: str
    code: str
    note: Note
    raw: str


@dataclass(frozen=True, slots=True)
class Table:
    """How a table of an input file was understood, so that a row of it can be read again.

    ``header`` has the cells of the header as written and ``columns`` the batch column of each; ``delimiter``
    is what cuts a raw row into cells (``""``: it is a JSON object with the header's cells as keys).
    """

    sheet: str
    header: tuple[str, ...]
    columns: tuple[str, ...]
    delimiter: str


@dataclass(frozen=True, slots=True)
class Source:
    """What became of one input file: ``read == accepted + quarantined + blank``.

    ``read`` counts physical rows below the header (records, where a cell spans lines).
    """

    file: str
    sha256: str
    kind: str
    read: int
    accepted: int
    quarantined: int
    blank: int
    columns: dict[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A passage that two texts share; offsets in code points, half open, of the texts as submitted."""

    later_start: int
    later_end: int
    earlier_start: int
    earlier_end: int
    text: str


@dataclass(frozen=True, slots=True)
class Match:
    """A pair with similar content: the later record repeats something of the earlier one.

    ``probability`` is that a council would call the two the same initiative. ``order_known`` is false
    where the dates do not tell which was filed first.
    """

    later: str
    earlier: str
    probability: float
    level: Level
    same_author: bool
    same_unit: bool
    shared: str
    differs: str
    order_known: bool
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided about a pair, on the texts as they then were.

    Which of the two is called the later does not matter (see `decisions.pair`). ``later_content`` and
    ``earlier_content`` are `decisions.content_hash` of the texts, ``""`` where nobody said which text was
    read. ``decided`` is an ISO date, ``recorded`` the time it was stored (ISO 8601, UTC), ``source`` the
    file it came in; each ``""`` when unknown.
    """

    later: str
    earlier: str
    verdict: Verdict
    later_content: str = ""
    earlier_content: str = ""
    note: str = ""
    reviewer: str = ""
    decided: str = ""
    source: str = ""
    recorded: str = ""


LabelSource = Literal["human", "model"]
"""Who gives labels; nothing is ever learnt from those of a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The field that a person (or a model) gave a record, on the text as it then was.

    ``field`` and ``field2`` are codes of the version ``taxonomy``; ``content`` is `decisions.content_hash` of
    the text, ``""`` where nobody said which text was read. ``labeller`` is a name, of a person or of a model
    and its version; ``labelled`` an ISO date, ``recorded`` the time it was stored (ISO 8601, UTC), ``file``
    what it came in; each ``""`` when unknown.
    """

    id: str
    field: str
    field2: str = ""
    content: str = ""
    taxonomy: str = ""
    source: LabelSource = "human"
    labeller: str = ""
    labelled: str = ""
    note: str = ""
    file: str = ""
    recorded: str = ""
