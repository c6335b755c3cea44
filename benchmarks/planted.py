"""Copies planted among any number of generated records, for measuring what is found and at what cost.

    sangkien bench planted --size 25000 --out DIR                          from the words of the sample
    sangkien bench planted --size 25000 --out DIR --passages FILE.parquet  from passages of your own

Writes ``records.parquet`` (``id,title,description,unit``; the copies stand last) and ``truth.csv``
(``copy_id,source_id,kind``). The same size, passages and seed give the same records.

A record reads like a form filled in: a title from a template, three headings, two to five of its unit's
stock sentences, and a content of 40 to 330 syllables, 137 in the middle. The contents are drawn syllable by
syllable from what follows the two last ones in the passages, now and then only from what follows the last
one, so that any number can be made and short runs recur about as often as in real text. They read like
nothing: what is found among them says whether copies are found, not what people think of them.
"""

from __future__ import annotations

import argparse
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline import normalize, read
from pipeline.settings import checkout

I64 = NDArray[np.int64]
Draw = np.random.Generator

CHUNK = 10_000
SHORTEST, MIDDLE, LONGEST = 40, 137, 330
FOLLOW_TWO = 0.55
FOLLOW_ONE = 0.97
"""Shares of syllables drawn from what follows the last two, and the last two or the last one."""
STOCK, UNITS, OF_A_UNIT = 48, 300, 9
SOURCES = 20_000
"""Copies have their sources among the first records, so that the truth stays as the size grows."""
TITLES = (
    "Một số giải pháp nâng cao hiệu quả {}",
    "Cải tiến quy trình {}",
    "Giải pháp {} tại đơn vị",
    "Ứng dụng công nghệ trong {}",
    "{}",
)
HEADINGS = (
    ("Mục đích của giải pháp:", "Nội dung giải pháp:", "Khả năng áp dụng:"),
    ("1. Tình trạng giải pháp đã biết:", "2. Nội dung giải pháp đề nghị công nhận:", "3. Hiệu quả thu được:"),
    ("I. Đặt vấn đề", "II. Giải quyết vấn đề", "III. Kết quả"),
)


@dataclass(frozen=True)
class Passages:
    """Running text as numbers, and where each pair of syllables and each syllable is followed by what.

    ``tokens[at]`` is a place in ``vocabulary``. ``by_two`` are the places in the text sorted by the two
    syllables before them, ``by_one`` by the one before; ``start_*`` and ``count_*`` say where those of the
    same context as each place stand.
    """

    vocabulary: NDArray[np.object_]
    tokens: I64
    by_two: I64
    start_two: I64
    count_two: I64
    by_one: I64
    start_one: I64
    count_one: I64


def passages(texts: Sequence[str]) -> Passages:
    """Return the passages, ready to be drawn from."""
    codes, vocabulary = pd.factorize(pd.Series(" ".join(texts).split(), dtype=object))
    tokens = np.asarray(codes, dtype=np.int64)
    one = np.concatenate(([-1], tokens[:-1]))
    two = np.concatenate(([-1, -1], tokens[:-2])) * len(vocabulary) + one
    return Passages(np.asarray(vocabulary, dtype=object), tokens, *_contexts(two), *_contexts(one))


def _contexts(keys: I64) -> tuple[I64, I64, I64]:
    by = np.argsort(keys, kind="stable")
    ordered = keys[by]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    sizes = np.diff(np.append(starts, len(keys)))
    start, count = np.empty_like(keys), np.empty_like(keys)
    start[by], count[by] = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    return by, start, count


