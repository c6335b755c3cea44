"""Damaged tables, at random: is every row accounted for, and does a refused one stand in the file as it was?

    sangkien bench input [--files 500] [--rows 1000] [--seed 0]

Each file is a clean table of ROWS rows (CSV, JSON Lines or XLSX) with three damages, one upon the other:
bytes cut out, put in, turned or repeated, quotation marks, delimiters, line ends, NULs, the end cut off. For
each it is asked that reading ends in an account or a sentence and in no other way; that rows read = accepted
+ quarantined + blank; and that the raw bytes of each refused row of a text stand in the file.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import xlsxwriter

from pipeline import read
from pipeline.errors import SangkienError

DAMAGES: Final = 3
HEAD: Final = ("Mã số", "Tên sáng kiến", "Nội dung", "Tác giả")
KEPT_WHOLE: Final = 80
"""Bytes at the start of a file that no damage touches: without its header a table is refused as a whole."""


def row(number: int) -> tuple[str, ...]:
    """Return a row of the clean table; it has what is hard in texts: delimiters, marks, line ends."""
    return (
        f"SK{number:05}",
        f"Cải tiến máy số {number}, loại {number % 7}",
        f'Mô tả "thứ"\n{number}' if number % 3 else f"Mô tả {number}",
        f"Nguyễn Văn {number}",
    )


def clean_csv(rows: int) -> bytes:
    """Return the clean table as CSV."""
    lines = [",".join(HEAD)]
    lines += [",".join('"' + cell.replace('"', '""') + '"' for cell in row(number)) for number in range(rows)]
    return "\n".join(lines).encode()


def clean_lines(rows: int) -> bytes:
    """Return the clean table as JSON Lines."""
    import json

    objects = (dict(zip(HEAD, row(number), strict=True)) for number in range(rows))
    return "\n".join(json.dumps(each, ensure_ascii=False) for each in objects).encode()


def clean_xlsx(rows: int) -> bytes:
    """Return the clean table as a workbook."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        with xlsxwriter.Workbook(path) as book:
            sheet = book.add_worksheet()
            for number, cells in enumerate([HEAD, *map(row, range(rows))]):
                sheet.write_row(number, 0, cells)
        return path.read_bytes()


CLEAN: Final[Mapping[str, Callable[[int], bytes]]] = {
    ".csv": clean_csv,
    ".jsonl": clean_lines,
    ".xlsx": clean_xlsx,
}


def damaged(rng: random.Random, clean: bytes) -> bytes:
    """Return a clean file with `DAMAGES` damages at random places."""
    data = bytearray(clean)
    for _ in range(DAMAGES):
        at = rng.randrange(KEPT_WHOLE, max(len(data), KEPT_WHOLE + 1))
        rng.choice(_DAMAGES)(rng, data, at)
    return bytes(data)


def _put(*choices: bytes) -> Callable[[random.Random, bytearray, int], None]:
    def put(rng: random.Random, data: bytearray, at: int) -> None:
        data[at:at] = rng.choice(choices)

    return put


def _turn(rng: random.Random, data: bytearray, at: int) -> None:
    if at < len(data):
        data[at] ^= 1 << rng.randrange(8)


def _cut(rng: random.Random, data: bytearray, at: int) -> None:
    del data[at : at + rng.choice((1, 40, 400))]


def _repeat(rng: random.Random, data: bytearray, at: int) -> None:
    data[at:at] = data[at : at + rng.choice((1, 40, 400))]


def _move(rng: random.Random, data: bytearray, at: int) -> None:
    other = rng.randrange(KEPT_WHOLE, len(data) + 1)
    data[at:at] = data[other : other + 100]


def _end(rng: random.Random, data: bytearray, at: int) -> None:
    del data[max(at, len(data) - rng.choice((1, 50, 500))) :]


_DAMAGES: Final = (
    _put(b'"', b'""', b'\\"'),
    _put(b",", b";;", b",,,", b"\t"),
    _put(b"\n", b"\n\n", b"\r", b"\r\n"),
    _put(b"\0", b"\xff", b"\xef\xbb\xbf", b"\xc3", b"{", b"}"),
    _turn,
    _cut,
    _repeat,
    _move,
    _end,
)


def wrong(path: Path) -> str:
    """Return what is wrong with how a file was read, ``""`` for nothing."""
    try:
        reading = read.tables([path])
    except SangkienError as error:
        reading = vars(error).get("reading")
        if reading is None:
            return f"no account: {error}"
    except Exception as error:  # noqa: BLE001 - that there is none is what is measured
        return f"{type(error).__name__}: {error}"
    totals = reading.totals
    if totals["read"] != totals["accepted"] + totals["quarantined"] + totals["blank"]:
        return f"the rows do not add up: {totals}"
    if path.suffix != ".xlsx":
        source = path.read_bytes().decode("utf-8", "backslashreplace")
        for refused in reading.quarantine:
            if refused.raw not in source:
                return f"row {refused.row} does not stand in the file as {refused.raw[:80]!r}"
    return ""


def main() -> None:
    """Print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    clean = {suffix: make(chosen.rows) for suffix, make in CLEAN.items()}
    found: Counter[str] = Counter()
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(chosen.files):
            suffix = list(CLEAN)[number % len(CLEAN)]
            path = Path(folder) / f"damaged{suffix}"
            path.write_bytes(damaged(random.Random(f"{chosen.seed}/{number}"), clean[suffix]))  # noqa: S311 - no secret
            if fault := wrong(path):
                print(f"seed {chosen.seed}, file {number} ({suffix}): {fault}")
            found["wrong" if fault else "right"] += 1
    seconds = time.process_time() - started
    print(f"{chosen.files} damaged tables of {chosen.rows} rows, {seconds:.0f} s of processor time")
    print(f"  accounted for, no other end, raw rows found: {found['right']}")
    print(f"  not: {found['wrong']}")


if __name__ == "__main__":
    main()
