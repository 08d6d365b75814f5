"""Containers that hand something over, or are made into locks, by code that nobody has chosen."""

from __future__ import annotations

import select
import selectors
import socket
from collections import OrderedDict

from tests.order import harness
from tests.order.harness import Pair, Plain, edge


@edge("builtins:list.append")
def list_appended_to() -> Pair:
    tokens: list[int] = []
    return lambda: tokens.append(1), lambda: tokens.pop()


@edge("builtins:list.extend builtins:list.insert")
def list_extended() -> Pair:
    tokens: list[int] = []
    return lambda: (tokens.extend((1, 2)), tokens.insert(0, 3)), lambda: tokens.pop()


@edge("builtins:list.remove")
def list_removed_from() -> Pair:
    tokens: list[int] = []
    return lambda: tokens.append(1), lambda: tokens.remove(1)


@edge("builtins:list.pop")
def list_of_its_maker() -> Pair:
    plain = Plain()
    return lambda: setattr(plain, "tokens", [1]), lambda: plain.tokens.pop()  # type: ignore[attr-defined]


@edge("", expected=False)
def another_list() -> Pair:
    one, other = [1], [1]
    return lambda: one.append(1), lambda: other.pop()


@edge("builtins:dict.setdefault")
def dict_claimed_by_another_one() -> Pair:
    names: dict[str, int] = {}
    return lambda: names.setdefault("owner", 1), lambda: names.setdefault("owner", 2)


@edge("builtins:dict.pop")
def dict_let_go() -> Pair:
    names = {"owner": 1}
    return lambda: names.pop("owner"), lambda: names.setdefault("owner", 2)


@edge("builtins:dict.popitem")
def dict_emptied() -> Pair:
    names: dict[str, int] = {}
    return lambda: names.setdefault("owner", 1), lambda: names.popitem()


@edge("", expected=False)
def dict_asked_in_vain() -> Pair:
    names = {"one": 1}
    return lambda: (names.pop("two", None), names.setdefault("one", 2)), lambda: names.setdefault("two", 3)


@edge("_collections:OrderedDict.pop")
def ordered_dict_let_go() -> Pair:
    names: OrderedDict[str, int] = OrderedDict(owner=1)
    return lambda: names.pop("owner"), lambda: names.setdefault("owner", 2)


@edge("builtins:set.add")
def set_added_to() -> Pair:
    tokens: set[int] = set()
    return lambda: tokens.add(1), lambda: tokens.pop()


@edge("builtins:set.remove")
def set_removed_from() -> Pair:
    tokens: set[int] = set()
    return lambda: tokens.add(1), lambda: tokens.remove(1)


@edge("select:epoll.register")
def epoll_registered_with() -> Pair:
    epoll = select.epoll()
    ours, theirs = socket.socketpair()
    theirs.send(b"x")
    return lambda: epoll.register(ours), lambda: epoll.poll(10)


def handed_over_through(kind: type[selectors.BaseSelector]) -> Pair:
    selector = kind()
    ours, theirs = socket.socketpair()
    theirs.send(b"x")
    return lambda: selector.register(ours, selectors.EVENT_READ, "data"), lambda: selector.select(10)


@edge("selectors:_BaseSelectorImpl.register select:epoll")
def epoll_selector() -> Pair:
    return handed_over_through(selectors.EpollSelector)


@edge("selectors:SelectSelector.select")
def select_selector() -> Pair:
    return handed_over_through(selectors.SelectSelector)


@edge("selectors:_PollLikeSelector.select")
def poll_selector() -> Pair:
    return handed_over_through(selectors.PollSelector)


if __name__ == "__main__":
    harness.main()
