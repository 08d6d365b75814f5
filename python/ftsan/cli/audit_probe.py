"""The questions of ``ftsan audit`` to an interpreter, which need not have ftsan: a script for any Python 3.13 or later.

``list FILE``: writes what is installed there.  ``import FILE MODULE=PATH...``: imports extension modules, and writes of each that
was loaded whether it declares that it can do without the GIL.  As JSON into a file, because modules may print what they like.
"""

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

#: The classifiers that say how far a distribution's authors have got.
FREE_THREADING = "Programming Language :: Python :: Free Threading"


def distributions() -> list[dict[str, Any]]:
    """The installed distributions, each with its files, as the lists of files beside it have them."""
    from importlib.metadata import distributions

    found = {}
    for one in distributions():
        name = one.metadata["Name"]
        if not name or name.lower() in found:
            continue  # hidden by one that comes first
        wheel = (one.read_text("WHEEL") or "").splitlines()
        files = [os.path.normpath(str(one.locate_file(file))) for file in one.files or ()]
        found[name.lower()] = {
            "name": name,
            "version": one.version,
            "root": os.path.normpath(str(one.locate_file(""))),
            "files": [file for file in files if file.endswith((".so", ".py")) or ".so." in file],
            "classifiers": [text for text in one.metadata.get_all("Classifier", []) if text.startswith(FREE_THREADING)],
            "tags": [line.partition(":")[2].strip() for line in wheel if line.startswith("Tag:")],
            "installer": (one.read_text("INSTALLER") or "").strip(),
            "source": (one.read_text("direct_url.json") or "").strip(),
        }
    return list(found.values())


def declaration() -> Callable[[object], bool | None]:
    """A function that says of a module whether it declares that it can do without the GIL; of anything else, that it does not."""
    import ctypes
    from types import ModuleType

    set_gil = getattr(ctypes.pythonapi, "PyUnstable_Module_SetGIL", None)
    if set_gil is None:
        return lambda _: None
    set_gil.argtypes = [ctypes.py_object, ctypes.c_void_p]
    ours = ModuleType("probe")

    def with_(value: int) -> bytes:
        set_gil(ours, value)
        return ctypes.string_at(id(ours), ModuleType.__basicsize__)[object.__basicsize__ :]

    used, not_used = with_(0), with_(1)
    [place] = [place for place, (before, after) in enumerate(zip(used, not_used, strict=True)) if before != after]

    def declares(module: object) -> bool:
        if not isinstance(module, ModuleType):
            return False
        return ctypes.string_at(id(module) + object.__basicsize__ + place, 1)[0] == not_used[place]

    return declares


def load(modules: list[str]) -> dict[str, Any]:
    """Import these modules; by file, whether each one that was loaded declares it, and by module, why one could not be imported.

    One whose package cannot be imported is loaded without it.
    """
    import _imp
    import importlib
    from importlib.machinery import ExtensionFileLoader
    from importlib.util import module_from_spec, spec_from_file_location

    declares = declaration()
    original = _imp.create_dynamic
    loaded, errors = {}, {}

    def create(spec: Any, file: Any = None) -> object:
        module = original(spec, file)
        loaded[os.path.realpath(spec.origin)] = declares(module)
        return module

    _imp.create_dynamic = create  # type: ignore[assignment]
    for one in modules:
        module, _, path = one.partition("=")
        try:
            importlib.import_module(module)
        except BaseException as error:
            errors[module] = f"{type(error).__name__}: {error}"
        if os.path.realpath(path) not in loaded:
            try:
                spec = spec_from_file_location(module, path, loader=ExtensionFileLoader(module, path))
                assert spec is not None
                module_from_spec(spec)
            except BaseException as error:
                errors.setdefault(module, f"{type(error).__name__}: {error}")
    return {"loaded": loaded, "errors": errors, "gil": getattr(sys, "_is_gil_enabled", lambda: True)()}


def interpreter() -> dict[str, Any]:
    """What this interpreter is."""
    from sysconfig import get_config_var

    abi = f"cp{get_config_var('py_version_nodot')}{sys.abiflags.replace('d', '')}"
    return {"version": sys.version, "executable": sys.executable, "abi": abi, "stdlib": os.path.dirname(os.__file__)}


def main(task: str, target: str, *modules: str) -> None:
    """Do what was asked and write the answer."""
    answer = {"interpreter": interpreter(), "distributions": distributions()} if task == "list" else load(list(modules))
    with open(target, "w") as file:
        json.dump(answer, file)
        file.flush()
    # Not what the modules have registered for the end: it is no business of ours.
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
