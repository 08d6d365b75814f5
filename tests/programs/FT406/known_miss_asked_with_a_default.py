"""An object gets an attribute after it was put where others find it, who ask for it with a default: they go on without it.

A default says that there may be nothing, which is right of most attributes that are asked for in this way.

ALSO: FT407
"""

from ftsan.testing import in_turns


class Plugin:
    hooks: list[str]


plugins: dict[str, Plugin] = {}


def load() -> None:
    plugin = Plugin()
    plugins["first"] = plugin
    plugin.hooks = ["start"]  # race


def use() -> None:
    plugin = plugins.get("first")
    if plugin is not None:
        getattr(plugin, "hooks", None)  # race


in_turns(load, use)
