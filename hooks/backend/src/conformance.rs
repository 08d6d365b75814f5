//! The duties of every backend.
//!
//! Each case is run in a process of its own, because a diversion cannot be undone and because a wrong one crashes: [`main`] starts its own
//! executable again for each.  A test of a backend therefore has its own `main` (`harness = false`) and hands over to this one.
//! Arguments that do not begin with `-` select cases.  A case that a backend cannot pass by nature is declared in its [`Subject`],
//! with the reason; it is run too, and must fail in the way that is declared.
//!
//! | module | what it is |
//! |---|---|
//! | [`cases`] | the cases |
//! | [`detours`] | what is called instead |
//! | [`libraries`] | the C libraries that have the functions and their callers, built for the test |

mod bench;
mod cases;
mod detours;
mod disturbed;
mod libraries;
mod means;

use crate::conformance::means::{rounds, say};
use crate::{Backend, Refused};
use libc::c_void;
use std::ffi::CStr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io, process, thread};

/// A backend, and what is to be known of it here.
#[derive(Debug)]
pub struct Subject {
    /// Its name in what is printed.
    pub name: &'static str,
    /// Makes one.
    pub create: fn() -> Result<Box<dyn Backend>, Refused>,
    /// Called after a library was loaded, with every function that was diverted and its detour.
    ///
    /// # Safety
    /// As for [`Backend::replace`].
    pub library_loaded: unsafe fn(&CStr, *const c_void),
    /// Cases that cannot pass.
    pub exempt: &'static [Exempt],
}

/// A case that a backend cannot pass by nature.
#[derive(Debug)]
pub struct Exempt {
    /// Its name.
    pub case: &'static str,
    /// How it fails: any other problem is a failure.
    pub problem: &'static str,
    /// Why.
    pub reason: &'static str,
}

const CASE: &str = "FTSAN_CONFORMANCE_CASE";
const LIBRARIES: &str = "FTSAN_CONFORMANCE_LIBRARIES";
const DEADLINE: Duration = Duration::from_secs(120);

/// Runs the suite, or in the process that it started for it one case.
#[must_use]
pub fn main(subject: &Subject) -> ExitCode {
    let result = match (env::var(CASE), env::var_os(LIBRARIES)) {
        (Ok(name), Some(directory)) => one(subject, &name, Path::new(&directory)).map(|()| true),
        _ => all(subject),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            say(&mut io::stderr(), &why);
            ExitCode::FAILURE
        }
    }
}

fn one(subject: &Subject, name: &str, directory: &Path) -> Result<(), String> {
    let case = cases::CASES.iter().find(|case| case.name == name).ok_or("no such case")?;
    let backend = (subject.create)().map_err(|refused| format!("no backend: {refused}"))?;
    (case.run)(&mut bench::Bench::new(backend, subject.library_loaded, directory)?)
}

/// Removes the libraries when the suite has ended.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn all(subject: &Subject) -> Result<bool, String> {
    let selected: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let unknown = |name: &&str| !cases::CASES.iter().any(|case| case.name == *name);
    let named = subject.exempt.iter().map(|exempt| exempt.case).chain(selected.iter().map(String::as_str));
    if let Some(name) = named.into_iter().find(unknown) {
        return Err(format!("there is no case {name}"));
    }
    let directory = Temporary(env::temp_dir().join(format!("ftsan-conformance-{}", process::id())));
    libraries::build(&directory.0, rounds())?;
    let mut out = io::stdout();
    say(&mut out, &format!("\nconformance of {}", subject.name));
    let (mut passed, mut exempt, mut failed) = (0, 0, 0);
    for case in cases::CASES.iter().filter(|case| selected.is_empty() || selected.iter().any(|name| name == case.name)) {
        let (problem, output) = start(case.name, &directory.0)?;
        let declared = subject.exempt.iter().find(|exempt| exempt.case == case.name);
        let verdict = match (&problem, declared) {
            (None, None) => {
                passed += 1;
                "ok".to_owned()
            }
            (Some(problem), Some(declared)) if problem.starts_with(declared.problem) => {
                exempt += 1;
                format!("exempt: {}", declared.reason)
            }
            (Some(problem), _) => {
                failed += 1;
                format!("FAILED: {problem}")
            }
            (None, Some(declared)) => {
                failed += 1;
                format!("FAILED: it is declared that this cannot be ({}), but it can", declared.reason)
            }
        };
        let output = output.trim_end();
        let figures = if problem.is_none() && !output.is_empty() { format!(" ({output})") } else { String::new() };
        say(&mut out, &format!("  {:<31}{verdict}{figures}", case.name));
    }
    say(&mut out, &format!("{}: {passed} passed, {exempt} exempt, {failed} failed\n", subject.name));
    Ok(failed == 0)
}

/// Runs a case; returns what was wrong, and the figures that it printed.
fn start(case: &str, directory: &Path) -> Result<(Option<String>, String), String> {
    let told = |error: io::Error| format!("cannot run {case}: {error}");
    // A file, not a pipe: a child that a case forked and that hangs would keep a pipe open.
    let output = directory.join("output");
    let file = fs::File::create(&output).map_err(told)?;
    let mut child = Command::new(env::current_exe().map_err(told)?)
        .env(CASE, case)
        .env(LIBRARIES, directory)
        .stdin(Stdio::null())
        .stdout(file.try_clone().map_err(told)?)
        .stderr(file)
        .spawn()
        .map_err(told)?;
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(told)? {
            break Some(status);
        }
        if started.elapsed() > DEADLINE {
            child.kill().and_then(|()| child.wait()).map_err(told)?;
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let text = String::from_utf8_lossy(&fs::read(&output).map_err(told)?).into_owned();
    let problem = match status {
        None => Some("it hangs".to_owned()),
        Some(status) if status.success() => None,
        Some(status) => Some(match status.signal() {
            Some(signal) => format!("killed by signal {signal} {}", text.trim_end()),
            None => text.trim_end().to_owned(),
        }),
    };
    Ok((problem, text))
}
