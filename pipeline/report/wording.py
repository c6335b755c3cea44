"""Sentences, numbers and dates as people read them, in the language of a document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from pipeline import words
from pipeline.errors import Note

LEVELS: Final = {
    "copy": "The whole or nearly the whole is the same",
    "partial": "A part is the same",
    "reworded": "The same solution in other words",
    "related": "Same subject – only for looking at",
}
"""What each level of a match is called."""

DECISIONS: Final = {"auto": "Assigned automatically", "review": "Needs a person"}
"""What each decision on a label is called."""

REASONS: Final = {
    "confident": "The text clearly belongs to this field",
    "below_threshold": "The text does not point clearly enough to one field",
    "close_second": "Two fields are almost equally likely",
    "no_field": "The text seems to fit none of the fields",
    "too_short": "The text is too short to tell",
    "empty": "There is no text to tell from",
    "unknown_words": "Most of the words are unknown to the model",
}
"""Why a label was assigned or left to a person."""

SECTORS: Final = {"enterprise": "Enterprises", "public": "Public bodies"}

VALIDITY: Final = {
    "valid": "Valid as far as the table shows",
    "unclear": "Not clear whether valid",
    "invalid": "Not valid",
}
"""What each verdict on validity is called."""

SCOPES: Final = {
    "unit": "Only pairs of one place of work are shown; a record that names no unit stays with all others.",
    "union": (
        "Only pairs of one upper union or one place of work are shown; a record that names no upper union "
        "stays with all others."
    ),
    "all": "Pairs of all units are shown.",
}
"""Which pairs a run shows, by `settings.Scope`."""

REPAIRS: Final = {
    "bad_date": "Write the date as day/month/year, for example 05/03/2022",
    "cut": "Shorten the cell or split it; the full text is kept in the tables",
    "hidden_characters": "Type the marked words again, or check why the characters are there",
    "hidden_row": "Show the row in the workbook, and check that it is meant to be counted",
    "id_conflict": "Give the initiative an id of its own, or check which content is right",
    "id_made": "Add a column with the id of each initiative",
    "legacy_encoding": "Read the text again; if a word is wrong, send it in Unicode",
    "mixed_script": "Type the words with foreign letters again",
    "month_first": "Check the date; write it as day/month/year",
    "no_description": "Add the description of the solution",
    "no_diacritics": "Write the text with Vietnamese marks",
    "respelled": "Type the marked words again as they are usually written",
    "segment_guard": "Look at the text: it holds very long runs of characters without a space",
    "serial_date": "Check the date; give the column the format of a date",
    "stacked_marks": "Type the words with heaped marks again",
    "too_short": "Add to the description until the solution can be understood",
}
"""How to repair what a flag says; a flag that is not here has no repair but a look at the record."""

DISCLAIMER: Final = "The result is for reference; the decision is the council's."


@dataclass(frozen=True, slots=True)
class Wording:
    """Words for people: called with an English template and its values, it gives the sentence.

    >>> Wording.of("en")("{count} rows", count=3)
    '3 rows'
    """

    translate: Callable[[str], str]
    language: str

    @classmethod
    def of(cls, language: str) -> Wording:
        """Return the wording of ``language`` (``vi`` or ``en``)."""
        return cls(words.translator(language), language)

    def __call__(self, template: str, **values: object) -> str:
        """Return the sentence that ``template`` makes with ``values``."""
        return Note(template, values).say(self.translate)

    def name(self, table: dict[str, str], code: str) -> str:
        """Return what ``table`` calls ``code``; the code itself where it has no name."""
        return self(table[code]) if code in table else code

    def number(self, count: int) -> str:
        """Return a whole number with its thousands marked.

        >>> Wording(str, "vi").number(56106), Wording(str, "en").number(56106)
        ('56.106', '56,106')
        """
        return f"{count:,}".replace(",", "." if self.language == "vi" else ",")

    def percent(self, share: float) -> str:
        """Return a share as a percentage with one decimal.

        >>> Wording(str, "vi").percent(1.079)
        '107,9%'
        """
        return f"{share:.1%}".replace(".", "," if self.language == "vi" else ".")

    def date(self, iso: str) -> str:
        """Return an ISO date as day/month/year; what is no ISO date stays as it is.

        >>> Wording(str, "vi").date("2022-07-26")
        '26/07/2022'
        """
        day = day_of(iso)
        return f"{day:%d/%m/}{day.year:04d}" if day else iso

    def yes(self, truth: bool) -> str:
        """Return the word for true or false."""
        return self("Yes") if truth else self("No")


def day_of(iso: str) -> date | None:
    """Return the day of an ISO date, None for anything else.

    >>> day_of("2022-07-26"), day_of("hôm qua")
    (datetime.date(2022, 7, 26), None)
    """
    try:
        return date.fromisoformat(iso[:10]) if iso else None
    except ValueError:
        return None
