"""Parallel work in threads, a few items at a time, with results in the items' order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_order(
    pool: Executor,
    work: Callable[[T], R],
    items: Iterable[T],
    at_once: int,
    wait: Callable[["Future[R]"], R] = Future.result,
) -> Iterator[tuple[T, R]]:
    """Each item with its result of `work`, in the items' order, at most `at_once` in progress; `wait` gets a result.

    The limit also bounds the results in memory. When the caller stops, items that have not begun are cancelled.
    """
    pending: deque[tuple[T, Future[R]]] = deque()
    try:
        for item in items:
            pending.append((item, pool.submit(work, item)))
            if len(pending) >= at_once:
                first, future = pending.popleft()
                yield first, wait(future)
        while pending:
            first, future = pending.popleft()
            yield first, wait(future)
    finally:
        for _, future in pending:
            future.cancel()
