"""What can go wrong, and the sentences that say so.

::

    SangkienError               shown to the user as a sentence, never as a traceback
    ├── UsageError              the call contradicts itself
    ├── GateRefused             a check decided against going on
    ├── NoUsableRow             the input was read and holds no initiative
    ├── InputNotFound           a named file is not there
    ├── OutputError             a file could not be read or written
    ├── StoreLocked             another process holds the store
    └── PermissionDenied        the system refused access

A step raises; only the command line turns a class into an exit code.
Sentences are English templates with named values, so that the words can be put into Vietnamese
at the rim (see `words`) without a step knowing a language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for people: an English template and the values that fill it.

    >>> str(Note("{count} rows read", {"count": 3}))
    '3 rows read'
    >>> Note("{count} rows read", {"count": 3}).say({"{count} rows read": "đã đọc {count} dòng"}.get)
    'đã đọc 3 dòng'
    """

    template: str
    values: dict[str, object] = field(default_factory=dict)

    def say(self, translate: Callable[[str], str | None]) -> str:
        """Return the sentence in the language of ``translate`` (English where it knows no words).

        Notes among the values are said in that language too; several of them, one after the other.
        """
        said = {name: _said(value, translate) for name, value in self.values.items()}
        return (translate(self.template) or self.template).format(**said)

    def __str__(self) -> str:
        return self.say(str)


def _said(value: object, translate: Callable[[str], str | None]) -> object:
    if isinstance(value, Note):
        return value.say(translate)
    if isinstance(value, tuple):
        return " ".join(str(_said(part, translate)) for part in value)
    return value


class SangkienError(Exception):
    """Something the user can mend; the message says what, where and how.

    >>> str(InputNotFound("{path} is not there.", path="a.csv"))
    'a.csv is not there.'
    """

    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template, values)
        self.note = Note(template, values)

    def __str__(self) -> str:
        return str(self.note)


class UsageError(SangkienError):
    """The call contradicts itself or asks for what does not exist."""


class GateRefused(SangkienError):
    """A check decided against going on."""


class EncoderNeeded(GateRefused):
    """A model reads texts by an encoder that was not given."""


class NoUsableRow(SangkienError):
    """The input was read and holds no row that is an initiative."""


class InputNotFound(SangkienError):
    """A named input is not there."""


class OutputError(SangkienError):
    """A file could not be read or written."""


class StoreLocked(SangkienError):
    """Another process holds the store; trying again later helps."""


class PermissionDenied(SangkienError):
    """The system refused access to a file or folder."""
