//! From the recording of a process that has died to what triage wants to know of it.  Runs in the launcher.

use crate::launcher::{symbols, unwind};
use ftsan::recording::{CRASH_STEPS, read};
use ftsan::triage::crash::{Crash, Extension, Thread};
use std::collections::BTreeSet;
use std::path::Path;

/// Reads a recording; `None` if its process did not crash, as far as the handler saw and `signal`, which is 0 if unknown, tells.
///
/// # Errors
/// The file is no recording of this version; one line.
pub(crate) fn read(path: &Path, signal: i32) -> Result<Option<Crash>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let recorded = read::read(&bytes)?;
    let mut threads = recorded.threads;
    if let Some(main) = threads.iter_mut().find(|thread| thread.native_id == u64::from(recorded.pid)) {
        "MainThread".clone_into(&mut main.name);
    }
    let Some(died) = recorded.died else {
        let crash = Crash { signal: name(signal), threads, ..Crash::default() };
        return Ok((signal != 0).then_some(crash));
    };
    for (native_id, frames) in &died.python {
        if !threads.iter().any(|thread| thread.native_id == *native_id) {
            threads.push(Thread { native_id: *native_id, python: frames.clone(), ..Thread::default() });
        }
    }
    if !threads.iter().any(|thread| thread.native_id == died.native_id) {
        threads.push(Thread { native_id: died.native_id, ..Thread::default() });
    }
    for thread in &mut threads {
        if thread.native_id == died.native_id {
            thread.crashed = true;
            thread.native = symbols::native_stack(&unwind::stack(&died), &died.maps);
        }
    }
    threads.sort_by_key(|thread| !thread.crashed);
    let has_address = matches!(died.signal, libc::SIGSEGV | libc::SIGBUS);
    let files: BTreeSet<&str> = died.maps.iter().map(|(_, _, _, path)| path.as_str()).collect();
    let missing = CRASH_STEPS.iter().enumerate().filter(|(step, _)| died.failed_steps & 1 << step != 0);
    Ok(Some(Crash {
        signal: name(if signal == 0 { died.signal } else { signal }),
        code: (signal == 0 || signal == died.signal).then_some(died.code),
        sender: died.sender,
        missing: missing.map(|(_, name)| (*name).to_owned()).collect(),
        address: has_address.then_some(died.address),
        threads,
        extensions: files.into_iter().filter_map(extension).collect(),
        ..Crash::default()
    }))
}

/// An extension module that is not of the standard library.
fn extension(path: &str) -> Option<Extension> {
    let (folder, file) = path.rsplit_once('/')?;
    let is_one = file.contains(".cpython-") || file.contains(".abi3.") || file.contains(".abi3t.");
    if !is_one || folder.ends_with("/lib-dynload") || folder.ends_with("/ftsan") {
        return None;
    }
    let module = file.split('.').next()?;
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
        libc::SIGKILL => "SIGKILL",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTRAP => "SIGTRAP",
        other => return format!("signal {other}"),
    };
    known.to_owned()
}
