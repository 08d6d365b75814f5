"""Modules that are looked for and not imported, or loaded by hand: their loaders are the interpreter's own."""

import copy
import importlib.machinery
import importlib.util
import sys

for name in ("asyncio", "concurrent.futures", "trio", "tornado", "zmq", "queue"):
    imported = name in sys.modules
    spec = importlib.util.find_spec(name)
    loader = spec.loader
    print(name, imported, type(loader), type(loader).get_source is not None, loader.is_package(name))
    print(isinstance(loader, importlib.machinery.SourceFileLoader), len(loader.get_source(name)), loader.get_filename(name))
    print(type(copy.copy(loader)), loader.get_data(loader.get_filename(name))[:10], loader.get_code(name).co_name)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.Queue, vars(spec.loader), module.__loader__ is spec.loader, "queue" in sys.modules)
import asyncio  # noqa: E402
import queue  # noqa: E402

for module in (asyncio, queue):
    print(type(module.__loader__), sorted(vars(module.__loader__)), module.__spec__.loader is module.__loader__)
