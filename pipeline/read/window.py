"""The bytes of a file, seen through a window that moves on, so that a large file is never held whole."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable
from typing import IO, Final

LONGEST: Final = 4 << 20
"""Bytes of the longest record: an unclosed quotation mark must not make the rest of a file one cell."""

_CHUNK: Final = 8 << 20


class Window:
    r"""What is in view of a file: ``data``, and whether it reaches to the end of the file (``whole``).

    A byte order mark at the start of the file is left out.

    >>> from io import BytesIO
    >>> text = Window(BytesIO(b"a\nb"))
    >>> text.data, text.whole, text.move(2), text.data[2:]
    (b'a\nb', True, 2, b'b')
    """

    def __init__(
        self, file: IO[bytes], *, advance: Callable[[int], object] | None = None, chunk: int = _CHUNK
    ) -> None:
        self.data = b""
        self.whole = False
        self._file = file
        self._chunk = chunk
        self._advance = advance or (lambda _bytes: None)
        self.move(0)
        self.data = self.data.removeprefix(BOM_UTF8)

    def move(self, position: int) -> int:
        """Return where the byte at ``position`` stands now, with a record's length after it in view.

        What stands before it is let go where that makes room.
        """
        if self.whole or len(self.data) - position >= LONGEST:
            return position
        parts = [self.data[position:]]
        size = len(parts[0])
        while size < LONGEST + self._chunk:
            part = self._file.read(self._chunk)
            if not part:
                self.whole = True
                break
            self._advance(len(part))
            parts.append(part)
            size += len(part)
        self.data = b"".join(parts)
        return 0
