"""The page of ``ftsan report --to html`` in a real browser: read, filtered, by keys, by axe-core, with ten thousand findings."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import obtained
from tests.conftest import PLAIN, runner
from tests.python.test_formats import PROGRAM

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FINDINGS = "details.finding:not([hidden])"

#: A misuse while another thread idles, after a third one has ended.
TIMED = """
import asyncio, threading

async def main():
    loop = asyncio.get_running_loop()
    gone = threading.Thread(target=lambda: asyncio.run(asyncio.sleep(0)), name="gone")
    gone.start()
    gone.join()
    done, here = threading.Event(), threading.Event()

    def idles():
        asyncio.run(asyncio.sleep(0))
        here.set()
        done.wait()

    idle = threading.Thread(target=idles, name="idle")
    idle.start()
    here.wait()
    worker = threading.Thread(target=lambda: loop.call_soon(int), name="worker")
    worker.start()
    await asyncio.to_thread(worker.join)
    done.set()
    idle.join()

asyncio.run(main())
"""

pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs Debian's chromium and chromium-driver")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1300,900"):
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER)) as driver:
        yield driver


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A report of a real run: a finding and one that is accepted."""
    folder = tmp_path_factory.mktemp("reported")
    (folder / "app.py").write_text(PROGRAM)
    (folder / "accepted.toml").write_text("[[suppress]]\nrule = 'FT101'\nreason = 'a test'\n")
    return runner(folder)("--suppressions", "accepted.toml", folder / "app.py").report


Show = Callable[[dict[str, Any]], None]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Show:
    def show_(report: dict[str, Any]) -> None:
        (tmp_path / "report.json").write_text(json.dumps(report))
        command = [sys.executable, "-m", "ftsan", "report", "report.json", "--to", "html"]
        page = tmp_path / "report.html"
        page.write_bytes(subprocess.run(command, env=PLAIN, cwd=tmp_path, capture_output=True, check=True).stdout)
        browser.get(page.as_uri())

    return show_


def texts(browser: Any, selector: str) -> list[str]:
    """Of what is shown: the page applies what was typed with its next frame."""
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    return [element.text for element in browser.find_elements("css selector", selector)]


def press(browser: Any, keys: str) -> None:
    browser.switch_to.active_element.send_keys(keys)


def axe(browser: Any) -> list[str]:
    """What axe-core finds wrong: rule and element."""
    if shutil.which("npm") is None:
        pytest.skip("axe-core is a package of npm, which is not here")
    browser.execute_script(obtained.from_npm("axe-core", "4.14.1", obtained.CACHE, "axe.min.js").read_text())
    result = browser.execute_async_script("axe.run().then(arguments[0])")
    assert len(result["passes"]) > 10
    return [f"{rule['id']}: {node['html'][:200]}" for rule in result["violations"] for node in rule["nodes"]]


