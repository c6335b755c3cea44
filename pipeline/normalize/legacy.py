"""Vietnamese in encodings from before Unicode, and UTF-8 read as something else: telling it and undoing it.

Four kinds are known, each as its bytes look when they are read as windows-1252, which is how they come out
of old documents: ``tcvn3`` (TCVN 5712:1993, the .VnTime fonts), ``vni`` (VNI-Windows), ``cp1258``
(windows-1258) and ``utf8``. A text is judged run by run. A run is the words of a line up to the next word
with a letter that windows-1252 has not: that word is Unicode already. So a passage pasted from an old
document into a Unicode form is repaired, and the form around it is left alone.

A run is repaired where its words become much better Vietnamese by it. What was told anywhere in a cell
counts for all its runs; a cell of two syllables is left as it is.

A column tells more than a cell: `vote` says which encoding the cells of a column are in, and `by_vote` undoes
it in the short ones too. Two rarer encodings, ``viscii`` (RFC 1456) and ``vps``, are only looked for by a
column's vote, and only on request: of few words they cannot be told from others.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache
from itertools import groupby, islice
from typing import Final, NamedTuple

from pipeline.normalize import characters as chars
from pipeline.normalize.edits import Edit, matches
from pipeline.normalize.syllable import is_bare_syllable, is_syllable, old_style, split_tone

GAIN: Final = 0.25
"""How much better the words must become on average, from -0.5 (no word) to 1 (an accented syllable)."""

UNICODE: Final = re.compile("[ĂăĐđĨĩŨũƠơƯưẠ-ỹ]")
"""Vietnamese letters that no legacy encoding can look like: ordinary text shows one at once.

