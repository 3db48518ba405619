"""Results of parallel work, in the order of its items."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.parallel import in_order


def test_results_come_in_the_items_order_however_they_end() -> None:
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_done.wait(60)
        if item == 1:
            second_done.set()
        return item * 10

    with ThreadPoolExecutor(2) as pool:
        assert list(in_order(pool, work, range(4), 2)) == [(0, 0), (1, 10), (2, 20), (3, 30)]


def test_few_items_are_under_way_and_those_left_are_cancelled() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    def fail(item: int) -> int:
        raise ValueError(item)

    with ThreadPoolExecutor(1) as pool, pytest.raises(ValueError, match="0"):
        list(in_order(pool, fail, items(), 3))
    assert taken == [0, 1, 2]
