"""Hooks of mkdocs: pages of rules are made, and ``<!-- NAME -->`` on a line of its own becomes what ``tables.py`` has of that name.

``<!-- readme SECTION -->`` stands for a section of the README; ``<!-- after PAGE -->`` is for ``console.py``.
"""

from __future__ import annotations

import re

from ftsan import _native
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs import tables


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of rules below their list."""
    [reference] = [entry["Reference"] for entry in config.nav if "Reference" in entry]
    [listed] = [entry for entry in reference if "Rules" in entry]
    listed["Rules"] = [listed["Rules"], *({f"{id_} {name}": f"rules/{id_}.md"} for id_, name, _ in _native.rules_table())]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each rule."""
    for id_, name, page in _native.rules_table():
        files.append(File.generated(config, f"rules/{id_}.md", content=tables.page_of_rule(id_, name, page)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Put in what is asked for."""

    def generated(match: re.Match[str]) -> str:
        name, section = match[1], match[2]
        if name == "after":
            return ""
        try:
            return tables.readme(section) if name == "readme" else tables.GENERATED[name]()
        except (KeyError, ValueError) as error:
            raise PluginError(f"{page.file.src_uri}: {match[0]}: {error}") from error

    return re.sub(r"^<!-- (\w+)(?: (.*?))? -->$", generated, markdown, flags=re.MULTILINE)
