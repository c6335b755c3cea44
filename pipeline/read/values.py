"""What a cell means: sectors as people write them."""

from __future__ import annotations

import re
from typing import Final

from pipeline.read.headers import fold

_ENTERPRISE: Final = re.compile(r"doanhnghiep|sanxuatkinhdoanh|sxkd|^dn$|khoidn|congty|enterprise")
_PUBLIC: Final = re.compile(r"conglap|hanhchinh|sunghiep|hcsn|coquannhanuoc|^public$")
_UNCLEAR: Final = re.compile(r"ngoaiconglap|ngoainhanuoc")  # neither word: a private school is no enterprise


def sector(text: str) -> str | None:
    """Return ``enterprise`` or ``public`` for the sector a cell names, or None when that is not clear.

    >>> sector("Khối Doanh nghiệp"), sector("Hành chính sự nghiệp"), sector("HCSN và doanh nghiệp")
    ('enterprise', 'public', None)
    """
    folded = fold(text)
    enterprise, public = bool(_ENTERPRISE.search(folded)), bool(_PUBLIC.search(folded))
    if enterprise == public or _UNCLEAR.search(folded):
        return None
    return "enterprise" if enterprise else "public"
