"""HawkAPI served by threads: each race that is reported in it is one that its source has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Ftsan
from tests.interop.conftest import needs

PROGRAM = Path(__file__).with_name("hawkapi_threads.py")

#: What HawkAPI 0.2.0 does wrong if threads share an application, by the function in which it does: read in its source.
RACES = {
    "HawkAPI._core_handler": "app.py:837, 841: `_in_flight += 1`; what is lost is waited for at shutdown, or is not",
    "HawkAPI._get_pipeline": "app.py:452: middleware is built by each thread that comes early; all but one forget what they count",
    "HawkAPI.openapi": "app.py:186, 196: the schema is generated, and plugins are asked, once by each thread that comes early",
    "get_decoder": "validation/decoder.py:23, 26: a decoder is made by each thread that comes early; nothing comes of that",
    "Provider.resolve": "di/provider.py:45-52: a lock, and a singleton, of each thread; or one lock, which belongs to another loop",
    "LifespanManager._startup": "lifespan/manager.py:75: one place for the contexts of all loops, of which the last one stays",
    "LifespanManager._shutdown": "lifespan/manager.py:86: that one is left by a loop that did not enter it",
}


@pytest.fixture(autouse=True)
def _hawkapi() -> None:
    needs("hawkapi")


def test_its_races_are_reported_and_nothing_else(ftsan: Ftsan) -> None:
    run = ftsan("--races", "hawkapi", PROGRAM, "4")
    assert run.status == 66, run.stderr
    found = {
        (finding["rule"], frame["function"])
        for finding in run.findings
        for access in finding["accesses"]
        if access["role"] != "owner"
        for frame in access["stack"][:1]
    }
    assert {function for _, function in found} <= RACES.keys(), run.stderr
    assert {("FT401", "HawkAPI._core_handler"), ("FT402", "HawkAPI._get_pipeline")} <= found, run.stderr
    assert any(function == "Provider.resolve" for _, function in found), run.stderr


def test_one_thread_alone_is_silent(ftsan: Ftsan) -> None:
    run = ftsan("--races", "hawkapi", PROGRAM, "1")
    assert (run.status, run.stdout, run.stderr) == (0, "{200: 100, 201: 160, 404: 20}, 2 singletons, 0 in flight\n", "")
    assert run.findings == []
