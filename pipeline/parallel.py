"""One seam between one process and many: the same results in the same order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int = 1
) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in order, using up to ``workers`` processes.

    Args:
        function: Pure and importable by name (it is sent to the workers).
        items: What to work on; a chunk should cost at least a tenth of a second.
        workers: 1 stays in this process.

    >>> list(spread(len, ["a", "bc"]))
    [1, 2]
    """
    if workers <= 1 or len(items) <= 1:
        yield from map(function, items)
        return
    from joblib import Parallel, delayed  # noqa: PLC0415 - costs start-up time that one process need not pay

    pool = Parallel(n_jobs=min(workers, len(items)), return_as="generator")
    yield from pool(delayed(function)(item) for item in items)


def chunks(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Cut ``items`` into consecutive pieces of at most ``size``.

    >>> chunks("abcde", 2)
    ['ab', 'cd', 'e']
    """
    return [items[start : start + size] for start in range(0, len(items), size)]
