"""Encoders written in C go through everything that they are given, and through what is in it, while another thread changes that."""

import collections
import json
import pickle

from ftsan.testing import in_turns


class Owner:
    def __init__(self) -> None:
        self.known = {1: 1}


class Rows(list[int]):
    def __init__(self, rows: list[int]) -> None:
        super().__init__(rows)
        self.more = {1: 1}


flat: dict[str, int] = {"a": 1}
nested: dict[str, int] = {"a": 1}
stored: dict[str, int] = {"a": 1}
listed = [1]
owner, outer = Owner(), Rows([1])
ordered = collections.OrderedDict(a=1)


def reader() -> None:
    json.dumps(flat)  # race: flat
    json.dumps({"all": [nested]})  # race: nested
    pickle.dumps(stored)  # race: stored
    pickle.dumps((1, listed))  # race: listed
    pickle.dumps(owner)  # race: owned
    pickle.dumps(outer)  # race: derived  # race: beside
    pickle.dumps({1: [ordered]})  # race: ordered


def writer() -> None:
    flat["b"] = 2  # race: flat
    nested["b"] = 2  # race: nested
    stored["b"] = 2  # race: stored
    listed.append(2)  # race: listed
    owner.known[2] = 2  # race: owned
    outer.append(2)  # race: derived
    outer.more[2] = 2  # race: beside
    ordered["b"] = 2  # race: ordered


in_turns(reader, writer)
