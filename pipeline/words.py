"""Words for people, Vietnamese or English, from one catalogue.

Code holds the English sentences; ``locale/vi/LC_MESSAGES/sangkien.po`` puts them into Vietnamese.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

_LOCALE: Final = Path(__file__).resolve().parent / "locale"


@cache
def translator(language: str = "vi") -> Callable[[str], str]:
    """Return the function that puts an English sentence or template into ``language``.

    >>> translator("en")("Total")
    'Total'
    >>> translator("vi")("Total")
    'Tổng cộng'
    """
    if language == "en":
        return str
    return gettext.translation("sangkien", localedir=_LOCALE, languages=[language]).gettext