def test_both_stacks_stand_side_by_side_with_their_lines(browser: Any, show: Show, report: dict[str, Any]) -> None:
    show(report)
    assert texts(browser, "main > section:not([hidden]) h2")[0] == "FT401 lost-update 1"
    [row] = browser.find_elements("css selector", FINDINGS)
    row.find_element("css selector", "summary").click()
    support = pytest.importorskip("selenium.webdriver.support.ui")
    support.WebDriverWait(browser, 30).until(lambda _: row.find_elements("css selector", ".body"))
    first, second = row.find_elements("css selector", ".side")
    assert first.rect["y"] == second.rect["y"], "side by side"
    for side in (first, second):
        assert "self.n += 1" in side.find_element("css selector", ".here").text
    assert "bumper <0> & co" in row.text
    assert "Fix: hold one lock from read to write" in row.text
    folded = row.find_element("css selector", ".folded summary")
    assert folded.text.endswith("frames of threading")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_threads_and_loops_are_shown_in_time(browser: Any, show: Show, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(TIMED)
    report = runner(tmp_path)("--races=none", tmp_path / "app.py").report
    show(report)
    browser.find_element("css selector", f"{FINDINGS} summary").click()
    support = pytest.importorskip("selenium.webdriver.support.ui")
    support.WebDriverWait(browser, 30).until(lambda browser: browser.find_elements("css selector", ".timeline"))
    [figure] = browser.find_elements("css selector", ".timeline")
    lanes = {lane.find_element("css selector", ".name").text: lane for lane in figure.find_elements("css selector", "li")}
    assert {"worker", "MainThread", "idle"} <= lanes.keys() and "gone" not in lanes
    assert "call_soon" in lanes["worker"].text and "runs _UnixSelectorEventLoop" in lanes["MainThread"].text

    def across(lane: str, selector: str) -> tuple[float, float]:
        element = lanes[lane].find_element("css selector", selector)
        return element.rect["x"], element.rect["x"] + element.rect["width"]

    marked = sum(across("worker", ".mark.offending")) / 2
    assert across("worker", ".life")[0] <= marked <= across("worker", ".life")[1]
    assert across("MainThread", ".run")[0] <= marked <= across("MainThread", ".run")[1]
    assert abs(marked - across("idle", ".now")[0]) < 2, "the same moment in every lane"
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_report_without_times_has_no_timeline(browser: Any, show: Show, report: dict[str, Any]) -> None:
    old = copy.deepcopy(report)
    del old["findings"][0]["made"], old["timeline"]
    show(old)
    browser.find_element("css selector", f"{FINDINGS} summary").click()
    support = pytest.importorskip("selenium.webdriver.support.ui")
    support.WebDriverWait(browser, 30).until(lambda browser: browser.find_elements("css selector", ".sides"))
    assert browser.find_elements("css selector", ".timeline") == []


def test_the_filter_the_severities_and_the_keys(browser: Any, show: Show, report: dict[str, Any]) -> None:
    keys = pytest.importorskip("selenium.webdriver").Keys
    other = copy.deepcopy(report["findings"][0]) | {"severity": "info", "title": "quite another <b>thing</b>", "fingerprint": "1"}
    show(report | {"findings": [*report["findings"], other]})
    assert texts(browser, "#shown") == ["2 of 3"]
    press(browser, "/")
    press(browser, "bump ANOTHER")
    assert [*texts(browser, f"{FINDINGS} .title"), *texts(browser, "#shown")] == ["quite another <b>thing</b>", "1 of 3"]
    press(browser, " nowhere")
    assert texts(browser, "#none:not([hidden])") == ["No finding has all of these words."]
    press(browser, keys.ESCAPE)
    assert texts(browser, "#shown") == ["2 of 3"]
    press(browser, "j")
    press(browser, "j")
    press(browser, keys.ENTER)
    assert "quite another" in browser.find_element("css selector", "details.finding[open]").text
    press(browser, "k")
    assert browser.switch_to.active_element.text.startswith("error")
    browser.find_element("css selector", "[value=info]").click()
    assert texts(browser, "#shown") == ["1 of 3"]
    browser.find_element("css selector", "[value=accepted]").click()
    assert "Accepted: a test" in browser.find_element("css selector", "[data-accepted]").get_property("textContent")
    assert texts(browser, "#shown") == ["2 of 3"]
    browser.find_element("css selector", "h1").click()
    press(browser, "?")
    assert browser.find_element("css selector", "dialog").is_displayed()
    assert axe(browser) == []
    press(browser, keys.ESCAPE)
    assert not browser.find_element("css selector", "dialog").is_displayed()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 420])
def test_axe_finds_nothing_in_either_scheme(browser: Any, show: Show, report: dict[str, Any], scheme: str, width: int) -> None:
    emulated = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", emulated)
    browser.set_window_size(width, 900)
    others = [copy.deepcopy(report["findings"][0]) | {"severity": severity} for severity in ("warning", "info")]
    watched = report["watched"] | {"off": ["races: a reason"]}
    show(report | {"findings": [*report["findings"], *others], "watched": watched})
    browser.find_element("css selector", "[value=accepted]").click()
    browser.find_element("css selector", "#all").click()
    assert axe(browser) == []
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (int(background.split("(")[1].split(",")[0]) < 80) == (scheme == "dark")
    fits = browser.execute_script("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert fits, "nothing sticks out"


def test_the_page_asks_for_nothing_but_itself(browser: Any, show: Show, report: dict[str, Any]) -> None:
    browser.get_log("performance")
    show(report)
    browser.find_element("css selector", "#all").click()
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = {each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"}
    assert {url.rpartition("/")[2] for url in asked} == {"report.html"}


def test_ten_thousand_findings(browser: Any, show: Show, report: dict[str, Any]) -> None:
    support = pytest.importorskip("selenium.webdriver.support.ui")
    [one] = report["findings"]
    many = [one | {"title": f"case {number}", "fingerprint": f"{number:016x}"} for number in range(10_000)]
    show(report | {"findings": many})
    assert texts(browser, "#shown") == ["10000 of 10001"]
    assert browser.execute_script("return document.querySelectorAll('.side').length") == 0, (
        "stacks are made when they are asked for"
    )
    shown = browser.find_elements("css selector", FINDINGS)
    assert len(shown) == 300, "what is laid out"
    browser.execute_script("arguments[0].scrollIntoView()", shown[-1])
    support.WebDriverWait(browser, 30).until(lambda browser: len(browser.find_elements("css selector", FINDINGS)) > 300)
    browser.find_element("css selector", "#filter").send_keys("case 9999")
    assert texts(browser, f"{FINDINGS} .title") == ["case 9999"]
    assert texts(browser, "section:not([hidden]) .count") == ["1"]
