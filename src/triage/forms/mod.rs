//! Forms in which people paste a crash, one per file, as a table.
//!
//! Each form finds its own descriptions of crashes in the lines of a text.  Descriptions of one crash in different forms, such as the Python
//! stack of faulthandler and the native one of gdb, are put together; several crashes in one text stay several.
//!
//! | module | what it holds |
//! |---|---|
//! | [`pasted`] | any text as lines: logs in JSON, escapes, colours |
//! | [`sentry_event`] | stacks that are fields of JSON, as lines |
//! | [`prefixes`] | what a log puts in front of each line |
//! | [`said`] | lines that the interpreter, libc or a test runner says of a crash |
//! | [`surroundings`] | what the text around tells: version, GIL, signal, packages |
//! | [`form`] | a form, and what it finds |
//! | [`frames`] | frames and stacks as the forms build them |
//! | the others | one form each |

mod android;
mod apple_json;
mod apple_text;
mod backtrace_symbols;
mod breakpad;
mod coredumpctl;
mod exit_status;
mod failure_signal;
mod faulthandler;
mod faulthandler_lines;
mod form;
mod frames;
mod gdb;
mod go_runtime;
mod hs_err;
mod kernel_log;
mod last_words;
mod lldb;
mod llvm_windows;
mod minidump_dump;
pub(super) mod pasted;
mod prefixes;
mod py_spy;
mod pystack;
mod pytest_timeout;
mod rust_panic;
pub(super) mod said;
mod sanitizer;
mod sentry_event;
mod surroundings;
mod valgrind;
mod windows_debugger;
mod xdist;

pub use form::Form;

use super::crash::{Crash, Extension, NativeFrame, Thread};
use super::names::owner::{self, Owner};
use super::names::{paths, symbols};

/// The forms.  Where two describe one crash, the earlier one in this table is believed.
pub static FORMS: &[Form] = &[
    faulthandler::FORM,
    gdb::FORM,
    lldb::FORM,
    apple_json::FORM,
    apple_text::FORM,
    sanitizer::FORM,
    valgrind::FORM,
    coredumpctl::FORM,
    kernel_log::FORM,
    pystack::FORM,
    py_spy::FORM,
    pytest_timeout::FORM,
    failure_signal::FORM,
    backtrace_symbols::FORM,
    breakpad::FORM,
    minidump_dump::FORM,
    android::FORM,
    hs_err::FORM,
    rust_panic::FORM,
    go_runtime::FORM,
    llvm_windows::FORM,
    windows_debugger::FORM,
    xdist::FORM,
    last_words::FORM,
    exit_status::FORM,
];

/// Forms without stacks, by their place in the table: libc's words are heard with any other form, a status only where nothing else is left.
const LAST_WORDS: usize = FORMS.len() - 2;
const STATUS: usize = FORMS.len() - 1;

/// The crashes that a text describes, in its order; the error is one line for the user.
///
/// # Errors
/// No form is recognised.
pub fn read(text: &str) -> Result<Vec<Crash>, String> {
    let lines = pasted::lines(text);
    let mut found: Vec<(usize, usize, Crash)> = Vec::new();
    for (number, form) in FORMS.iter().enumerate() {
        let may_be = |line: &String| form.signs.iter().any(|sign| line.contains(sign));
        if !form.signs.is_empty() && !lines.iter().any(may_be) {
            continue;
        }
        found.extend((form.read)(&lines).into_iter().map(|found| (found.at, number, found.crash)));
    }
    if found.is_empty() {
        return Err(missing(text));
    }
    // Words about a crash are no crash of their own where there is a dump.
    let is_dump = |(_, _, crash): &(usize, usize, Crash)| !crash.threads.is_empty() || crash.message.starts_with("Fatal Python");
    if found.iter().any(is_dump) {
        found.retain(|found| is_dump(found) || found.1 < LAST_WORDS);
    }
    if found.iter().any(|found| found.1 != STATUS) {
        found.retain(|found| found.1 != STATUS);
    }
    found.sort_by_key(|(at, number, _)| (*at, *number));
    let mut crashes = together(found);
    let around = surroundings::read(&lines);
    let single = crashes.len() == 1;
    for crash in &mut crashes {
        around.tell(crash, single);
        describe(crash);
        around.guess(crash);
    }
    Ok(crashes)
}

/// The names of the forms, for a sentence.
pub fn names() -> String {
    FORMS.iter().map(|form| form.name).collect::<Vec<_>>().join(", ")
}

fn missing(text: &str) -> String {
    let what = if text.trim().is_empty() { "it is empty" } else { "no form of one is recognised" };
    format!("no crash dump found: {what}; the forms are {} (PYTHONFAULTHANDLER=1 makes the interpreter print one)", names())
}

