"""Words: the same as underthesea's, how much sooner, how good, and what hostile text costs.

    sangkien bench segment                              on what travels with the code
    sangkien bench segment --texts FILE --texts FILE    also on more: Parquet with text, title, description
    sangkien bench segment --ud DIR                     also word F1 on the files *.conllu of a treebank

Every figure is CPU seconds of one process, ours and underthesea's in turn on the same texts; machines differ
and are noisy, the ratio is the figure. *Cold* is the first block of texts that a process reads, *unseen* any
later block, read for the first time, *again* the same block once more. Words are compared byte for byte with
`underthesea.word_tokenize` where no guard applies, and so are strings made at random of pieces that
tokenizers stumble over.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final, TypeVar

import pandas as pd

from pipeline import parallel, read, segment
from pipeline.segment.engine import load
from pipeline.settings import checkout

Result = TypeVar("Result")

BLOCK: Final = 2_000
PATIENCE: Final = 2  # seconds that underthesea may take for one string made at random
KILO: Final = 1_000
ROUNDS: Final = 5


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=Path, action="append", default=[], help="Parquet file of texts")
    parser.add_argument("--ud", type=Path, help="folder with the files *.conllu of a treebank")
    parser.add_argument("--words", type=int, default=1_200_000, help="how many words are compared at most")
    parser.add_argument("--fuzz", type=int, default=20_000, help="how many strings made at random")
    chosen = parser.parse_args()
    from underthesea import word_tokenize

    word_tokenize("khởi động")
    with tempfile.TemporaryDirectory() as tables:
        _, made = timed(lambda: load(Path(tables)))
        _, kept = timed(lambda: load(Path(tables)))
        reason = segment.slow_reason(tables=Path(tables))
    print(f"The way taken: {reason or 'all texts at once'}; {segment.model_version()}")
    print(
        f"Loading beside the library: {made:.2f} s, with tables on disk {kept:.2f} s, self-check included\n"
    )
    texts = [*sample(), *(text for path in chosen.texts for text in texts_of(path))]
    random.Random(6).shuffle(texts)  # noqa: S311 - so that each block is of all files
    forms = repeated(4 * BLOCK)
    against(texts, chosen.words, word_tokenize)
    against(forms, chosen.words, word_tokenize, name="documents with a third of form text")
    if chosen.fuzz:
        on_random(chosen.fuzz, word_tokenize)
    on_hostile()
    among_others(texts)
    by_two(forms)
    if chosen.ud:
        on_treebank(chosen.ud)


# ------------------------------------------------------------------------------------------------ texts


def texts_of(path: Path) -> list[str]:
    """Return the texts of a Parquet file: its columns text, title and description."""
    table = pd.read_parquet(path)
    return [
        text
        for name in ("text", "title", "description")
        if name in table
        for text in table[name].astype("str").fillna("").tolist()
    ]


def sample() -> list[str]:
    """Return the texts that travel with the code, in one order."""
    folder = checkout("data", "sample")
    batch = read.tables([folder / "archive.csv", folder / "labelled.csv"]).batch
    return [text for name in ("description", "title") for text in batch[name].tolist() if text]


def repeated(count: int) -> list[str]:
    """Return documents of about 240 syllables: a third form text, the rest words as in the sample."""
    from dedupe import generated

    texts: list[str] = generated(count)
    return texts


# --------------------------------------------------------------------------------- the same, and how fast


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Return what ``work`` gives and the CPU seconds it took."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def against(
    texts: Sequence[str], words: int, theirs: Callable[[str], list[str]], *, name: str = "texts"
) -> None:
    """Print whether all words are theirs, and the ratio of CPU seconds."""
    total = different = guarded = skipped = 0
    cold: list[tuple[float, float]] = []
    unseen: list[tuple[float, float]] = []
    again: list[tuple[float, float]] = []
    syllables = 0
    for start in range(0, len(texts), BLOCK):
        block = list(texts[start : start + BLOCK])
        rows, first = timed(lambda block=block: segment.column(block))  # type: ignore[misc]
        _, second = timed(lambda block=block: segment.column(block))  # type: ignore[misc]
        expected, reference = timed(lambda block=block: [theirs(text) for text in block])  # type: ignore[misc]
        found = segment.like_underthesea(block)
        (unseen if cold else cold).append((first, reference))
        again.append((second, reference))
        for row, ours, their in zip(rows, found, expected, strict=True):
            total += len(their)
            guarded += row.guarded
            skipped += row.guarded and ours != their
            different += ours != their and not row.guarded
        syllables += sum(len(text.split()) for text in block)
        if total >= words:
            break
    print(f"{total:,} words, {syllables:,} syllables of {name}")
    print(f"  texts whose words differ: {different}; guarded texts: {guarded}, of which differ: {skipped}")
    for title, pairs in (("cold", cold), ("unseen", unseen), ("again", again)):
        if pairs:
            ours, their = (sum(column) for column in zip(*pairs, strict=True))
            print(f"  {title:<8} ours {ours:7.2f} s   underthesea {their:7.2f} s   ratio {their / ours:5.1f}")
    spent = sum(second for second, _ in again)
    print(f"  {syllables / spent / 1e6:.2f} million syllables a second, read again\n")


# ------------------------------------------------------------------------------------- strings at random

_PIECES: Final = """
    học sinh Sáng kiến CẢI TIẾN máy lao động an toàn công nhân ông nghành Hoà bíết Ðảng ðảng Th S Th.S ThS.
    Tp. HCM ABC. ABC T.Ư H&M H'Mông NĐ-CP PGS.TS. Mr. Dr. e-mail II III BOS EOS T. Â. 1.250.000 02/03/2024
    5A1 43H-0530 1,5 % ° °C ½ ² ٣ 3-4 3x4 v.v v.v... :D :)) <3 => ==> -> -- ... … >> “ ” ‘ ’ ( ) [ ] { } _ a_b
    __ + x × ÷ = a@b.vn www.a.vn http://a.b/c?d=1 https://x.y/(z) ftp://q a-b-c ß İstanbul ΑΣ ǅ ﬁ 漢字 😀 👍🏽
    Thes Thessaloniki ThaSa \u200b \u200d \ufeff \xad \u0301 ạ\u0301 e\u0323\u0302 o\u031b\u0300
