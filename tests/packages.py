"""``make packages``: the test suites of packages from PyPI, each test by several threads at once, watched for data races.

``python -m tests.packages [PACKAGE ...]`` runs each suite under pytest-run-parallel twice: plainly, which shows what fails in
threads anyway, and under ``ftsan run --races PACKAGE``.  Printed: how many tests ran, which differ, and every finding with the
innermost lines of both sides.  The meaning of a finding is judged by hand, and the judgements are kept here (``judged``): a serious
finding without one makes the run fail.

Packages and tests are kept in ``$FTSAN_CACHE/packages``, where ``work/`` has the logs and reports of the last run.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import obtained, parity
from tests.conftest import PLAIN, ROOT

CACHE = obtained.CACHE / "packages"
REQUIREMENTS = ROOT / "tests" / "packages_requirements.txt"
VERSIONS = dict(re.findall(r"^(\S+)==(\S+)$", REQUIREMENTS.read_text(), re.MULTILINE))
THREADS = 4


#: The package's: threads that use it as documented get wrong results.  The reason names the program in ``examples/found``.
TRUE = "true"
#: The test's: its threads share the test's ``self``, parameters and module, and so objects that were not made to be shared.
TEST = "test"
#: There is a race, and no harm in it.
HARMLESS = "harmless"


@dataclass
class Threaded(parity.Pytest):
    """The tests of a package, each by several threads at once."""

    files: str = "tests/.*"
    """Of the source distribution, as a regular expression; without its configuration, which asks for coverage and the like.  Empty
    if the tests are part of the installed package."""
    ignore: list[str] = field(default_factory=list)
    """Tests that need packages that are not here, or that are there to fail."""
    without: list[str] = field(default_factory=list)
    """Names of tests that end the whole run in threads."""
    judged: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Rule, and what was raced for ("FT40? a.b") or file and function of a frame of either side ("FT40? */f.py:f"), with wildcards
    -> whose fault it is, and why."""

    def prepare(self) -> tuple[Path, dict[str, str]]:
        installed = obtained.packages(REQUIREMENTS, CACHE)
        folder = obtained.sources(self.package, VERSIONS[self.package], CACHE, self.files) if self.files else installed
        return folder, PLAIN | {"PYTHONPATH": os.pathsep.join([str(installed), str(folder)])}

    def command(self, results: Path, tests: list[str]) -> list[str]:
        options = [f"--parallel-threads={THREADS}", "--rootdir=.", *(f"--ignore={each}" for each in self.ignore)]
        options += ["-k", f"not ({' or '.join(self.without)})"] if self.without else []
        return super().command(results, [*options, *tests])


def watched(package: str, at_least: int, tests: str = "tests", *, module: str = "", **more: Any) -> Threaded:
    """A suite whose package is watched and nothing else."""
    return Threaded(at_least, [tests], package=package, options=["--races", module or package], patience=3600, **more)