`edits` has nothing to do in a text with one if all its characters are `characters.ORDINARY`.
"""

_LEAST: Final = 3  # syllables: of two, a foreign name may well become both
_LEAST_BETTER: Final = 2  # distinct words: a single one may be French (VNI would make "óu" of "où") …
_SENSE: Final = 0.5  # … unless all words on average are as good as syllables without marks
_CHANGED: Final = 0.1  # what a decoding loses that makes another syllable of one: of two, the lesser change
_LEAST_ASCII: Final = 2  # letters: every way of writing Vietnamese keeps its consonants
_LEAST_TELLING: Final = 5  # distinct words of a column that become better: a few names are of any language
_MOST_UNICODE: Final = 0.1  # of a column's cells: where more are Unicode, a short cell may be either
_SAMPLE: Final = 2_000  # cells of a column that are looked at

# The 27 characters of windows-1252 beyond Latin-1, with their bytes. Its five undefined bytes, and all of
# 80-9F where a program took the bytes for Latin-1, come out as control characters.
_BYTES: Final = {
    character: byte for byte in range(0x80, 0xA0) if (character := bytes([byte]).decode("cp1252", "ignore"))
}
_BEYOND_LATIN1: Final = "".join(_BYTES)
_AS_LATIN1: Final = str.maketrans({character: chr(byte) for character, byte in _BYTES.items()})

_FOREIGN: Final = re.compile(rf"[^\W\d_\x00-\xff{_BEYOND_LATIN1}]")
_LINE: Final = re.compile(r"[^\r\n]+")
# A no-break space is the last byte of "à" in UTF-8, and of few other letters.
_CHUNK: Final = re.compile(r"(?:[^ \t\r\n\xa0]|(?<=[ÂÃÆº»])\xa0)+")
_SHORTEST: Final = 2  # letters: a single one is a sign, as often as not
_LONGEST: Final = 100
_BETWEEN: Final = re.compile(r"[\s!-/:-@\[-`{-~“”‘’–—…•]+")
_UNFIT: Final = re.compile(rf"[^\x00-\xff{_BEYOND_LATIN1}\w]+")
_DIGIT: Final = re.compile("[0-9]")
_LETTERS: Final = re.compile(r"[^\W\d_ªµº]|[^\x00-\xa0“”‘’–—…•]{2}")  # "đã" is two signs in one encoding


def edits(text: str) -> Iterator[Edit]:
    """Yield what undoes the encodings in ``text`` (NFC), each edit with the name of its encoding as ``fix``.

    One pass: what was encoded twice needs two.

    >>> "".join(edit.text for edit in edits("S¸ng kiÕn c¶i tiÕn"))
    'áếảế'
    >>> list(edits("Café crème brûlée, ±5 µm, 25 °C; Hoà là cán bộ"))
    []
    """
    if text.isascii() or (_telling().search(text) is None and UNICODE.search(text) is not None):
        return
    runs = list(_runs(text))
    among_unicode = UNICODE.search(text) is not None
    passages = [[word for run in runs for word in run.words], *(run.words for run in runs)]
    told = {_told(words, among_unicode=among_unicode) for words in passages} - {""}
    for run in runs:
        gain, name = max(((_gain(run.words, name), name) for name in told), default=(0.0, ""))
        if gain > 0:
            yield from (edit._replace(fix=name) for edit in _VIEWS[name](text, *_core(run, name)))


def vote(cells: Iterable[str], *, also: Iterable[str] = ()) -> str:
    """Return the encoding that the cells of a column (NFC) are in, ``""`` where they do not tell one.

    Args:
        cells: A column; its first cells beyond ASCII are looked at, all of them together.
        also: Encodings of `ON_REQUEST` to be looked for too.

    >>> vote(["S¸ng kiÕn", "C¶i tiÕn", "M¸y Ðp", "Bµn ghÕ", "Häc sinh"])
    'tcvn3'
    >>> vote(["Hà Nội", "Cà Mau", "Huế"]), vote(["Café", "Crème brûlée", "Où est", "À la", "Très"])
    ('', '')
    """
    names = (*_TOLD, *also)
    telling = list(islice((cell for cell in cells if cell and not cell.isascii()), _SAMPLE))
    encoded = [cell for cell in telling if _FOREIGN.search(cell) is None]
    if not encoded or len(telling) - len(encoded) > _MOST_UNICODE * len(telling):
        return ""
    words = [
        word
        for cell in encoded
        for chunk in _CHUNK.findall(cell)
        if (word := _word(chunk, names)) is not None
    ]
    name = _told(words, among_unicode=False, names=names)
    return name if _seen_words(_better(words, name)) >= _LEAST_TELLING else ""


def is_silent(cells: Iterable[str]) -> bool:
    """Return whether a column (NFC) holds letters beyond ASCII, and none that only Unicode has.

    >>> is_silent(["M¸y", ""]), is_silent(["Máy", "Ghế"]), is_silent(["May"])
    (True, False, False)
    """
    letters = [cell for cell in cells if not cell.isascii()]
    return bool(letters) and not any(_FOREIGN.search(cell) for cell in letters)


def by_vote(text: str, name: str) -> Iterator[Edit]:
    """Yield what undoes the encoding ``name`` in a cell (NFC) of a column that is in it.

    A cell with a letter that only Unicode has is left, and one whose words would become worse.

    >>> "".join(edit.text for edit in by_vote("vò", "tcvn3")), list(by_vote("Hà Nội", "tcvn3"))
    ('ũ', [])
    """
    if text.isascii() or _FOREIGN.search(text) is not None:
        return
    words = [word for chunk in _CHUNK.findall(text) if (word := _word(chunk, (name,))) is not None]
    # Where both views are words, the column has told which is meant.
    if _gain(words, name) >= -_CHANGED:
        yield from (edit._replace(fix=name) for edit in _VIEWS[name](text, 0, len(text)))


def decodings(text: str) -> list[str]:
    """Return what ``text`` (NFC) is if it is in one of the encodings, each different answer once.

    >>> decodings("Ngµy sinh")
    ['Ngày sinh']
    """
    return list(dict.fromkeys(each for name in _TOLD if (each := decode(text, name)) != text))


def decode(text: str, name: str) -> str:
    """Return ``text`` (NFC) as it is if it is in the encoding ``name``, whether it looks so or not.

    >>> decode("Saùng kieán", "vni"), decode("§¬n vÞ", "tcvn3"), decode("biêÌn", "cp1258")
    ('Sáng kiến', 'Đơn vị', 'biền')
    """
    pieces, at = [""], 0
    for edit in _VIEWS[name](text, 0, len(text)):
        pieces += (text[at : edit.start], edit.text)
        at = edit.end
    return unicodedata.normalize("NFC", "".join([*pieces, text[at:]]))


@cache
def _telling() -> re.Pattern[str]:
    """Return the characters of windows-1252 that a Unicode text hardly holds but an encoded one does."""
    ordinary = re.compile(f"[{chars.ORDINARY}{chars.SPACES}{chars.NEWLINES}]")
    codes = (*range(0x80, 0x100), *map(ord, _BEYOND_LATIN1))
    return re.compile(
        f"[{chars.char_class(sorted(code for code in codes if not ordinary.match(chr(code))))}]"
    )


class _Word(NamedTuple):
    """What stands between two blanks: how good Vietnamese it is as it is, and as each encoding."""

    written: str
    plain: float
    decoded: Mapping[str, float]


class _Run(NamedTuple):
    """Words of one line that may be encoded; those in plain ASCII look alike in all encodings.

    ``chunks`` are the places of all that stands between two blanks, with the word where it is one.
    """

    chunks: list[tuple[int, int, _Word | None]]
    after_unicode: bool
    before_unicode: bool

    @property
    def words(self) -> list[_Word]:
        return [word for _, _, word in self.chunks if word]


def _runs(text: str) -> Iterator[_Run]:
    for line in _LINE.finditer(text):
        found = _CHUNK.finditer(text, *line.span())
        groups = groupby(found, lambda chunk: bool(_FOREIGN.search(chunk[0])))
        parts = [(foreign, list(part)) for foreign, part in groups]
        for at, (foreign, part) in enumerate(parts):
            passage = text[part[0].start() : part[-1].end()]
            # In a line with Unicode words, the others are Unicode too unless something tells otherwise.
            if not (foreign or passage.isascii() or (len(parts) > 1 and not _telling().search(passage))):
                chunks = [(*chunk.span(), _word(chunk[0])) for chunk in part]
                yield _Run(chunks, after_unicode=at > 0, before_unicode=at < len(parts) - 1)


def _core(run: _Run, name: str) -> tuple[int, int]:
    """Return start and end of the run without the words that are rather those of its Unicode neighbours."""
    better = [at for at, (_, _, word) in enumerate(run.chunks) if word and _is_better(word, name)]
    first = better[0] if run.after_unicode else 0
    last = better[-1] if run.before_unicode else -1
    return run.chunks[first][0], run.chunks[last][1]


def _is_better(word: _Word, name: str) -> bool:
    return word.decoded.get(name, word.plain) > word.plain


def _gain(words: list[_Word], name: str) -> float:
    """Return how much better the words beyond ASCII become on average."""
    gains = [word.decoded[name] - word.plain for word in words if word.decoded]
    return sum(gains) / len(gains) if gains else 0.0


def _told(words: list[_Word], *, among_unicode: bool, names: tuple[str, ...] = ()) -> str:
    """Return the encoding that the words are certainly in, or ``""``."""
    gain, best = max((_gain(words, name), name) for name in names or _TOLD)
    if len(words) < _LEAST or gain < GAIN:
        return ""
    better = _better(words, best)
    sense = sum(word.decoded.get(best, word.plain) for word in words)
    letters = sum(letter.isascii() and letter.isalpha() for word in words for letter in word.written)
    certain = not among_unicode and sense >= _SENSE * len(words)
    return best if letters >= _LEAST_ASCII and (certain or _seen_words(better) >= _LEAST_BETTER) else ""


def _better(words: list[_Word], name: str) -> set[str]:
    return {word.written for word in words if name and _is_better(word, name)}


def _seen_words(written: set[str]) -> int:
    """Return how many words show more than a soft hyphen, which in a Unicode text means nothing."""
    return sum(1 for word in written if not word.replace("\xad", "").isascii())


_D_STROKE: Final = str.maketrans("Ðð", "Đđ", "\xad")


def _word(written: str, names: tuple[str, ...] = ()) -> _Word | None:
    """Return the judged word, or None for what says nothing: numbers, signs, units of measure."""
    return _judged(written, names or _TOLD) if len(written) <= _LONGEST else None


@lru_cache(maxsize=1 << 15)
def _judged(written: str, names: tuple[str, ...]) -> _Word | None:
    fit = _UNFIT.sub("", written)
    parts = _parts(fit)
    if max(map(len, parts), default=0) < _SHORTEST or not _LETTERS.search(fit) or parts[0].startswith("µ"):
        return None
    # "Ð" for "Đ" is a slip of today's keyboards: that a word gets better by it says nothing.
    plain = _mean([_weight(part, careful=False) for part in _parts(fit.translate(_D_STROKE))])
    if all(map(str.isascii, parts)):
        return _Word(written, plain, {})
    return _Word(written, plain, {name: _decoded_weight(fit, plain, name) for name in names})


def _decoded_weight(fit: str, plain: float, name: str) -> float:
    decoded = decode(fit, name)
    if decoded == fit:
        return plain
    forms = [decoded, decode(decoded, name)] if name == "utf8" else [decoded]  # UTF-8 is often encoded twice
    weight = max(_mean([_weight(part, careful=True) for part in _parts(form)]) for form in forms)
    return weight - (_CHANGED if plain == 1.0 else 0.0)


def _parts(word: str) -> list[str]:
    return [part for part in _BETWEEN.split(word) if part and not _DIGIT.search(part)]


def _mean(weights: list[float]) -> float:
    return sum(weights) / len(weights) if weights else 0.0


def _weight(part: str, *, careful: bool) -> float:
    """Return how good Vietnamese ``part`` is; only a ``careful`` look sees that a tone is missing."""
    if part.isascii():
        return 0.5 if is_bare_syllable(part) else 0.0
    return 1.0 if is_syllable(part) and _is_well_toned(part.lower(), careful=careful) else -0.5


_STOPPED: Final = re.compile("(?:c|ch|p|t)$")
_STOPPED_TONES: Final = ("\u0301", "\u0323")


def _is_well_toned(syllable: str, *, careful: bool) -> bool:
    """Return whether the tone stands where one of the two styles has it, and is one that the coda allows."""
    bare, tone = split_tone(syllable)
    if _STOPPED.search(bare) and tone not in _STOPPED_TONES and (tone or careful):
        return False
    return old_style(syllable) == syllable or bare.endswith(("oa", "oe", "uy"))


_TCVN3: Final = dict(
    zip(
        bytes(range(0xA1, 0xFF)).decode("latin-1"),
        "ĂÂÊÔƠƯĐăâêôơưđ______àảãáạ_ằẳẵắ_______ặầẩẫấậè_ẻẽéẹềểễếệìỉ___ĩíịò_ỏõóọồổỗốộờởỡớợù_ủũúụừửữứựỳỷỹýỵ",
        strict=True,
    )
)
_TCVN3_LETTERS: Final = str.maketrans({byte: letter for byte, letter in _TCVN3.items() if letter != "_"})
_WORD: Final = re.compile(r"[^\W\d_]+")


def _tcvn3(text: str, start: int, end: int) -> Iterator[Edit]:
    """Yield the edits for TCVN3, where capitals with a tone are the small letters in another font."""
    encoded = text[start:end]
    decoded = encoded.translate(_TCVN3_LETTERS)
    upper, lower = (sum(map(is_case, decoded)) for is_case in (_is_ascii_upper, _is_ascii_lower))
    among_capitals = upper > max(lower, 1)  # of "Tæ 1" the first letter alone may be a capital
    decoded = _WORD.sub(lambda word: _capital(word[0], among_capitals=among_capitals), decoded)
    for at, (old, new) in enumerate(zip(encoded, decoded, strict=True), start):
        if old != new:
            yield Edit(at, at + 1, new)


def _is_ascii_upper(letter: str) -> bool:
    return "A" <= letter <= "Z"


def _is_ascii_lower(letter: str) -> bool:
    return "a" <= letter <= "z"


def _capital(word: str, *, among_capitals: bool) -> str:
    """Return ``word`` in capitals if all its plain letters are (a first one alone may begin a sentence)."""
    certain = among_capitals or any(map(_is_ascii_upper, word[1:]))
    return word.upper() if certain and not any(map(_is_ascii_lower, word)) else word


def _vni_letters() -> dict[str, str]:
    """Return the letters of VNI-Windows, most of which are a vowel and a second letter for its marks."""
    sac, huyen, hoi, nga, nang = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
    tones = dict(zip("ùøûõï", (sac, huyen, hoi, nga, nang), strict=True))
    circumflex = dict(zip("âáàåãä", ("", sac, huyen, hoi, nga, nang), strict=True))
    breve = dict(zip("êéèúüë", ("", sac, huyen, hoi, nga, nang), strict=True))
    horned = {"ô": "ơ", "ö": "ư"}
    found = {**horned, "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ñ": "đ"}
    found |= {
        base + mark: horned.get(base, base) + tone for base in "aeouyôö" for mark, tone in tones.items()
    }
    found |= {base + mark: f"{base}\u0302{tone}" for base in "aeo" for mark, tone in circumflex.items()}
    found |= {"a" + mark: f"a\u0306{tone}" for mark, tone in breve.items()}
    return {encoded: unicodedata.normalize("NFC", letter) for encoded, letter in found.items()}


_VNI: Final = _vni_letters()
_VNI_PATTERN: Final = re.compile(
    "a[ùøûõïâáàåãäêéèúüë]|[eo][ùøûõïâáàåãä]|[uyôö][ùøûõï]|[ôöæóòîñ]", re.IGNORECASE
)


def _vni_letter(encoded: str) -> str:
    letter = _VNI[encoded.lower()]
    return letter.upper() if encoded[0].isupper() else letter


# Where windows-1258 differs from windows-1252; its tones are marks that follow the letter.
_CP1258_LETTERS: Final = str.maketrans("ÃÐÕÝãðõýþÌÒÞìò", "ĂĐƠƯăđơư₫\u0300\u0309\u0303\u0301\u0323")
_CP1258_PATTERN: Final = re.compile(r"[^\W\d_]?[ÌÒÞìò]|[ÃÐÕÝãðõýþ]")


def _cp1258_letter(encoded: str) -> str:
    return unicodedata.normalize("NFC", encoded.translate(_CP1258_LETTERS))


def _bytes(first: int, last: int) -> str:
    """Return the class of the characters that the bytes come out as, in windows-1252 or Latin-1."""
    others = "".join(character for character, byte in _BYTES.items() if first <= byte <= last)
    return f"[{chr(first)}-{chr(last)}{others}]"


_NEXT: Final = _bytes(0x80, 0xBF)
_UTF8_PATTERN: Final = re.compile(
    f"{_bytes(0xC2, 0xDF)}{_NEXT}|{_bytes(0xE0, 0xEF)}{_NEXT}{{2}}|{_bytes(0xF0, 0xF4)}{_NEXT}{{3}}"
)


def _utf8_letter(encoded: str) -> str:
    """Return the character that the bytes are, or them as they are where they are none (overlong)."""
    return encoded.translate(_AS_LATIN1).encode("latin-1").decode("utf-8", "ignore") or encoded


def _letters(
    pattern: re.Pattern[str], letter: Callable[[str], str]
) -> Callable[[str, int, int], Iterator[Edit]]:
    return lambda text, start, end: matches(pattern, text, letter, start, end)


_VISCII: Final = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)
_VISCII_BELOW: Final = dict(zip("\x02\x05\x06\x14\x19\x1e", "ẲẴẪỶỸỴ", strict=True))
_VPS: Final = (
    "ÀẢÃẤẦẨọỗĂếềểệẮẰẲẾ__ỀỂỄỐỒỔỖýỷỵỚỜỞ_ắằẳẵặỠớÙờởỡŨỨợỪổỬỲỸÍÌộỈĨÓửữÒỎÕự"
    "ầÁÂấẩẫậđẻÉÊẹỉễịỹƯỦồốÔỏơÈừứÚũưÝẺ_àáâãảạă_èéêẽìí_ĩẴĐòóôõ_Ơụùúủ_ỶẼỳ"
)
_VPS_BELOW: Final = dict(
    zip("\x02\x03\x04\x05\x06\x10\x11\x12\x13\x14\x15\x19\x1c\x1d", "ẠẬẶẸỆỊỌỘỢỤỰỴẪỮ", strict=True)
)


def _one_by_one(upper: str, below: Mapping[str, str]) -> Callable[[str, int, int], Iterator[Edit]]:
    """Return the view of an encoding of one byte a letter: those of 80-FF (``_``: none), and those below."""
    table = dict(below) | {chr(byte): letter for byte, letter in enumerate(upper, 0x80) if letter != "_"}
    table |= {sign: table[chr(byte)] for sign, byte in _BYTES.items() if chr(byte) in table}
    pattern = re.compile("[" + "".join(map(re.escape, table)) + "]")
    return _letters(pattern, table.__getitem__)


_VIEWS: Final[Mapping[str, Callable[[str, int, int], Iterator[Edit]]]] = {
    "cp1258": _letters(_CP1258_PATTERN, _cp1258_letter),
    "tcvn3": _tcvn3,
    "utf8": _letters(_UTF8_PATTERN, _utf8_letter),
    "vni": _letters(_VNI_PATTERN, _vni_letter),
    "viscii": _one_by_one(_VISCII, _VISCII_BELOW),
    "vps": _one_by_one(_VPS, _VPS_BELOW),
}
"""How to undo each encoding: the edits for the characters from a start to an end."""

ON_REQUEST: Final = ("viscii", "vps")
"""Encodings that are only looked for when they are asked for."""

_TOLD: Final = tuple(name for name in _VIEWS if name not in ON_REQUEST)