"""
PIECES: Final = tuple(_PIECES.split())
GAPS: Final = (*[" "] * 12, *[""] * 4, *("\n", "\t", "\xa0", "  ", " \n", "\r\n", "\x1c", "\u2028", "\x85"))
ADDRESSES: Final = ("http://", "www.", "https:", "a.vn/", "x@", "a.b-c.", "", "A.", "Th ")


def random_texts(count: int) -> Iterator[str]:
    """Yield strings of known pieces, of awkward letters, of addresses, and of any characters."""
    draw = random.Random(47)  # noqa: S311 - not for secrets
    for number in range(count):
        kind = number % 20
        if kind < 15:
            text = "".join(
                draw.choice(PIECES) + draw.choice(GAPS) for _ in range(draw.choice((1, 2, 3, 5, 8, 13)))
            )
            text = text.upper() if kind == 0 else text
            text = unicodedata.normalize("NFD", text) if kind == 1 else text
            yield text.strip() if number % 2 else text
        elif kind < 17:
            letters = "abcdđeêôơưạảÁĐAZ09.,:;-_/@()!?'’\"&+%<>= \n\u0301\u0323"
            yield "".join(draw.choices(letters, k=draw.randint(0, 40)))
        elif kind < 19:
            rest = draw.choices("abAĐ19..--/()@:+_&%=?,<>[]é ", k=draw.randint(0, 14))
            yield draw.choice(ADDRESSES) + "".join(rest)
        else:
            blocks = ((32, 0x250), (0x300, 0x2FFF), (0x1E00, 0x1EFF), (0x1F300, 0x1F6FF))
            yield "".join(chr(draw.randint(*draw.choice(blocks))) for _ in range(draw.randint(0, 25)))


class TooLateError(Exception):
    """underthesea did not return."""


@contextmanager
def patience() -> Iterator[None]:
    """End what takes too long."""

    def stop(*_: object) -> None:
        raise TooLateError

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def on_random(count: int, theirs: Callable[[str], list[str]]) -> None:
    """Print of how many strings the words are not theirs."""
    texts = list(random_texts(count))
    found = segment.like_underthesea(texts)
    rows = segment.column(texts)
    different = late = 0
    for text, ours, row in zip(texts, found, rows, strict=True):
        try:
            with patience():
                expected = theirs(text)
        except TooLateError:
            late += 1
            continue
        if ours != expected and not row.guarded:
            different += 1
            print(f"  differs: {text!r}")
    guarded = sum(row.guarded for row in rows)
    print(
        f"{count:,} strings made at random: {different} differ, {guarded} guarded, {late} underthesea hangs\n"
    )


# ---------------------------------------------------------------------------------------- hostile strings

HOSTILE: Final = {
    "url !": ("http://", "!"),
    "url !?": ("http://", "!?"),
    "url .": ("http://a", "."),
    "url '": ("http:/", "'"),
    "url (": ("http://a", "("),
    "url ()": ("http://a", "()"),
    "url (()": ("http://a", "(()"),
    "url (a": ("http://a", "(a"),
    "a.": ("", "a."),
    "A.": ("", "A."),
    "1.": ("", "1."),
    "1,": ("", "1,"),
    "1/": ("", "1/"),
    "1-": ("", "1-"),
    "1A": ("", "1A"),
    "a+": ("", "a+"),
    "a-+-": ("a-", "+-"),
    "a-": ("", "a-"),
    "a@": ("", "a@"),
    "a&": ("", "A&"),
    "a'": ("", "a'"),
    "marks": ("a", "\u0301\u0323"),
    "one mark": ("a", "\u0301"),
    "emoji": ("", "😀"),
    "#": ("", "#"),
    "nul": ("", "\0"),
    "zero width": ("", "\u200b"),
    "_": ("", "_"),
    "a_": ("", "a_"),
    "dots": ("", "."),
    ":)": ("", ":)"),
    ":D": ("", ":D"),
    "v.v": ("", "v.v"),
    "<3": ("", "<3"),
    "digits": ("", "1"),
    "letter": ("", "a"),
    "capital": ("", "Đ"),
    "han": ("", "漢"),
    "surrogate": ("", "\ud800"),
    "www": ("", "www.a.b/"),
    "space": ("", " "),
    "lines": ("", "\n"),
    "urls": ("", "http://" + "!" * 150 + " "),
    "hosts": ("", "a." * 99 + " "),
    "mails": ("", "a+" * 99 + " "),
    "hyphens": ("", "a-" + "+-" * 98 + " "),
    "shouts": ("", "ABC" * 66 + " "),
    "numbers": ("", "1." * 98 + " "),
    "brackets": ("", "http://a" + "(a" * 90 + " "),
    "stacks": ("", "a" + "\u0301\u0323" * 90 + " "),
    "letters": ("", "a "),
    "Th S": ("", "Th S "),
    "capitals": ("", "A B\n"),
    "unknown": ("", "ŋ "),
}
"""Strings made to hang a tokenizer: how each begins, and what it repeats."""


def hostile(name: str, size: int) -> str:
    """Return the hostile string ``name``, of ``size`` characters."""
    start, unit = HOSTILE[name]
    return (start + unit * (size // len(unit) + 1))[:size]


def on_hostile() -> None:
    """Print what the worst of the hostile strings cost, and how that grows."""
    cells, large, growth = {}, {}, {}
    guarded = 0
    for name in HOSTILE:
        small = min(timed(lambda name=name: segment.tokens(hostile(name, 4 * KILO)))[1] for _ in range(3))  # type: ignore[misc]
        row, cells[name] = timed(lambda name=name: segment.tokens(hostile(name, 32 * KILO)))  # type: ignore[misc]
        _, large[name] = timed(lambda name=name: segment.tokens(hostile(name, KILO * KILO)))  # type: ignore[misc]
        again = min(timed(lambda name=name: segment.tokens(hostile(name, 32 * KILO)))[1] for _ in range(3))  # type: ignore[misc]
        growth[name] = again / max(small, 0.001)
        guarded += row.guarded
    print(
        f"{len(HOSTILE)} hostile strings, of which the guards tell {guarded}; the slowest three, in seconds"
    )
    for title, found in (("32 kB", cells), ("1 MB", large), ("32 kB / 4 kB, at least 1 ms", growth)):
        worst = sorted(found, key=lambda name: -found[name])[:3]
        print(f"  {title:<28} " + "   ".join(f"{name} {found[name]:.3f}" for name in worst))
    print()


def among_others(texts: Sequence[str]) -> None:
    """Print what 20 hostile rows among 10,000 cost the others."""
    rows = [texts[place % len(texts)] for place in range(10 * KILO)]
    mixed = list(rows)
    for place, name in enumerate(list(HOSTILE)[:20]):
        mixed[500 * place] = hostile(name, 32 * KILO)
    segment.column(rows)
    alone, calm = timed(lambda: segment.column(rows))
    beside, disturbed = timed(lambda: segment.column(mixed))
    same = sum(one == other for one, other in zip(alone, beside, strict=True))
    print(f"10,000 rows {calm:.2f} s; with 20 hostile ones {disturbed:.2f} s; rows unchanged {same:,}\n")


# ------------------------------------------------------------------------------------------------ workers


def shard(texts: Sequence[str]) -> tuple[list[tuple[str, bool]], int, float]:
    """Return the words of a shard, which process cut them, and its CPU seconds."""
    rows, spent = timed(lambda: segment.column(texts))
    return [(row.text, row.guarded) for row in rows], os.getpid(), spent


def by_two(texts: Sequence[str]) -> None:
    """Print how much sooner two processes are done, by the CPU seconds that stand on the longer way."""
    shards = parallel.chunks(texts, KILO)
    for workers in (1, 2):
        list(parallel.spread(shard, shards, workers=workers))  # loaded and warm, both
    print(f"{len(texts):,} rows by one process, and by two beside this one")
    ratios = []
    for _ in range(ROUNDS):
        rows, alone = timed(lambda: [row for part in shards for row in segment.column(part)])
        done, here = timed(lambda: list(parallel.spread(shard, shards, workers=2)))
        there: dict[int, float] = {}
        for _, process, spent in done:
            there[process] = there.get(process, 0.0) + spent
        assert rows == [segment.Tokens(*row) for part, _, _ in done for row in part]
        ratios.append(alone / (here + max(there.values())))
        both = " and ".join(f"{spent:.2f}" for spent in there.values())
        print(f"  {alone:.2f} s alone; {both} s, this process {here:.2f} s: {ratios[-1]:.2f} times as fast")
    print(f"  {statistics.median(ratios):.2f} times as fast\n")


# ---------------------------------------------------------------------------------------------- treebank


def on_treebank(folder: Path) -> None:
    """Print word F1 of our words, and of every syllable as a word, beside the treebank's."""
    print("Word F1 beside the treebank")
    for path in sorted(folder.glob("*.conllu")):
        gold = list(sentences(path))
        texts = [text for text, _ in gold]
        ours = f1((words for _, words in gold), map(segment.words, texts))
        plain = f1((words for _, words in gold), map(tokens_of, texts))
        print(f"  {path.stem:<20} {len(gold):>6} sentences   ours {ours:.4f}   syllables {plain:.4f}")


