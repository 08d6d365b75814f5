"""Whole stacks with real traffic: used correctly nothing is reported, and of a planted misuse nothing but its own line."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import WITHOUT_GIL, Ftsan, Run
from tests.interop.conftest import needs, passes_through

HERE = Path(__file__).parent


@dataclass
class Stack:
    """A program, the modules that it needs, and its arguments after ``clean`` or ``misuse``."""

    program: str
    modules: str
    arguments: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The program's file."""
        return HERE / f"{self.program}.py"

    def __str__(self) -> str:
        return "-".join((self.program, *self.arguments))


STACKS = [
    Stack("autobahn_asyncio", "autobahn"),
    Stack("autobahn_twisted", "autobahn twisted"),
    Stack("aiohttp_echo", "aiohttp"),
    Stack("sqlalchemy_dramatiq", "sqlalchemy greenlet asyncpg dramatiq redis"),
    Stack("psycopg_async", "psycopg"),
    Stack("redis_asyncio", "redis"),
    *(
        Stack("uvicorn_app", f"uvicorn {' '.join(arguments)}", arguments)
        for arguments in itertools.product(("asyncio", "uvloop"), ("httptools", "h11"), ("starlette", "fastapi", "hawkapi"))
    ),
]

#: Variables that tell a program where a server is, and the fixtures that start it.
SERVERS = {"DSN": "postgresql", "REDIS_URL": "redis_url"}

#: Seconds for a run, which takes one or two: a busy machine lets each of its threads wait.
PATIENCE = 300

Program = Callable[[str], Run]


@pytest.fixture
def program(stack: Stack, ftsan: Ftsan, request: pytest.FixtureRequest) -> Program:
    """The stack's program, which is run in a mode, with the servers that it asks for."""
    needs(*stack.modules.split())
    # dramatiq imports gevent if it is there, which would enable the GIL and declares nothing (FT602): no misuse of the program's.
    env = {"PSYCOPG_IMPL": "python"} | WITHOUT_GIL
    text = stack.path.read_text()
    env |= {name: request.getfixturevalue(fixture) for name, fixture in SERVERS.items() if f'"{name}"' in text}
    return lambda mode: ftsan(stack.path, mode, *stack.arguments, env=env, timeout=PATIENCE)


@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_correct_use_is_silent(program: Program) -> None:
    run = program("clean")
    assert (run.status, run.stdout) == (0, "ok\n"), run.stderr
    assert set(run.rules) <= {"FT602"}
    assert run.report["watched"]["checks"] > 0


@pytest.mark.parametrize("stack", STACKS, ids=str)
def test_misuse_is_reported_at_its_line(stack: Stack, program: Program) -> None:
    run = program("misuse")
    assert (run.status, run.stdout) == (66, "ok\n"), run.stderr
    findings = [finding for finding in run.findings if finding["rule"] != "FT602"]
    assert findings
    for finding in findings:
        offending = finding["accesses"][0]
        assert offending["role"] == "offending"
        assert passes_through(offending, stack.path, "misuse"), finding["title"]
