//! The nearest one, where neither a recording nor a known crash says more: an extension module, a library, or nothing but the
//! interpreter.

use super::super::names::owner::{self, Owner};
use super::super::names::{paths, symbols::clean};
use super::facts::{Facts, Gil};
use super::verdict::{Confidence, CrashCause, RECORD, Verdict, verdict};
use super::{known, racing};
use crate::report::Frame;

/// An extension module directly below the interpreter's innermost functions.
pub(super) fn extension(facts: &Facts<'_>) -> Option<Verdict> {
    const DEPTH: usize = 4;
    if facts.top_is_cut() {
        return None;
    }
    let (depth, frame, owner) = facts.extension_on_top(DEPTH)?;
    match owner {
        Owner::Stdlib(name) => Some(standard_library(facts, depth, &name)),
        Owner::Extension(name, distribution) => {
            let known = facts.extension_of(frame);
            // As `sys.modules` has it, if the list of modules does.
            let name = known.map_or(name, |known| known.name.clone());
            let by_list = known.map(|known| known.distribution.clone()).filter(|name| !name.is_empty());
            let top = || name.split('.').next().unwrap_or(&name).to_owned();
            let culprit = by_list.or(distribution).unwrap_or_else(top);
            Some(third_party(facts, depth, frame, &name, &culprit))
        }
        Owner::Interpreter | Owner::Library(_) | Owner::C | Owner::Ours | Owner::Unknown => None,
    }
}

fn died_in(facts: &Facts<'_>, depth: usize, name: &str, function: &str) -> String {
    let named = |(frame, _): &(&super::super::crash::NativeFrame, Owner)| !frame.symbol.is_empty() || !frame.module.is_empty();
    let top = facts.meaning().find(named).map(|(frame, owner)| (clean(&frame.symbol).to_owned(), owner));
    let function = if function.is_empty() { String::new() } else { format!(" ({function})") };
    match top {
        Some((_, Owner::Library(library))) => {
            format!("it died in the library {library}, called by the extension module {name}{function}")
        }
        Some((symbol, Owner::Unknown | Owner::C)) if depth > 0 && !symbol.is_empty() => {
            format!("it died in {symbol}, called by the extension module {name}{function}")
        }
        Some((_, Owner::Interpreter | Owner::Stdlib(_))) if depth > 0 => {
            format!("it died in the interpreter's {}, called by the extension module {name}{function}", innermost(facts))
        }
        _ if is_library(name) => format!("it died inside the library {name}{function}"),
        _ => format!("it died inside the extension module {name}{function}"),
    }
}

/// A library that a distribution brings along, by its file's name: no module that could declare anything.
fn is_library(name: &str) -> bool {
    [".so", ".dylib", ".dll"].iter().any(|end| name.contains(end))
}

fn standard_library(facts: &Facts<'_>, depth: usize, name: &str) -> Verdict {
    let symbol = facts.extension_on_top(8).map_or("", |(_, frame, _)| clean(&frame.symbol));
    let evidence = vec![died_in(facts, depth, name, symbol), format!("{name} is part of CPython"), suspects(facts)];
    // With the GIL, its code is old and well used: memory that somebody else damaged is as likely.
    let verdict_of = if facts.gil() == Gil::Off { CrashCause::InterpreterBug } else { CrashCause::Unknown };
    let next = format!("search CPython's issues for the signature; if two threads share the object, lock it; {RECORD}");
    verdict(verdict_of, Confidence::Low, evidence, &next)
}

