"""Types that a user declares: in a file, or by ``ftsan.declare``."""

from __future__ import annotations

from pathlib import Path

import ftsan as package
import pytest

from tests.conftest import ROOT, Ftsan
from tests.python.test_programs import marked, reported

DECLARED = ROOT / "tests" / "declared"
EXAMPLES = ROOT / "examples" / "declarations.toml"


@pytest.mark.parametrize("name", ["aiohttp_session", "redis_client", "janus_queue", "asyncpg_pool"])
def test_the_worked_examples(name: str, ftsan: Ftsan) -> None:
    path = DECLARED / f"{name}.py"
    run = ftsan("--declarations", EXAMPLES, path)
    assert run.status == 66, run.stderr
    assert reported(run, path) == set(marked(path, "offending"))
    assert run.report["watched"]["off"] == []
    assert set(run.rules) <= {"FT105", "FT106"}


def test_what_is_not_declared_is_not_reported(ftsan: Ftsan) -> None:
    assert ftsan(DECLARED / "janus_queue.py").findings == []


def test_a_program_declares_its_own_types(ftsan: Ftsan) -> None:
    path = DECLARED / "own_types.py"
    run = ftsan(path)
    assert run.status == 66, run.stderr
    assert reported(run, path) == set(marked(path, "offending"))
    assert sorted(run.rules) == ["FT105", "FT105", "FT106", "FT106", "FT305"]


def test_the_declared_types_are_those_of_the_file(ftsan: Ftsan, tmp_path: Path) -> None:
    declarations = tmp_path / "types.toml"
    declarations.write_text('[[type]]\nname = "collections:NoSuchThing"\nowner = "first-use"\n')
    run = ftsan("--declarations", declarations, "-c", "import collections")
    assert run.status == 67
    (reason,) = run.report["watched"]["off"]
    assert reason.startswith("declaration of collections:NoSuchThing: AttributeError: ")


def test_what_is_never_imported_costs_nothing(ftsan: Ftsan) -> None:
    run = ftsan(
        "--declarations", EXAMPLES, "-c", "import sys; print([name for name in sys.modules if name in ('aiohttp', 'redis')])"
    )
    assert (run.status, run.stdout) == (0, "[]\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[type]]\nname = "a:C"\n', "missing field `owner`"),
        ('[[type]]\nname = "C"\nowner = "loop"\n', "the name is not module:Class"),
        ('[[type]]\nname = "a:C"\nowner = "somebody"\n', 'unknown owner "somebody"; there are loop, attribute:'),
        ("[[type]\n", "types.toml:1: "),
    ],
)
def test_a_wrong_file_is_one_line_and_status_2(text: str, message: str, ftsan: Ftsan, tmp_path: Path) -> None:
    declarations = tmp_path / "types.toml"
    declarations.write_text(text)
    run = ftsan("--declarations", declarations, "-c", "print('ran')")
    assert (run.status, run.stdout) == (2, "")
    assert message in run.stderr
    assert run.stderr.count("\n") == 1


def test_a_wrong_declaration_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^C: the name is not module:Class$"):
        package.declare("C", owner="loop")
    with pytest.raises(ValueError, match="unknown owner"):
        package.declare("a:C", owner="first-use:_state")