/// Descriptions of one crash put together.
fn together(found: Vec<(usize, usize, Crash)>) -> Vec<Crash> {
    let mut out: Vec<(Vec<usize>, Crash)> = Vec::new();
    for (_, form, crash) in found {
        let same = out.iter_mut().rev().take(1).find(|(forms, earlier)| !forms.contains(&form) && may_be_one(earlier, &crash));
        match same {
            Some((forms, earlier)) => {
                let believed = forms.iter().any(|known| *known < form);
                forms.push(form);
                merge(earlier, crash, believed);
            }
            None => out.push((vec![form], crash)),
        }
    }
    out.into_iter().map(|(_, crash)| crash).collect()
}

fn crashed(crash: &Crash) -> Option<&Thread> {
    crash.threads.iter().find(|thread| thread.crashed)
}

/// Two descriptions in different forms may be of one crash: the signals agree, and one has what the other lacks or both show the same frames.
fn may_be_one(a: &Crash, b: &Crash) -> bool {
    // Of a fatal error alone, the signal is a guess.
    let guessed = |crash: &Crash| crash.threads.is_empty() && crash.message.starts_with("Fatal Python error");
    if !a.signal.is_empty() && !b.signal.is_empty() && a.signal != b.signal && !guessed(a) && !guessed(b) {
        return false;
    }
    let (Some(own), Some(other)) = (crashed(a), crashed(b)) else { return true };
    if own.native.is_empty() || other.native.is_empty() {
        return true;
    }
    let named = |thread: &Thread| -> Vec<String> {
        let frames = thread.native.iter().filter(|frame| !frame.symbol.is_empty());
        frames.take(40).map(|frame| symbols::clean(&frame.symbol).to_owned()).collect()
    };
    let theirs = named(other);
    let shared = named(own).iter().filter(|name| theirs.contains(name)).count();
    let modules = || {
        let theirs: Vec<&str> = other.native.iter().map(|frame| paths::base(&frame.module)).collect();
        own.native.iter().any(|frame| theirs.contains(&paths::base(&frame.module)))
    };
    shared >= 2 || (theirs.is_empty() && modules())
}

/// Adds what another form says of a crash; `believed` is whether the earlier description goes first where both say something.
fn merge(into: &mut Crash, other: Crash, believed: bool) {
    let Crash {
        signal,
        address,
        message,
        python,
        command,
        threads,
        extensions,
        findings: _,
        code,
        sender,
        missing: _,
        packages: _,
        pid: _,
        hang: _,
        one_thread,
    } = other;
    into.one_thread |= one_thread;
    if into.signal.is_empty() || (into.threads.is_empty() && !threads.is_empty() && !signal.is_empty()) {
        into.signal = signal;
    }
    into.address = into.address.or(address);
    into.code = into.code.or(code);
    if into.sender == 0 {
        into.sender = sender;
    }
    for line in message.lines() {
        if !into.message.lines().any(|known| known == line) {
            if !into.message.is_empty() {
                into.message.push('\n');
            }
            into.message.push_str(line);
        }
    }
    for (own, others) in [
        (&mut into.python.version, python.version),
        (&mut into.python.gil, python.gil),
        (&mut into.python.executable, python.executable),
        (&mut into.python.platform, python.platform),
    ] {
        if own.is_empty() {
            *own = others;
        }
    }
    if into.command.is_empty() {
        into.command = command;
    }
    for extension in extensions {
        if !into.extensions.iter().any(|known| known.name == extension.name) {
            into.extensions.push(extension);
        }
    }
    for thread in threads {
        let own = into
            .threads
            .iter_mut()
            .find(|known| (known.crashed && thread.crashed) || (known.native_id != 0 && known.native_id == thread.native_id));
        let Some(own) = own else {
            into.threads.push(thread);
            continue;
        };
        let symbols = |thread: &Thread| thread.native.iter().filter(|frame| !frame.symbol.is_empty()).count();
        if own.native.is_empty() || (!believed && symbols(&thread) >= symbols(own)) {
            own.native = thread.native;
            own.top_cut = thread.top_cut;
            own.cut |= thread.cut;
        }
        if own.python.is_empty() && !thread.python.is_empty() {
            own.python = thread.python;
            own.cut |= thread.cut;
        }
        own.crashed |= thread.crashed;
        if own.name.is_empty() {
            own.name = thread.name;
        }
        if own.native_id == 0 {
            own.native_id = thread.native_id;
        }
    }
    into.threads.sort_by_key(|thread| !thread.crashed);
}

/// Libraries that the list of extension modules names, which their paths do not tell: `/app/fastlog/_core.so` is `fastlog._core`.
fn name_untagged(crash: &mut Crash) {
    for frame in
        crash.threads.iter_mut().flat_map(|thread| &mut thread.native).filter(|frame| paths::may_be_extension(&frame.module))
    {
        let path = frame.module.trim_end_matches(".so").replace('/', ".");
        let is_it = |name: &&Extension| path == name.name || path.ends_with(&format!(".{}", name.name));
        if let Some(named) = crash.extensions.iter().filter(|_| frame.import.is_empty()).find(is_it) {
            frame.import.clone_from(&named.name);
        }
    }
}