def contents(source: Passages, lengths: I64, draw: Draw) -> list[list[str]]:
    """Return one list of written syllables for each length."""
    steps = int(lengths.max(initial=1))
    made = np.empty((steps, len(lengths)), dtype=np.int64)
    place = draw.integers(2, len(source.tokens), len(lengths))
    for step in range(steps):
        made[step] = source.tokens[place]
        after = np.minimum(place + 1, len(source.tokens) - 1)
        chance, pick = draw.random(len(place)), draw.random(len(place))
        two = source.by_two[source.start_two[after] + (pick * source.count_two[after]).astype(np.int64)]
        one = source.by_one[source.start_one[after] + (pick * source.count_one[after]).astype(np.int64)]
        anywhere = (pick * len(source.tokens)).astype(np.int64)
        place = np.select([chance < FOLLOW_TWO, chance < FOLLOW_ONE], [two, one], anywhere)
    written = source.vocabulary[made.T]
    return [row[:length].tolist() for row, length in zip(written, lengths.tolist(), strict=True)]


def lengths(count: int, draw: Draw) -> I64:
    """Return lengths of contents: log-normal about the middle, cut at both ends."""
    drawn = np.exp(draw.normal(np.log(MIDDLE), 0.45, count))
    return np.clip(drawn, SHORTEST, LONGEST).astype(np.int64)


# ------------------------------------------------------------------------------------- records of content


@dataclass(frozen=True)
class Office:
    """What units add to every record: headings, and their stock sentences."""

    sentences: tuple[str, ...]
    of_unit: tuple[tuple[int, ...], ...]
    weight: NDArray[np.float64]

    def dressed(self, content: Sequence[str], unit: int, draw: Draw) -> tuple[str, str]:
        """Return title and description of a record of this content from this unit."""
        words = " ".join(content[:12]).lower()
        title = TITLES[draw.integers(len(TITLES))].format(words)
        headings = HEADINGS[unit % len(HEADINGS)]
        chosen = draw.permutation(self.of_unit[unit])[: draw.integers(2, 6)]
        stock = [self.sentences[each] for each in chosen]
        lines = _lines(content)
        half = len(lines) // 2
        parts = [headings[0], *stock[:1], *lines[:half], headings[1], *lines[half:], headings[2], *stock[1:]]
        return title, "\n".join(parts)


def office(source: Passages, draw: Draw) -> Office:
    """Return an office of many units, some far larger than others."""
    made = contents(source, draw.integers(14, 30, STOCK), draw)
    sentences = tuple(" ".join(words).rstrip(".,;:") + "." for words in made)
    of_unit = tuple(tuple(draw.permutation(STOCK)[:OF_A_UNIT].tolist()) for _ in range(UNITS))
    weight = 1 / np.arange(1, UNITS + 1)
    return Office(sentences, of_unit, weight / weight.sum())


def _lines(content: Sequence[str]) -> list[str]:
    """Return the content in lines, broken behind a full stop or after 30 syllables."""
    lines: list[list[str]] = [[]]
    for word in content:
        lines[-1].append(word)
        if (word.endswith(".") and len(lines[-1]) >= 8) or len(lines[-1]) >= 30:
            lines.append([])
    return [" ".join(line) for line in lines if line]


# ------------------------------------------------------------------------------------------------ copies


@dataclass(frozen=True)
class Source:
    """A record to be copied: its content, its unit, and title and description as filed."""

    content: tuple[str, ...]
    unit: int
    title: str
    description: str


@dataclass(frozen=True)
class Setting:
    """Where copies are made: the office, foreign content, neighbours of words, and the draw."""

    office: Office
    foreign: Callable[[int], list[str]]
    neighbour: Callable[[str, str, str], str]
    draw: Draw


Planted = tuple[str, str, int]
"""Title, description, unit."""


def _exact(source: Source, _here: Setting) -> Planted:
    return source.title, source.description, source.unit


def _form(source: Source, _here: Setting) -> Planted:
    text = unicodedata.normalize("NFD", source.description.replace(",", " ,").upper())
    return source.title.upper(), text.replace("\n", "\r\n\r\n"), source.unit


def _nodiac(source: Source, _here: Setting) -> Planted:
    return _bare(source.title), _bare(source.description), source.unit


def _bare(text: str) -> str:
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _typos(share: float) -> Callable[[Source, Setting], Planted]:
    def make(source: Source, here: Setting) -> Planted:
        return _mistyped(source.title, share, here), _mistyped(source.description, share, here), source.unit

    return make


