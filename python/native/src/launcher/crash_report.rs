//! From the recording of a process that has died, or that hangs, to what triage wants to know of it.  Runs in the launcher.

use crate::launcher::{symbols, unwind};
use ftsan::recording::read::{self, Waiting};
use ftsan::recording::{CRASH_STEPS, LOOK, LOOK_SIGNAL};
use ftsan::report::Frame;
use ftsan::triage::crash::{Crash, Extension, HeldLock, Thread};
use ftsan::triage::names::paths;
use std::collections::BTreeSet;
use std::path::Path;

/// So long a process has to answer.
const ANSWER_MS: u32 = 2000;

/// What is wanted of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// How its process died, by this signal or, if that is 0, by the one that its handler saw.
    Death(i32),
    /// What its process is doing, which was asked to say so.
    Hang,
}

/// Reads a recording; `None` if there is nothing of what is wanted.
///
/// # Errors
/// The file is no recording of this version; one line.
pub(crate) fn read(path: &Path, wanted: Wanted) -> Result<Option<Crash>, String> {
    let signal = match wanted {
        Wanted::Death(signal) => signal,
        Wanted::Hang => 0,
    };
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let recorded = read::read(&bytes)?;
    let mut threads = recorded.threads;
    if let Some(main) = threads.iter_mut().find(|thread| thread.native_id == u64::from(recorded.pid)) {
        "MainThread".clone_into(&mut main.name);
    }
    let pid = u64::from(recorded.pid);
    let Some(died) = recorded.died.filter(|died| died.lives == (wanted == Wanted::Hang)) else {
        let crash = Crash { pid, signal: name(signal), threads, ..Crash::default() };
        return Ok((signal != 0).then_some(crash));
    };
    for (native_id, frames) in &died.python {
        if !threads.iter().any(|thread| thread.native_id == *native_id) {
            threads.push(Thread { native_id: *native_id, python: frames.clone(), ..Thread::default() });
        }
    }
    if !died.lives && !threads.iter().any(|thread| thread.native_id == died.native_id) {
        threads.push(Thread { native_id: died.native_id, ..Thread::default() });
    }
    for thread in &mut threads {
        add_waits(thread, &died.locks);
        thread.calls = died.calls.iter().find(|(native_id, _)| *native_id == thread.native_id).map(|(_, called)| called.clone());
        let uses = died.uses.iter().filter(|(native_id, _)| *native_id == thread.native_id);
        thread.uses = uses.map(|(_, used)| used.clone()).collect();
        if !died.lives && thread.native_id == died.native_id {
            thread.crashed = true;
            thread.native = symbols::native_stack(&unwind::stack(&died), &died.maps);
        }
    }
    threads.sort_by_key(|thread| !thread.crashed);
    let has_address = matches!(died.signal, libc::SIGSEGV | libc::SIGBUS);
    let files: BTreeSet<&str> = died.maps.iter().map(|(_, _, _, path)| path.as_str()).collect();
    let missing = CRASH_STEPS.iter().enumerate().filter(|(step, _)| died.failed_steps & 1 << step != 0);
    let extensions: Vec<Extension> = files.into_iter().filter_map(extension).collect();
    for frame in threads.iter_mut().flat_map(|thread| &mut thread.native).filter(|frame| paths::may_be_extension(&frame.module)) {
        if let Some(one) = extensions.iter().find(|one| one.path == frame.module) {
            frame.import.clone_from(&one.name);
        }
    }
    let facts = Crash { pid, threads, extensions, hang: died.lives, ..Crash::default() };
    if died.lives {
        return Ok(Some(facts));
    }
    let is_same = signal == 0 || signal == died.signal;
    Ok(Some(Crash {
        signal: name(if signal == 0 { died.signal } else { signal }),
        code: is_same.then_some(died.code),
        sender: if is_same && died.code <= 0 { died.sender } else { 0 },
        missing: missing.map(|(_, name)| (*name).to_owned()).collect(),
        address: has_address.then_some(died.address),
        ..facts
    }))
}

/// Adds the locks that a thread waits for and holds.
fn add_waits(thread: &mut Thread, locks: &[(u64, Waiting)]) {
    for (_, one) in locks.iter().filter(|(native_id, _)| *native_id == thread.native_id) {
        match one {
            Waiting::For(address) => thread.waits_for = Some(*address),
            Waiting::Handle(address) => thread.handle = Some(*address),
            Waiting::Holds(address, at) => {
                let source = at.first().map_or_else(String::new, source_line);
                thread.holds.push(HeldLock { address: *address, at: at.clone(), source });
            }
        }
    }
    thread.source = thread.python.first().map_or_else(String::new, source_line);
}

/// The line of source where a frame is, empty if it cannot be read.
pub(super) fn source_line(frame: &Frame) -> String {
    let text = std::fs::read_to_string(&frame.file).unwrap_or_default();
    let line = (frame.line as usize).checked_sub(1).and_then(|before| text.lines().nth(before));
    line.map_or_else(String::new, |line| line.trim().to_owned())
}

/// Asks a process what it is doing, by a signal to which its recording says that it listens; waits for the answer.
///
/// # Errors
/// It cannot be asked, or does not answer; one line.
pub(crate) fn ask(pid: i32, path: &Path) -> Result<Crash, String> {
    let looks = || read::read(&std::fs::read(path).map_err(|error| error.to_string())?).map(|recorded| recorded.looks);
    let before = looks()?;
    if before == 0 {
        return Err("the process is not watched yet".to_owned());
    }
    let value = libc::sigval { sival_ptr: LOOK as *mut libc::c_void };
    // SAFETY: sends a signal, if there is such a process.
    if unsafe { libc::sigqueue(pid, libc::SIGRTMAX() - LOOK_SIGNAL, value) } != 0 {
        return Err(std::io::Error::last_os_error().to_string());
    }
    for _ in 0..ANSWER_MS / 10 {
        if looks()? != before {
            return read(path, Wanted::Hang)?.ok_or_else(|| "the process said nothing".to_owned());
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    Err("the process does not answer: no thread of it gets a signal".to_owned())
}

/// An extension module that is not of the standard library.
fn extension(path: &str) -> Option<Extension> {
    let (folder, file) = path.rsplit_once('/')?;
    let module = file.split('.').next()?;
    let is_one = file.contains(".cpython-")
        || file.contains(".abi3.")
        || file.contains(".abi3t.")
        || paths::may_be_extension(path) && symbols::is_imported_as(path, module);
    if !is_one || folder.ends_with("/lib-dynload") || folder.ends_with("/ftsan") {
        return None;
    }
    let mut names = vec![module];
    let packages = Path::new(folder).ancestors().take_while(|package| {
        let is_root = package.file_name().is_some_and(|name| name.to_string_lossy().ends_with("-packages"));
        // Of namespace packages, the path alone tells.
        !is_root && (package.join("__init__.py").exists() || folder.contains("-packages/"))
    });
    names.extend(packages.filter_map(|package| package.file_name()?.to_str()));
    names.reverse();
    let name = names.join(".");
    Some(Extension {
        name,
        path: path.to_owned(),
        declares_free_threading: symbols::declares_free_threading(path),
        ..Extension::default()
    })
}

/// Name of a signal.
fn name(signal: i32) -> String {
    let known = match signal {
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGBUS => "SIGBUS",
        libc::SIGABRT => "SIGABRT",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTRAP => "SIGTRAP",
        other => return format!("signal {other}"),
    };
    known.to_owned()
}
