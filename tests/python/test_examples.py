"""The examples do what they say."""

from __future__ import annotations

from tests.conftest import ROOT, Ftsan

EXAMPLES = ROOT / "examples"


def test_the_demo_is_reported_at_its_line(ftsan: Ftsan) -> None:
    run = ftsan(EXAMPLES / "echo_written_from_a_thread.py")
    assert (run.status, run.rules) == (66, ["FT105"])
    frame = run.findings[0]["accesses"][0]["stack"][0]
    source = (EXAMPLES / "echo_written_from_a_thread.py").read_text().splitlines()
    assert 'writer.write(b"ping\\n")' in source[frame["line"] - 1]
    assert "'heartbeat'" in run.findings[0]["title"]


def test_the_examples_of_the_asyncio_guide_are_silent(ftsan: Ftsan) -> None:
    for name in ("loop_per_thread.py", "producer_consumer.py"):
        run = ftsan(EXAMPLES / name)
        assert (run.status, run.stderr, run.findings) == (0, "", []), name


def test_each_of_its_four_rules_broken_is_reported(ftsan: Ftsan) -> None:
    assert ftsan(EXAMPLES / "four_rules_broken.py").rules == ["FT101", "FT103", "FT101", "FT106"]