/// What the frames of a dump tell: the signal, platform, interpreter, files and distributions of extension modules.
fn describe(crash: &mut Crash) {
    name_untagged(crash);
    let aborts = |thread: &&Thread| {
        thread.crashed && thread.native.iter().take(8).any(|frame| ["abort", "__GI_abort"].contains(&symbols::clean(&frame.symbol)))
    };
    if crash.signal.is_empty() && crash.threads.iter().any(|thread| aborts(&thread)) {
        "SIGABRT".clone_into(&mut crash.signal);
    }
    // A list of modules names them as `sys.modules` does; a path of a frame is one of them where it fits.
    let frames = crash.threads.iter().flat_map(|thread| &thread.native);
    let sources = crash.threads.iter().flat_map(|thread| &thread.python).map(|frame| frame.file.as_str());
    let all: Vec<&str> = frames.clone().map(|frame| frame.module.as_str()).chain(sources.clone()).collect();
    let platform = all.iter().find_map(|path| paths::platform(path)).unwrap_or_default().to_owned();
    let told: Vec<(String, bool)> = all.iter().filter_map(|path| paths::python(path)).collect();
    let known = crash.python.version.clone();
    let threaded = told.iter().any(|(_, threaded)| *threaded) || crash.python.gil == "disabled" || known.contains("free-threading");
    let with_gil = !threaded && all.iter().any(|path| paths::is_of_a_gil_build(path));
    let version = told.iter().map(|(version, _)| version).max_by_key(|version| version.len()).cloned().unwrap_or_default();
    let executable =
        all.iter().find(|path| paths::is_interpreter(path) && path.contains("/bin/")).copied().unwrap_or_default().to_owned();
    let in_stack: Vec<String> =
        all.iter().filter(|path| paths::is_extension(path) && path.contains('/')).map(|path| (*path).to_owned()).collect();
    let installed: Vec<String> = all.iter().filter_map(|path| paths::distribution(path)).map(str::to_owned).collect();

    let version = if known.starts_with(|c: char| c.is_ascii_digit()) {
        known.split(' ').next().unwrap_or_default().to_owned()
    } else {
        version
    };
    // 3.13 shows all threads whatever the GIL does, and an unknown version may be 3.13.
    let shows_all = version.is_empty() || (threaded && paths::is_below(&version, "3.14"));
    if crash.python.gil == "enabled"
        && shows_all
        && !crash.extensions.iter().any(|known| known.declares_free_threading == Some(false))
    {
        crash.python.gil.clear();
    }
    if crash.python.gil.is_empty() && with_gil {
        "enabled".clone_into(&mut crash.python.gil);
    }
    if crash.python.platform.is_empty() {
        crash.python.platform = platform;
    }
    if crash.python.executable.is_empty() {
        crash.python.executable = executable;
    }
    // The text around may have told the build alone.
    if !known.starts_with(|c: char| c.is_ascii_digit()) && (known.is_empty() || threaded) {
        crash.python.version = match (version.is_empty(), threaded) {
            (true, true) => "free-threading build".to_owned(),
            (false, true) => format!("{version} free-threading build"),
            (_, false) => version,
        };
    } else if threaded && !crash.python.version.contains("free-threading") {
        crash.python.version.push_str(" free-threading build");
    }
    for path in in_stack {
        if paths::is_stdlib_extension(&path) && paths::below_site_packages(&path).is_none() {
            continue;
        }
        let name = paths::import_name(&path);
        let frame = NativeFrame { module: path.clone(), ..NativeFrame::default() };
        let exact = crash.extensions.iter().position(|extension| extension.name == name);
        let known = exact.or_else(|| crash.extensions.iter().position(|extension| paths::is_module(&frame, &extension.name)));
        let at = known.unwrap_or_else(|| {
            crash.extensions.push(Extension { name, ..Extension::default() });
            crash.extensions.len() - 1
        });
        if let Some(extension) = crash.extensions.get_mut(at) {
            if let Owner::Extension(_, Some(distribution)) = owner::of(&frame) {
                extension.distribution = distribution;
            }
            extension.path = path;
        }
    }
    for extension in &mut crash.extensions {
        let top = extension.name.split('.').next().unwrap_or_default();
        if !extension.distribution.is_empty() {
            continue;
        }
        // A package that is a file of Python has its extension module beside it: `yappi.py` and `_yappi`.
        let beside = || top.strip_prefix('_').filter(|name| extension.name == top && installed.iter().any(|known| known == name));
        let known = paths::installed_as(top);
        if known != top || installed.iter().any(|name| name == top) {
            known.clone_into(&mut extension.distribution);
        } else if let Some(name) = beside() {
            extension.distribution = name.to_owned();
        }
    }
}

#[cfg(test)]
mod tests;