fn third_party(facts: &Facts<'_>, depth: usize, frame: &super::super::crash::NativeFrame, name: &str, culprit: &str) -> Verdict {
    let known = facts.extension_of(frame);
    let mut evidence = vec![died_in(facts, depth, name, clean(&frame.symbol))];
    if depth == 0 && is_null_call(facts) {
        evidence.push("a null pointer was used".to_owned());
    }
    let declares = known.and_then(|known| known.declares_free_threading);
    let version = facts.version_of(culprit).unwrap_or("unknown");
    // A module that no folder and no list names the distribution of: there may be another distribution of that name.
    let of_a_package = known.is_some() || culprit != name || frame.module.contains(['/', '\\']) || name.contains('.');
    let it = if of_a_package { culprit.to_owned() } else { format!("the package that has the module {name}") };
    // Nobody else in native code could have damaged what it uses.
    let alone = facts.third_parties().iter().all(|other| *other == culprit)
        && !facts.third_parties().is_empty()
        && others_on_the_stack(facts).iter().all(|other| other == culprit || *other == name);
    let in_library = facts.meaning().next().is_some_and(|(_, owner)| matches!(owner, Owner::Library(_)));
    let alone_on_top = alone && depth <= 1 && !in_library;
    let without_gil = facts.gil() == Gil::Off;
    let (cause, confidence, declared, next) = match declares {
        // Without a second thread, the GIL would have protected nothing.
        Some(false) if facts.is_of_one_thread() => (
            CrashCause::LibraryBug,
            if alone_on_top { Confidence::Medium } else { Confidence::Low },
            format!("{name} does not declare free-threading support, but no other thread of Python was there"),
            format!("upgrade {it}; if it still crashes, report it there with the output of ftsan triage --markdown"),
        ),
        Some(false) if without_gil => (
            CrashCause::ExtensionAssumesGil,
            if depth <= 1 { Confidence::High } else { Confidence::Medium },
            format!("{name} does not declare free-threading support, so nothing in it is safe without the GIL"),
            format!("run with the GIL (PYTHON_GIL=1, or leave out PYTHON_GIL=0 and -X gil=0) or upgrade {it}"),
        ),
        Some(false) if facts.gil() == Gil::Unknown => (
            CrashCause::ExtensionAssumesGil,
            Confidence::Low,
            format!("{name} does not declare free-threading support"),
            format!("if it runs without the GIL, run it with it (PYTHON_GIL=1), or upgrade {it}"),
        ),
        None if is_library(name) => (
            CrashCause::LibraryBug,
            Confidence::Low,
            format!("{it} brings that library along"),
            format!("upgrade {it}; if it still crashes, report it there with the output of ftsan triage --markdown"),
        ),
        Some(true) => (
            CrashCause::LibraryBug,
            if alone_on_top { Confidence::Medium } else { Confidence::Low },
            format!("{name} declares free-threading support, version {version}"),
            format!("upgrade {it}; if it still crashes, report it there with the output of ftsan triage --markdown"),
        ),
        _ if facts.gil() == Gil::On => (
            CrashCause::LibraryBug,
            Confidence::Low,
            format!("the process has the GIL, so that {name} does not run beside other threads of Python; version {version}"),
            format!("upgrade {it}; if it still crashes, report it there with the output of ftsan triage --markdown"),
        ),
        _ => (
            CrashCause::LibraryBug,
            if without_gil && alone_on_top { Confidence::Medium } else { Confidence::Low },
            format!("whether {name} declares free-threading support is unknown: a dump does not say"),
            format!(
                "run it under `ftsan run`, which looks whether {it} declares free-threading support: if not, run with the GIL; if so, upgrade it or report it"
            ),
        ),
    };
    evidence.push(declared);
    if !alone {
        evidence.push(suspects(facts));
    }
    Verdict { culprit: Some(culprit.to_owned()), ..verdict(cause, confidence, evidence, &next) }
}

/// A plugin of a library on top, which no package has brought along.
pub(super) fn plugin(facts: &Facts<'_>) -> Option<Verdict> {
    // One that an extension module leads to may be that package's.
    let leads_to_it = facts.extension_on_top(6).is_some_and(|(_, _, owner)| matches!(owner, Owner::Extension(..)));
    let (plugin, library) = facts.plugin_on_top().filter(|_| !leads_to_it && !facts.top_is_cut())?;
    let function = if plugin.symbol.is_empty() { String::new() } else { format!(" ({})", clean(&plugin.symbol)) };
    let evidence = vec![format!(
        "it died in {}{function}, a plugin that {} has loaded: neither CPython's nor that library's",
        paths::base(&plugin.module),
        paths::base(&library.module)
    )];
    let next = format!("look which package {} is of, upgrade it, and report it there if it still crashes; {RECORD}", plugin.module);
    Some(verdict(CrashCause::LibraryBug, Confidence::Low, evidence, &next))
}