def sentences(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each sentence's text and words."""
    for part in path.read_text(encoding="utf-8").split("\n\n"):
        lines = part.splitlines()
        text = next((line.partition("=")[2].strip() for line in lines if line.startswith("# text =")), "")
        cells = [line.split("\t") for line in lines if line[:1].isdigit()]
        words = [cell[1] for cell in cells if cell[0].isdecimal()]
        if words:
            yield unicodedata.normalize("NFC", text), [unicodedata.normalize("NFC", word) for word in words]


def tokens_of(text: str) -> list[str]:
    """Return each token as a word."""
    return [token for word in segment.words(text) for token in word.split()]


def f1(gold: Iterable[Sequence[str]], found: Iterable[Sequence[str]]) -> float:
    """Return the F1 of words as spans of the text without its blanks."""
    right = there = said = 0
    for words, ours in zip(gold, found, strict=True):
        one, other = spans(words), spans(ours)
        right += len(one & other)
        there += len(one)
        said += len(other)
    return 2 * right / (there + said)


def spans(words: Sequence[str]) -> set[tuple[int, int]]:
    """Return where words begin and end, blanks not counted."""
    ends = [0]
    for word in words:
        ends.append(ends[-1] + len("".join(word.split())))
    return set(pairwise(ends))


if __name__ == "__main__":
    main()