def _mistyped(text: str, share: float, here: Setting) -> str:
    def one(found: re.Match[str]) -> str:
        word = found.group()
        if here.draw.random() >= share:
            return word
        at = int(here.draw.integers(len(word)))
        return word[:at] + "bcdghklmnpqrstvx"[here.draw.integers(16)] + word[at + 1 :]

    return re.sub(r"\w+", one, text)


def _reorder(source: Source, here: Setting) -> Planted:
    lines = source.description.split("\n")
    return source.title, "\n".join(here.draw.permutation(np.array(lines, dtype=object))), source.unit


def _redressed(change: Callable[[list[str], Setting], list[str]]) -> Callable[[Source, Setting], Planted]:
    """Return the kind whose content is changed and filed by another unit under another title."""

    def make(source: Source, here: Setting) -> Planted:
        unit = int(here.draw.integers(UNITS))
        return (*here.office.dressed(change(list(source.content), here), unit, here.draw), unit)

    return make


def _insert30(content: list[str], here: Setting) -> list[str]:
    added = here.foreign(int(len(content) * 0.3))
    for word in added:
        content.insert(int(here.draw.integers(len(content) + 1)) // 10 * 10, word)
    return content


def _within(share: float) -> Callable[[list[str], Setting], list[str]]:
    def make(content: list[str], here: Setting) -> list[str]:
        kept = int(len(content) * share)
        start = int(here.draw.integers(len(content) - kept + 1))
        other = here.foreign(int(kept * (1 - share) / share))
        at = int(here.draw.integers(len(other) + 1))
        return other[:at] + content[start : start + kept] + other[at:]

    return make


def _shorten40(content: list[str], here: Setting) -> list[str]:
    kept = int(len(content) * 0.4)
    start = int(here.draw.integers(len(content) - kept + 1))
    return content[start : start + kept]


def _reword(share: float) -> Callable[[list[str], Setting], list[str]]:
    def make(content: list[str], here: Setting) -> list[str]:
        for at in np.flatnonzero(here.draw.random(len(content)) < share).tolist():
            before, after = content[max(at - 1, 0)], content[min(at + 1, len(content) - 1)]
            content[at] = here.neighbour(before, content[at], after)
        return content

    return make


KINDS: dict[str, Callable[[Source, Setting], Planted]] = {
    "exact": _exact,
    "form": _form,
    "nodiac": _nodiac,
    "typo5": _typos(0.05),
    "typo10": _typos(0.1),
    "reorder": _reorder,
    "bpswap": _redressed(lambda content, _here: content),
    "insert30": _redressed(_insert30),
    "half": _redressed(_within(0.5)),
    "third": _redressed(_within(0.3)),
    "shorten40": _redressed(_shorten40),
    "reword20": _redressed(_reword(0.2)),
    "reword40": _redressed(_reword(0.4)),
    "reword60": _redressed(_reword(0.6)),
}
"""What is done to a source; ``reword`` puts words that stand between the same neighbours in the passages."""


def _neighbours(source: Passages, draw: Draw) -> Callable[[str, str, str], str]:
    """Return a function from a word between two others to another word seen there, or behind the first."""
    number = {word: place for place, word in enumerate(source.vocabulary.tolist())}
    between: dict[tuple[int, int], list[int]] = {}
    tokens = source.tokens[:2_000_000].tolist()
    for before, word, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        seen = between.setdefault((before, after), [])
        if len(seen) < 20 and word not in seen:
            seen.append(word)

    def neighbour(before: str, word: str, after: str) -> str:
        own = number.get(word, -1)
        seen = between.get((number.get(before, -1), number.get(after, -1)), ())
        others = [each for each in seen if each != own]
        if others:
            return str(source.vocabulary[others[draw.integers(len(others))]])
        return str(source.vocabulary[source.tokens[draw.integers(len(tokens))]])

    return neighbour


# ------------------------------------------------------------------------------------------------- sets


def records(
    texts: Sequence[str], size: int, *, each: int = 200, seed: int = 1
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield ``size`` records in tables of up to `CHUNK`, each with the truth about the copies in it.

    Args:
        texts: Passages to draw from.
        size: How many records, the copies among them.
        each: Copies of each of `KINDS`; fewer where they would be more than a fifth of all.
        seed: Of the draw.
    """
    draw = np.random.default_rng(seed)
    source = passages(texts)
    where = office(source, draw)
    each = min(each, size // (5 * len(KINDS)))
    copies = each * len(KINDS)
    wanted = np.sort(draw.permutation(min(SOURCES, size - copies))[:copies])
    sources: list[Source] = []
    for start in range(0, size - copies, CHUNK):
        count = min(CHUNK, size - copies - start)
        units = draw.choice(UNITS, count, p=where.weight)
        made = contents(source, lengths(count, draw), draw)
        cells = [where.dressed(content, unit, draw) for content, unit in zip(made, units, strict=True)]
        mine = wanted[(wanted >= start) & (wanted < start + count)] - start
        sources += [Source(tuple(made[row]), int(units[row]), *cells[row]) for row in mine.tolist()]
        yield _table(start, cells, units.tolist()), _truth([])

    def foreign(count: int) -> list[str]:
        return contents(source, np.array([max(count, 1)]), draw)[0][:count]

    here = Setting(where, foreign, _neighbours(source, draw), draw)
    kinds = [kind for kind in KINDS for _ in range(each)]
    turned = draw.permutation(len(sources))
    planted = [KINDS[kind](sources[place], here) for kind, place in zip(kinds, turned.tolist(), strict=True)]
    told = [
        (_name(size - copies + row), _name(int(wanted[place])), kind)
        for row, (kind, place) in enumerate(zip(kinds, turned.tolist(), strict=True))
    ]
    yield _table(size - copies, [cell[:2] for cell in planted], [cell[2] for cell in planted]), _truth(told)


def _name(row: int) -> str:
    return f"P{row:07}"


def _table(start: int, cells: Sequence[tuple[str, str]], units: Sequence[int]) -> pd.DataFrame:
    columns = {
        "id": [_name(start + row) for row in range(len(cells))],
        "title": [title for title, _ in cells],
        "description": [text for _, text in cells],
        "unit": [f"Đơn vị {unit}" for unit in units],
    }
    return pd.DataFrame(columns, dtype="str")


def _truth(told: list[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(told, columns=["copy_id", "source_id", "kind"], dtype="str")


def text_of(path: Path | None) -> list[str]:
    """Return the passages in a Parquet file (column ``text``, or all text columns), or the sample's texts."""
    if path is None:
        folder = checkout("data", "sample")
        texts = read.tables([folder / "archive.csv", folder / "labelled.csv"]).batch["description"]
        return [normalize.clean(text).text for text in texts]
    table = pd.read_parquet(path).astype("str")
    columns = ["text"] if "text" in table else [name for name in table.columns if name != "id"]
    return [" ".join(row) for row in table[columns].itertuples(index=False)]


def write(folder: Path, texts: Sequence[str], size: int, *, seed: int = 1) -> None:
    """Write the records and the truth into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = []
    writer = None
    for table, told in records(texts, size, seed=seed):
        arrow = pa.Table.from_pandas(table, preserve_index=False)
        writer = writer or pq.ParquetWriter(folder / "records.parquet", arrow.schema)
        writer.write_table(arrow)
        truth.append(told)
    if writer:
        writer.close()
    pd.concat(truth).to_csv(folder / "truth.csv", index=False)


def main() -> None:
    """Write a planted set."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=25_000, help="how many records")
    parser.add_argument("--out", type=Path, required=True, help="folder for the two files")
    parser.add_argument("--passages", type=Path, help="Parquet file of passages, in a column `text`")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    write(chosen.out, text_of(chosen.passages), chosen.size, seed=chosen.seed)


if __name__ == "__main__":
    main()