/// A library of the system on top, called by the interpreter itself: its caller gave it something that was damaged, or it has a fault.
pub(super) fn library(facts: &Facts<'_>) -> Option<Verdict> {
    if facts.top_is_cut() {
        return None;
    }
    let mut frames = facts.meaning();
    let (frame, owner) = frames.by_ref().take(6).find(|(_, owner)| !matches!(owner, Owner::C | Owner::Unknown))?;
    let Owner::Library(library) = owner else { return None };
    let function = if frame.symbol.is_empty() { String::new() } else { format!(" ({})", clean(&frame.symbol)) };
    let caller = frames.find(|(_, owner)| !matches!(owner, Owner::Library(_) | Owner::C));
    let caller = caller.map_or_else(String::new, |(frame, _)| {
        if frame.symbol.is_empty() { String::new() } else { format!(", called by {}", clean(&frame.symbol)) }
    });
    let evidence = vec![format!("it died in the library {library}{function}{caller}"), suspects(facts)];
    let next = format!(
        "look what is passed to it at the innermost Python line, and for memory that was damaged before (PYTHONMALLOC=debug); {RECORD}"
    );
    Some(verdict(CrashCause::Unknown, Confidence::Low, evidence, &next))
}

/// Without a native stack, the innermost Python frames name a package; if its extension modules are the only ones, they are the guess.
pub(super) fn package(facts: &Facts<'_>) -> Option<Verdict> {
    if !facts.native.is_empty() {
        return None;
    }
    let of_import = |frame: &&Frame| frame.file.starts_with("<frozen importlib");
    // `create_module` loads an extension module; whose, says the line that imports it.
    let loading =
        facts.python.iter().take_while(of_import).any(|frame| ["create_module", "exec_module"].contains(&frame.function.as_str()));
    let skipped = if loading { facts.python.iter().take_while(of_import).count() } else { 0 };
    let python = facts.python.get(skipped..).unwrap_or(&[]);
    let innermost = python.first()?;
    let package = paths::distribution(&innermost.file).or_else(|| imports_itself(python))?;
    let others = facts.third_parties();
    let importing = innermost.function == "<module>"
        && (loading
            || python
                .get(1)
                .is_some_and(|frame| frame.function == "_call_with_frames_removed" || frame.file.starts_with("<frozen importlib")));
    if importing {
        let evidence = vec![
            format!(
                "it died while the package {package} was being imported{}: one of its extension modules was loaded or initialised",
                racing::at(Some(innermost))
            ),
            "there is no native stack: which of them is not known".to_owned(),
        ];
        let next = format!(
            "reinstall {package} with a wheel of this interpreter's ABI (cp314t is not cp314); if that crashes too, report it there, with the native stack of `ftsan run`"
        );
        let cause = if facts.gil() == Gil::Off { CrashCause::ExtensionAssumesGil } else { CrashCause::LibraryBug };
        return Some(Verdict { culprit: Some(package.to_owned()), ..verdict(cause, Confidence::Low, evidence, &next) });
    }
    (others.len() == 1 && others.first() == Some(&package)).then(|| {
        let evidence = vec![
            format!(
                "the innermost Python line is {package}'s{}, and no other extension modules than {package}'s are loaded",
                racing::at(Some(innermost))
            ),
            "there is no native stack: only where the Python code was is known".to_owned(),
        ];
        let next = format!("upgrade {package}; {RECORD} (CPython 3.14 and later print the native stack too)");
        Verdict { culprit: Some(package.to_owned()), ..verdict(CrashCause::LibraryBug, Confidence::Low, evidence, &next) }
    })
}

/// A package that is imported from its source tree: the folder that its `__init__.py` is in.
fn imports_itself(python: &[Frame]) -> Option<&str> {
    let file = python.first().map(|frame| frame.file.as_str())?;
    let folder = file.strip_suffix("/__init__.py").or_else(|| file.strip_suffix("\\__init__.py"))?;
    (!paths::is_stdlib(file)).then(|| paths::base(folder)).filter(|name| !name.is_empty())
}

/// Address 0 was called or read, as far as the dump tells.
fn is_null_call(facts: &Facts<'_>) -> bool {
    facts.crash.address == Some(0)
}

fn innermost(facts: &Facts<'_>) -> String {
    let named = facts.failing().find(|frame| !frame.symbol.is_empty()).map(|frame| clean(&frame.symbol).to_owned());
    named.unwrap_or_else(|| "native code".to_owned())
}