#: Chosen for what they share between threads: caches and registries of modules and classes, objects that are made to be shared.
PACKAGES: dict[str, Threaded] = {
    "babel": watched(
        "babel",
        1000,
        files=r"conftest\.py|tests/.*",
        ignore=["tests/messages/data"],
        judged={
            "FT40? */babel/plural.py:PluralRule.__call__": (HARMLESS, "a cache: functions that are compiled twice are alike"),
            "FT40? */babel/localedata.py:LocaleDataDict.__getitem__": (HARMLESS, "aliases that are resolved twice are alike"),
            "FT402 */babel/core.py:Locale._data": (HARMLESS, "a cache: the data of a locale that are loaded twice are alike"),
        },
    ),
    "docutils": watched(
        "docutils",
        100,
        "test",
        files=".*",
        judged={
            "FT40? */test_nodes.py:SetIdTests.*": (TEST, "the document is the test's self.document"),
            "FT40? */test_docinfo.py:TransformTestCase.*": (
                TEST,
                "the parser and the settings are the test's, self.parser and self.settings",
            ),
            "FT40? */test_docutils_xml/test_parse.py:*": (
                TEST,
                "the parser is the module's, and a parser has the document that it parses",
            ),
            "FT40? */test_language.py:LanguageTestCase.*": (TEST, "the reporter is the module's REPORTER"),
            "FT404 Body.memo": (TEST, "of the parser that is the test's"),
            "FT40? Parser.*": (TEST, "the parser is the test's, and a parser has the document that it parses"),
            "FT407 *_directives?*": (HARMLESS, "a cache of directives by the names that they have in the languages"),
            "FT407 list DependencyList.list": (TEST, "settings_overrides is a dict of the module"),
            "FT407 */test_settings.py:*": (TEST, "the parser of options is the test's self.option_parser"),
            "FT407 dict Writer.settings_defaults": (HARMLESS, "each writer puts in the same"),
            "FT40? DocumentParameters.*": (TRUE, "docutils_math.py: the process has one mode of formulas"),
            "FT40? */test_nested_parsing.py:*": (TRUE, "docutils_nested_sections.py: parents of another document"),
            "FT40? */test_CLI.py:*": (TEST, "runs the command line, of which a process has one"),
            "FT40? */test_statemachine.py:*": (TEST, "the state machine is the test's self.sm"),
            "FT40? */test_viewlist.py:*": (TEST, "the lists are the test's"),
            "FT40? */statemachine.py:State.make_transition": (
                HARMLESS,
                "a pattern takes the place of its text, which two may compile",
            ),
            "FT40? *_roles?'title'?": (HARMLESS, "a cache of roles by the names that they have in the languages"),
            "FT40? *_roles?*": (TRUE, "docutils_default_role.py: roles that a document defines are the process's"),
        },
    ),
    "humanize": watched(
        "humanize",
        500,
        ignore=["tests/test_benchmarks.py"],
        judged={
            "FT40? */humanize/i18n.py:activate": (HARMLESS, "a cache: translations that are loaded twice are alike"),
            "FT405 */test_lists.py:test_natural_list": (TEST, "the parameter is a generator"),
        },
    ),
    "inflect": watched(
        "inflect",
        100,
        judged={
            "FT40? */test_compounds.py:*_classical": (TEST, "configures the engine that the tests of the module have in common")
        },
    ),
    "jinja2": watched(
        "jinja2",
        500,
        judged={
            "FT40? */jinja2/environment.py:Template._get_default_module*": (
                HARMLESS,
                "a cache: modules that are made twice are alike",
            )
        },
    ),
    "mako": watched(
        "mako",
        200,
        "test",
        files=r"setup\.cfg|test/.*",
        changes={
            "-opython_classes=*Test Test*": "what its configuration calls classes of tests",
            "-knot windows": "makes the os.path of the process that of Windows, which is not what pytest's threads want",
        },
        judged={
            "FT40? */mako/template.py:_show_warnings_as": (TRUE, "mako_warnings.py: warnings.showwarning is put back in any order"),
            "FT408 */test_cmd.py:CmdTest.*": (TEST, "patches sys.stdout"),
            "FT404 */mako/testing/exclusions.py:*": (TEST, "makes the package of the process do without Pygments for a while"),
            "FT40? */test_loop.py:TestLoop*": (TEST, "the stack and the context are the test's self.stack and self.ctx"),
            "FT40? */mako/lookup.py:TemplateLookup.*": (HARMLESS, "looked up without the lock first, and again with it"),
        },
    ),
    "marshmallow": watched(
        "marshmallow",
        800,
        ignore=["tests/mypy_test_cases"],
        judged={
            "FT40? */marshmallow/class_registry.py:register": (
                TRUE,
                "marshmallow_registry.py: a check of the name, then a new list",
            ),
            "FT40? */marshmallow/fields.py:Nested.schema": (TRUE, "marshmallow_nested_exclude.py: stored first, completed then"),
            "FT40? */marshmallow/validate.py:URL.RegexMemoizer.__call__": (HARMLESS, "a cache: equal patterns"),
            "FT407 */marshmallow/schema.py:Schema.*": (
                HARMLESS,
                "what a defaultdict lacks is made by asking for it, empty for all",
            ),
        },
    ),
    "num2words": watched(
        "num2words",
        500,
        ignore=["tests/test_cli.py"],
        judged={
            "FT40? */num2words/base.py:Num2Word_Base.float2tuple": (
                TRUE,
                "num2words_precision.py: decimals of another thread's number",
            ),
            "FT40? */num2words/lang_*.py:*": (TRUE, "num2words_converters.py: the converter of a language has the state of a call"),
        },
    ),
    "pint": watched(
        "pint",
        500,
        "pint/testsuite",
        files="",
        ignore=["pint/testsuite/benchmarks"],
        judged={
            "FT40? *_active_ctx*": (TRUE, "pint_contexts.py: the contexts of a registry are those of all threads"),
            "FT40? *ContextChain*": (TRUE, "pint_contexts.py: the same"),
            "FT40? UnitRegistry._cache": (TRUE, "pint_contexts.py: with the contexts the caches are changed"),
            "FT40? */pint/registry.py:LazyRegistry.*": (TRUE, "pint_lazy_registry.py: a registry is one before it has its units"),
            "FT40? *UnitRegistry._contexts*": (TEST, "adds contexts to the registry that the tests of a class have in common"),
            "FT40? UnitRegistry.[ad]*": (TEST, "sets what the registry of a class of tests does"),
            "FT40? */test_unit.py:*_preprocessor": (TEST, "adds preprocessors to the registry of a class of tests"),
            "FT407 */test_issues.py:*": (TEST, "sets what the registry of the module does"),
            "FT403 *._switch_context_cache_and_units": (TRUE, "pint_contexts.py: units are looked up in the list that they change"),
            "FT40[12] */pint/facets/plain/registry.py:*.get_name": (
                HARMLESS,
                "threads that use a prefix first define the unit alike",
            ),
            "FT40[27] */pint/facets/plain/registry.py:*.define": (TEST, "defines units in the registry of a class of tests"),
            "FT407 graph?...?": (HARMLESS, "what a defaultdict lacks is made by asking for it, empty for all"),
            "FT407 dict?...?": (HARMLESS, "the same"),
            "FT407 UnitsContainer._hash": (HARMLESS, "a cache of a number"),
            "FT40? Context.checked": (HARMLESS, "checked twice with the same result"),
            "FT40? *REGISTERED_FORMATTERS*": (TEST, "registers a formatter"),
            "FT207 */_pytest/capture.py:*": (TEST, "pytest captures what subtests print, in threads"),
            "FT40? cache?...?": (HARMLESS, "caches of what units are made of"),
            "FT40? *_cache?...?": (HARMLESS, "caches of what units are made of"),
        },
    ),
    "pygments": watched(
        "pygments",
        1000,
        ignore=["tests/contrast"],
        judged={
            "FT40? */pygments/lexers/webmisc.py:XQueryLexer.*": (TRUE, "pygments_xquery.py: all lexers have one stack of states"),
            "FT40? */pygments/lexers/*.py:*Lexer.__init__": (
                TRUE,
                "pygments_token_variants.py: each new lexer takes the tokens away",
            ),
            "FT404 */test_tnt.py:*": (TEST, "the lexer is a fixture"),
            "FT407 pygments.lexers._pattern_cache?*": (HARMLESS, "a cache: equal patterns"),
            "FT402 pygments.lexers.special._ttype_cache?*": (HARMLESS, "a cache: equal types of tokens"),
            "FT407 */pygments/lexers/__init__.py:_load_lexers": (HARMLESS, "a cache of classes"),
            "FT40? */pygments/lexer.py:RegexLexerMeta.*": (TRUE, "pygments_lexer_tokens.py: the first use of a class of lexers"),
        },
    ),
    "pyparsing": watched(
        "pyparsing",
        100,
        files="(examples|tests)/.*",
        ignore=["tests/test_diagram.py"],
        without=["testSetBreak"],  # each thread replaces sys.breakpointhook: one of them meets pytest's debugger
        judged={
            "FT40? */pyparsing/testing.py:*": (TEST, "each test saves and restores the settings that a process has once"),
            "FT40? __diag__.*": (TEST, "sets what a process has once"),
            "FT408 */contextlib.py:_RedirectStream.*": (TEST, "redirects sys.stdout and sys.stderr"),
            "FT40? *_call_line*": (HARMLESS, "the line is the same whoever finds it"),
            "FT40? */pyparsing/core.py:_trim_arity.<locals>.wrapper": (
                TRUE,
                "pyparsing_arity.py: how many arguments an action takes",
            ),
            "FT40? */pyparsing/unicode.py:_lazyclassproperty.__get__": (
                HARMLESS,
                "the cache of a class, made twice: it is read back within a microsecond, and no harm was seen in 20 processes",
            ),
            "FT40? *.whiteChars": (TEST, "sets the white space of the process"),
            "FT403 list *.ignoreExprs": (TEST, "the example makes its grammar in the module, when it is asked for it"),
            "FT40? */pyparsing/core.py:ParserElement.set_parse_action": (TEST, "the same: it sets the actions of its grammar"),
            "FT40? ParserElement._literalStringClass": (TEST, "sets what strings in grammars of the process stand for"),
            "FT40? Keyword.DEFAULT_KEYWORD_CHARS": (TEST, "sets what keywords of the process consist of"),
            "FT40? */examples/ebnf.py:*": (TEST, "the example keeps the table of its grammar in the module"),
            "FT40? */test_unit.py:*.testSetName": (TEST, "changes pyparsing_common.uri"),
            "FT407 *.keepTabs": (HARMLESS, "set once, and never back"),
            "FT407 Regex._re": (HARMLESS, "a cache: equal patterns"),
            "FT40? *.recursion_memos": (TRUE, "pyparsing_left_recursion.py: emptied under another lock than it is used under"),
            "FT40? dict LRUMemo.*": (TRUE, "pyparsing_left_recursion.py: the same, of limited size"),
            "FT40? */pyparsing/core.py:*.streamline": (TRUE, "pyparsing_streamline.py: the first use rewrites the grammar"),
            "FT40? */pyparsing/core.py:ParserElement.default_name": (HARMLESS, "a cache: the name is made of the expression"),
        },
    ),
    "python-dateutil": watched(
        "python-dateutil",
        1000,
        module="dateutil",
        judged={
            "FT40? tz*__instances?...?": (TRUE, "dateutil_zones.py: two instances for one key"),
            "FT402 function._cached_instance": (HARMLESS, "a cache: zones that are read twice from one file are alike"),
            "FT402 *._CLASS_ZONE_INSTANCE": (HARMLESS, "filled twice with the same, of which the first is used"),
            "FT407 global dateutil.tz.tz.*": (HARMLESS, "imported late: it is the same module whoever does"),
            "FT408 os.environ?'TZ'?": (TEST, "sets the time zone of the process"),
        },
    ),
    "sqlparse": watched(
        "sqlparse",
        300,
        judged={"FT40? */test_parse.py:test_configurable_*": (TEST, "configures the lexer that the process has one of")},
    ),
}


