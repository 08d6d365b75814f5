"""``pytest --ftsan`` that passes has looked: at the project under test, however it was installed, and at threads that ran."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PLAIN

#: Builds the wheel of a project, so that pip needs nothing from anywhere.
BACKEND = """
import os, zipfile

def build_wheel(directory, config_settings=None, metadata_directory=None):
    info = "my_shop-1.dist-info/"
    files = {name: open(os.path.join("src", name)).read() for name in ("shop/__init__.py", "shop/stock.py", "shop_tools.py")}
    files[info + "METADATA"] = "Metadata-Version: 2.1\\nName: my-shop\\nVersion: 1\\n"
    files[info + "WHEEL"] = "Wheel-Version: 1.0\\nGenerator: backend\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    name = "my_shop-1-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        archive.writestr(info + "RECORD", "".join(f"{path},,\\n" for path in [*files, info + "RECORD"]))
    return name
"""

PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
NAMED = '[project]\nname = "my-shop"\nversion = "1"\n'

STOCK = "class Stock:\n    n = 0\n    def add(self):\n        self.n += 1\n"

TESTS = """
import threading
from shop.stock import Stock

def test_stock():
    stock = Stock()
    threads = [threading.Thread(target=stock.add) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""

ALONE = "from shop.stock import Stock\n\nstock = Stock()\n\ndef test_stock():\n    stock.add()\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with its package in src, and a folder that it is to be installed in."""
    folder = tmp_path / "project"
    (folder / "src" / "shop").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "pyproject.toml").write_text(PROJECT + NAMED)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "src" / "shop" / "__init__.py").write_text("")
    (folder / "src" / "shop" / "stock.py").write_text(STOCK)
    (folder / "src" / "shop_tools.py").write_text("")
    (folder / "tests" / "test_stock.py").write_text(TESTS)
    return folder


def installed(project: Path, what: str | Path = ".") -> dict[str, str]:
    """The environment in which the project is installed, by pip and not as editable."""
    target = project.parent / "lib" / "python3.14t" / "site-packages"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(what)], cwd=project, env=PLAIN, check=True)
    return PLAIN | {"PYTHONPATH": str(target)}


def run_pytest(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "--ftsan", "-p", "no:cacheprovider", "-p", "no:asyncio", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_an_installed_project_is_watched_as_an_editable_one_is(project: Path, arguments: tuple[str, ...]) -> None:
    editable = run_pytest(project, PLAIN | {"PYTHONPATH": str(project / "src")}, *arguments)
    done = run_pytest(project, installed(project), *arguments)
    for run in (editable, done):
        assert run.returncode == 1, run.stdout + run.stderr
        assert "FAILED tests/test_stock.py::test_stock - FT401: Stock.n: update" in run.stdout
        assert "ftsan: watched for data races: " in run.stdout and "shop" in run.stdout
    assert "site-packages/shop/stock.py:4 in Stock.add\n      3 | def add(self):\n      4 |     self.n += 1\n" in done.stdout


def test_the_project_is_known_by_where_it_was_installed_from(project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT)
    assert run_pytest(project, installed(project)).returncode == 1


def test_the_project_is_known_by_its_name(project: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "-w", str(project.parent / "wheels"), "."], cwd=project, env=PLAIN, check=True)
    environment = installed(project, next((project.parent / "wheels").glob("*.whl")))
    assert run_pytest(project, environment).returncode == 1
    (project / "pyproject.toml").write_text("")
    done = run_pytest(project, environment)
    assert done.returncode == 0, done.stdout
    assert "ftsan: watched for data races: nothing but the tests themselves" in done.stdout
    assert "no installed package is known to be the project under test: name it with --ftsan-races=PKG" in done.stdout


def test_a_project_of_which_nothing_ran_is_said(project: Path) -> None:
    (project / "tests" / "test_stock.py").write_text("def test_nothing():\n    pass\n")
    done = run_pytest(project, installed(project))
    assert done.returncode == 0, done.stdout
    assert "ftsan: not watched: shop, shop_tools: no Python code of the project under test ran" in done.stdout


def test_one_thread_is_said_and_fails_where_races_were_asked_for(project: Path) -> None:
    (project / "tests" / "test_stock.py").write_text(ALONE)
    environment = installed(project)
    done = run_pytest(project, environment)
    assert done.returncode == 0, done.stdout
    assert "ftsan: not watched: data races: no second thread ran, so nothing could race" in done.stdout
    assert "with --ftsan-concurrent=4 each test runs in four at once" in done.stdout
    assert run_pytest(project, environment, "--ftsan-races=shop").returncode == 67
    done = run_pytest(project, environment, "--ftsan-races=none")
    assert done.returncode == 0
    assert "data races were not looked for (--ftsan-races=none)" in done.stdout
    assert run_pytest(project, environment, "--ftsan-races=shop", "--ftsan-concurrent=2").returncode == 1


def test_a_package_that_was_asked_for_and_did_not_come_fails_the_run(project: Path) -> None:
    (project / "tests" / "test_stock.py").write_text(TESTS.replace("target=stock.add", "target=int"))
    environment = installed(project)
    assert run_pytest(project, environment, "--ftsan-races=shop").returncode == 0
    done = run_pytest(project, environment, "--ftsan-races=shop,shopp")
    assert done.returncode == 67, done.stdout
    assert "ftsan: not watched: races: no Python code of shopp ran" in done.stdout