/// Nothing but the interpreter and libc is near the place where it died.
pub(super) fn interpreter(facts: &Facts<'_>) -> Verdict {
    let Some(first) = facts.native.first() else { return no_native_stack(facts) };
    if is_null_call(facts) && facts.failing().next().is_none_or(|frame| frame.module.is_empty() && frame.symbol.is_empty()) {
        let caller = facts.failing().find(|frame| !frame.module.is_empty());
        let by = caller.map_or_else(String::new, |frame| {
            format!(" by {}", if frame.symbol.is_empty() { paths::base(&frame.module) } else { clean(&frame.symbol) })
        });
        let evidence = vec![
            format!("a function at address 0 was called{by}: a pointer was cleared before or while it was used"),
            suspects(facts),
        ];
        return verdict(CrashCause::Unknown, Confidence::Low, evidence, RECORD);
    }
    if facts.top_is_cut() {
        let name = if first.symbol.is_empty() { paths::base(&first.module) } else { clean(&first.symbol) };
        let evidence = vec![
            format!("the innermost native frames are missing: the first one that is shown is {name}, which called what failed"),
            suspects(facts),
        ];
        let next = format!("get the whole stack, its beginning first (coredumpctl gdb, then bt); {RECORD}");
        return verdict(CrashCause::Unknown, Confidence::Low, evidence, &next);
    }
    let foreign: Vec<String> = others_on_the_stack(facts);
    let known = facts.native.iter().any(|frame| matches!(owner::of(frame), Owner::Interpreter | Owner::Stdlib(_)));
    let place = place_of_death(facts, known);
    let evidence = vec![
        format!("it died {place}, no extension module is near, and no known crash looks like it"),
        if foreign.is_empty() { suspects(facts) } else { format!("further out on the native stack: {}", foreign.join(", ")) },
    ];
    // Code of others may have damaged what the interpreter met; a race that ThreadSanitizer shows whole is where it is.
    // What a sanitizer shows is the access itself, and not what came of damage that somebody did before.
    let alone = facts.is_alone() && (facts.gil() == Gil::Off || facts.is_found_by_a_tool());
    let shown = facts.is_shown_of_the_interpreter() && (foreign.is_empty() || facts.is_race_on_counts());
    let cause = if alone || shown { CrashCause::InterpreterBug } else { CrashCause::Unknown };
    let next = format!("{RECORD}; if no thread shares anything, report it to CPython with the output of ftsan triage --markdown");
    or_undeclared(facts, verdict(cause, Confidence::Low, evidence, &next))
}

/// Where it died, as far as it is known whose code that is.
fn place_of_death(facts: &Facts<'_>, with_interpreter: bool) -> String {
    let named = facts.failing().find(|frame| !frame.symbol.is_empty());
    if let Some(frame) = named
        && !frame.source.is_empty()
        && owner::of(frame) == Owner::Unknown
    {
        return format!("in {} ({}; its owner is not known)", clean(&frame.symbol), frame.source);
    }
    if !with_interpreter {
        return format!("in {}", innermost(facts));
    }
    // libc and a sanitizer's functions in place of it are called by whoever failed.
    let own = |frame: &&super::super::crash::NativeFrame| {
        !frame.symbol.is_empty() && matches!(owner::of(frame), Owner::Interpreter | Owner::Stdlib(_))
    };
    let of_c = named.is_some_and(|frame| owner::of(frame) == Owner::C);
    match (of_c, facts.failing().find(own)) {
        (true, Some(caller)) => format!("in {}, called by the interpreter ({})", innermost(facts), clean(&caller.symbol)),
        _ => format!("in the interpreter ({})", innermost(facts)),
    }
}