def judgement(suite: Threaded, finding: dict[str, Any]) -> tuple[str, str] | None:
    """The judgement on a finding, if there is one."""
    frames = [frame for access in finding["accesses"] for frame in access["stack"]]
    names = [finding["title"].partition(":")[0], *(f"{frame['file']}:{frame['function']}" for frame in frames)]
    known = [f"{finding['rule']} {name}" for name in names]
    return next((verdict for pattern, verdict in suite.judged.items() if fnmatch.filter(known, pattern)), None)


def told(finding: dict[str, Any]) -> str:
    """A finding and the innermost lines of both sides, in one line."""
    lines = dict.fromkeys(parity.innermost(access).removeprefix(f"{CACHE}/") for access in finding["accesses"])
    return f"{finding['severity']} {finding['rule']} {finding['title']} ({finding['count']} times): {' against '.join(lines)}"


def list_findings(suite: Threaded, report: dict[str, Any]) -> int:
    """The findings by what was judged of them; returns how many of the serious ones were not judged."""
    by_judgement: dict[str, list[str]] = {}
    unjudged = 0
    for finding in sorted(report.get("findings", []), key=lambda each: ("error", "warning", "info").index(each["severity"])):
        known = judgement(suite, finding)
        unjudged += known is None and finding["severity"] != "info"
        by_judgement.setdefault(": ".join(known or ["NOT JUDGED"]), []).append(told(finding))
    parity.print_groups(by_judgement)
    return unjudged


