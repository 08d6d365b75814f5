"""One-threaded tests of ``shop.py``, as people write them: copied beside either side and run with ``--ftsan-concurrent``."""

from __future__ import annotations

import pytest
import shop


@pytest.fixture
def counter() -> shop.Counter:
    return shop.Counter()


def test_counter(counter: shop.Counter) -> None:
    counter.add()
    counter.add()
    assert counter.count == 2


@pytest.fixture
def cache() -> shop.Cache:
    return shop.Cache()


def test_cache(cache: shop.Cache) -> None:
    assert cache.get("key") == [3]
    assert cache.get("key") is cache.get("key")


@pytest.fixture
def point() -> shop.Point:
    return shop.Point()


def test_point(point: shop.Point) -> None:
    point.flip()
    assert point.x != point.y


@pytest.fixture
def account() -> shop.Account:
    return shop.Account()


def test_account(account: shop.Account) -> None:
    account.pay_in(10)
    account.pay_out(10)
    assert account.balance == 0


@pytest.fixture
def registry() -> shop.Registry:
    return shop.Registry()


@pytest.mark.parametrize("name", ["ab", "abc"])
def test_registry(registry: shop.Registry, name: str) -> None:
    registry.add(name)
    assert registry.longest() == len(name)


@pytest.fixture
def connection() -> shop.Connection:
    return shop.Connection()


def test_connection(connection: shop.Connection) -> None:
    assert connection.open() is connection.open()


@pytest.fixture
def pool() -> shop.Pool:
    return shop.Pool()


def test_pool(pool: shop.Pool) -> None:
    item = pool.take()
    assert item is not None
    pool.put(item)


@pytest.fixture
def tickets() -> shop.Tickets:
    return shop.Tickets()


def test_tickets(tickets: shop.Tickets) -> None:
    assert tickets.next() < tickets.next()


@pytest.fixture
def statistics() -> shop.Statistics:
    return shop.Statistics()


def test_statistics(statistics: shop.Statistics) -> None:
    statistics.add(4)
    assert statistics.mean() > 0


@pytest.fixture
def ids() -> shop.Ids:
    return shop.Ids()


def test_ids(ids: shop.Ids) -> None:
    assert ids.fresh() < ids.fresh()