/// The innermost function that means something has a source file that is neither CPython's nor libc's: somebody else's code, whose name the
/// text does not give.
pub(super) fn foreign_source(facts: &Facts<'_>) -> Option<Verdict> {
    if facts.top_is_cut() {
        return None;
    }
    let named = |frame: &super::super::crash::NativeFrame| !frame.symbol.is_empty() || !frame.source.is_empty();
    let (frame, _) = facts.meaning().find(|(frame, owner)| named(frame) && *owner != Owner::C)?;
    if !owner::is_foreign(frame) {
        return None;
    }
    let evidence = vec![
        format!(
            "it died in {}, which is neither CPython's nor libc's: an extension module, or a library that one uses",
            if frame.symbol.is_empty() { frame.source.clone() } else { format!("{} ({})", clean(&frame.symbol), frame.source) }
        ),
        suspects(facts),
    ];
    let next = format!("look which package that source file is of, upgrade it, and report it there if it still crashes; {RECORD}");
    Some(verdict(CrashCause::LibraryBug, Confidence::Low, evidence, &next))
}

fn others_on_the_stack(facts: &Facts<'_>) -> Vec<String> {
    let mut names = Vec::new();
    for frame in &facts.native {
        let name = match owner::of(frame) {
            Owner::Extension(name, distribution) => distribution.unwrap_or(name),
            Owner::Library(name) => name,
            Owner::Interpreter | Owner::Stdlib(_) | Owner::C | Owner::Ours | Owner::Unknown => continue,
        };
        if !names.contains(&name) && names.len() < 6 {
            names.push(name);
        }
    }
    names
}

fn no_native_stack(facts: &Facts<'_>) -> Verdict {
    if facts.crash.threads.is_empty() {
        let evidence = vec!["nothing but its end is known: there is no stack, neither of Python nor of native code".to_owned()];
        let next = format!("get a dump: PYTHONFAULTHANDLER=1, or the core file (coredumpctl gdb, then bt); {RECORD}");
        return verdict(CrashCause::Unknown, Confidence::Low, evidence, &next);
    }
    let place = Facts::programs_line(facts.python)
        .map(|frame| format!("the innermost line of the program is {}", racing::at(Some(frame)).trim_start_matches(" at ")));
    let mut evidence = vec!["there is no native stack: only where the Python code was is known".to_owned(), suspects(facts)];
    evidence.extend(place);
    verdict(
        CrashCause::Unknown,
        Confidence::Low,
        evidence,
        &format!("{RECORD} (CPython 3.14 and later print the native stack too)"),
    )
}

/// Without the GIL, an extension module that needs it is a better guess than the interpreter, wherever it shows.
pub(super) fn or_undeclared(facts: &Facts<'_>, verdict: Verdict) -> Verdict {
    let undeclared = || facts.crash.extensions.iter().filter(|known| known.declares_free_threading == Some(false));
    let Some(first) = undeclared().next().filter(|_| facts.crash.python.gil == "disabled") else { return verdict };
    let name = if first.distribution.is_empty() { &first.name } else { &first.distribution };
    let next = format!(
        "run it with the GIL (PYTHON_GIL=1, or leave out PYTHON_GIL=0): if it lives, it was one of them; {}",
        verdict.next_step
    );
    let culprit = (undeclared().count() == 1).then(|| name.clone());
    Verdict { verdict: CrashCause::ExtensionAssumesGil, culprit, next_step: next, ..verdict }
}

/// Extensions that are known not to support free threading, else how many are loaded.
pub(super) fn suspects(facts: &Facts<'_>) -> String {
    const SHOWN: usize = 8;
    let undeclared: Vec<&str> = facts
        .crash
        .extensions
        .iter()
        .filter(|known| known.declares_free_threading == Some(false))
        .map(|known| known.name.as_str())
        .collect();
    match (undeclared.first(), facts.third_parties()) {
        (Some(_), _) => {
            format!("extension modules that do not declare free-threading support are loaded: {}", undeclared.join(", "))
        }
        (None, others) if others.is_empty() => "no extension module is listed".to_owned(),
        (None, others) => {
            let more = if others.len() > SHOWN { format!(" and {} more", others.len() - SHOWN) } else { String::new() };
            let shown: Vec<&str> = others.into_iter().take(SHOWN).collect();
            format!("extension modules of {}{more} are loaded", shown.join(", "))
        }
    }
}

/// A crash that looks like a known one and is not it, because of its version, build or module, proves nothing more than that.
pub(super) fn is_near_miss(facts: &Facts<'_>) -> Option<&'static str> {
    known::reported().find(|row| row.nearly_matches(facts)).and_then(|row| row.issue)
}

#[cfg(test)]
mod tests;