def survey(name: str, suite: Threaded) -> bool:
    """Run a suite both ways and print what happened; returns whether it ran and nothing serious is left to be judged."""
    plain, watched = (parity.run(name, suite, label, suite.tests, CACHE) for label in ("plain", "ftsan"))
    kinds = Counter(outcome.kind for outcome in plain.outcomes.values())
    print(
        f"{name} {VERSIONS[suite.package]}: {len(plain.outcomes)} tests by {THREADS} threads ({kinds['ok']} pass), "
        f"{plain.seconds:.0f} s; {len(watched.outcomes)} watched, {watched.seconds:.0f} s"
    )
    early = [one for one in (plain, watched) if one.ended_early(suite.at_least)]
    for one in early:
        print(f"  ended with status {one.status}: {one.log}")
    for test in sorted(plain.outcomes.keys() | watched.outcomes.keys()):
        if plain.kind(test) != watched.kind(test):
            print(f"  {test}: {plain.kind(test)} without, {watched.kind(test)} with ftsan")
    off = watched.report.get("watched", {}).get("off", [])
    for reason in off:
        print(f"  off: {reason}")
    unjudged = list_findings(suite, watched.report)
    return not (early or off or unjudged)


def main() -> int:
    """Run the suites; returns 0 if all that was found in them is judged."""
    parser = argparse.ArgumentParser(prog="python -m tests.packages", description=__doc__.split("\n\n")[0])
    parser.add_argument("package", nargs="*", help=f"of: {', '.join(PACKAGES)}; all if none is named")
    chosen = parser.parse_args().package or list(PACKAGES)
    if unknown := set(chosen) - set(PACKAGES):
        parser.error(f"no such package: {', '.join(unknown)}")
    (CACHE / "work").mkdir(parents=True, exist_ok=True)
    well = [survey(name, PACKAGES[name]) for name in chosen]
    return int(not all(well))


if __name__ == "__main__":
    sys.exit(main())
