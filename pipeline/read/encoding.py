"""Bytes of a text file → UTF-8 bytes, so that rows can be split before they are decoded."""

from __future__ import annotations

import re
import unicodedata
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from hashlib import sha256
from typing import IO, Final

from pipeline.normalize import ENCODINGS, decode, vote
from pipeline.read.faults import UnreadableError

_SAMPLE: Final = 65_536
_CHUNK: Final = 1 << 20
_LONGEST: Final = 4 << 20  # of a line: a longer piece is judged where it is cut
_NUL_SHARE: Final = (
    0.2  # of the bytes on one side: Latin text in UTF-16 has far more, damaged UTF-8 far fewer
)
_MARKS: Final = "\u0300\u0301\u0303\u0309\u0323"
_VOWEL_MARK: Final = re.compile(rf"[aăâeêioôơuưyAĂÂEÊIOÔƠUƯY][{_MARKS}]")
_ANY_MARK: Final = re.compile(rf"[{_MARKS}]")
_HEAPED: Final = re.compile(rf"[{_MARKS}]{{8}}")
_ODD: Final = re.compile(r"[\u00a1-\u00bf\u00d7\u00f7]")
_SHOWN: Final = [bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256)]
_CELL: Final = re.compile(r'[^,;|"\t\r\n]+')
_LEAST_SENSE: Final = 0.9  # of the marks stand on a vowel in Vietnamese; in another font's bytes few do
_MOST_ODD: Final = 0.1  # of the non-ASCII characters are signs; in TCVN3 read as cp1258 about a third


@dataclass(frozen=True, slots=True)
class Survey:
    """What a look through a whole file says of it: its hash, how it starts, and whether it is UTF-8.

    ``utf8`` is true also where a few lines are no UTF-8: their rows alone are refused.
    """

    sha256: str
    head: bytes
    utf8: bool
    blank: bool


def survey(file: IO[bytes]) -> Survey:
    r"""Return what a look through ``file`` says, a piece at a time.

    >>> import io
    >>> survey(io.BytesIO("mã\nt\n".encode())).utf8, survey(io.BytesIO("mã".encode("utf-16"))).utf8
    (True, False)
    """
    digest, head, rest = sha256(), b"", b""
    votes = _Votes()
    while piece := file.read(_CHUNK):
        digest.update(piece)
        head = head or piece[:_SAMPLE]
        block = rest + piece
        cut = block.rfind(b"\n") + 1 or (len(block) if len(block) > _LONGEST else 0)
        votes.add(block[:cut])
        rest = block[cut:]
    votes.add(rest)
    wide = head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or _utf16_by_nuls(head) is not None
    return Survey(digest.hexdigest(), head, not wide and 2 * votes.bad <= votes.lines, votes.blank)


@dataclass(slots=True)
class _Votes:
    """How many lines with other bytes than ASCII there are, and how many of them are no UTF-8."""

    lines: int = 0
    bad: int = 0
    blank: bool = True

    def add(self, block: bytes) -> None:
        self.blank = self.blank and not block.removeprefix(BOM_UTF8).strip(b"\r\n\t ,;|\x00")
        if not block.isascii():
            lines = [line for line in block.splitlines() if not line.isascii()]
            self.lines += len(lines)
            self.bad += 0 if _decodes(block) else sum(not _decodes(line) for line in lines)


@dataclass(frozen=True, slots=True)
class Text:
    """A text file as UTF-8 without a BOM; bytes that could not be converted are left invalid.

    ``encoding`` is its name for people; ``guessed`` says that nothing in the file declares it.
    """

    data: bytes
    encoding: str
    guessed: bool


def utf8(data: bytes) -> Text:
    """Return ``data`` as UTF-8: by BOM, then UTF-16 by its NULs, UTF-8, windows-1258, then old fonts.

    windows-1258 is tried only where most lines with other bytes than ASCII are no UTF-8, and believed
    only where the result is spelled as Vietnamese is; a few bad lines stay invalid for their rows alone.
    TCVN3 and VNI are believed where the cells of the file tell so (`normalize.vote`).

    Raises:
        UnreadableError: ``E-ENC``: none of them fits.

    >>> utf8("mã,tên".encode("utf-16")).data.decode()
    'mã,tên'
    """
    if data.startswith(BOM_UTF8):
        return Text(data[len(BOM_UTF8) :], "UTF-8", guessed=False)
    for bom, codec in ((BOM_UTF16_LE, "utf-16-le"), (BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(bom):
            return Text(_from_utf16(data[len(bom) :], codec), codec.upper(), guessed=False)
    if guess := _utf16_by_nuls(data[:_SAMPLE]):
        return Text(_from_utf16(data, guess), guess.upper(), guessed=True)
    if _is_utf8(data):
        return Text(data, "UTF-8", guessed=False)
    if (found := _from_1258(data)) is not None:
        return Text(found, "windows-1258", guessed=True)
    return _from_old_fonts(data)


def _utf16_by_nuls(sample: bytes) -> str | None:
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if half and odd > _NUL_SHARE * half and even < odd / 10:
        return "utf-16-le"
    if half and even > _NUL_SHARE * half and odd < even / 10:
        return "utf-16-be"
    return None


def _from_utf16(data: bytes, codec: str) -> bytes:
    whole, rest = (data[:-1], b"\xff") if len(data) % 2 else (data, b"")
    # A lone surrogate becomes three bytes that are no UTF-8, a cut-off byte one: their row says so later.
    return whole.decode(codec, "surrogatepass").encode("utf-8", "surrogatepass") + rest


def _is_utf8(data: bytes) -> bool:
    votes = _Votes()
    votes.add(data)
    return 2 * votes.bad <= votes.lines


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _from_1258(data: bytes) -> bytes | None:
    try:
        text = data.decode("cp1258")
    except UnicodeDecodeError:
        return None
    marks, foreign = len(_ANY_MARK.findall(text)), sum(not char.isascii() for char in text)
    sensible = len(_VOWEL_MARK.findall(text)) >= _LEAST_SENSE * marks
    if not marks or not sensible or len(_ODD.findall(text)) > _MOST_ODD * foreign:
        return None
    # Composing is quadratic in a heap of marks, which no spelling has.
    lines = (
        line if _HEAPED.search(line) else unicodedata.normalize("NFC", line)
        for line in text.splitlines(keepends=True)
    )
    return "".join(lines).encode()


def _from_old_fonts(data: bytes) -> Text:
    shown = "".join(_SHOWN[byte] for byte in data)
    name = vote(_CELL.findall(shown[:_SAMPLE]))
    if name not in {"tcvn3", "vni"}:
        raise UnreadableError("E-ENC")
    # Cell by cell: whether TCVN3 is in capitals is told by the letters around.
    text = _CELL.sub(lambda cell: decode(cell[0], name), shown)
    return Text(text.encode(), ENCODINGS[name], guessed=True)
