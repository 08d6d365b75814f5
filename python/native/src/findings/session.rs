//! The state of one watched process: options, what is known of its loops, what was found, and the report it goes to.
//!
//! Lock discipline: nothing calls into Python or does I/O while it holds the lock of [`Found`], so a thread that waits for it is
//! never waiting for a stopped world.  Files are written detached, under a lock of their own.

use crate::findings::tally::{self, Tally};
use crate::interpreter::frames::RawFrame;
use crate::thread::{faults, hooks_link, registry};
use ftsan::options::Options;
use ftsan::recording::Recording;
use ftsan::report::json::{self, Report, SuppressionUse, Watched};
use ftsan::report::suppress::{self, Suppression};
use ftsan::report::{Access, Finding, Frame, text};
use ftsan::rules::Severity;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::Write as _;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd as _;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The process as a whole.
pub(crate) struct Session {
    pub(crate) options: Options,
    suppressions: Vec<Suppression>,
    hooks: AtomicU64,
    /// How many misuses happened that no suppression accepts.
    occurrences: AtomicU64,
    python: BTreeMap<String, String>,
    /// State of the GIL at start-up.
    gil: String,
    /// The last report is made.
    is_ending: AtomicBool,
    /// What the whole tree has found.
    tally: Option<&'static Tally>,
    /// Whether there was a stderr at the beginning: its number may be another file's afterwards.
    has_stderr: bool,
    /// Replaced in the child of a fork.
    shared: AtomicPtr<Shared>,
}

/// What the threads of the process share.
struct Shared {
    found: Mutex<Found>,
    /// Held, by detached threads only, while the report is written.
    writing: Mutex<()>,
}

impl Shared {
    fn leak(found: Found) -> &'static mut Self {
        Box::leak(Box::new(Shared { found: Mutex::new(found), writing: Mutex::default() }))
    }
}

/// The same call from the same place is the same finding.
pub(crate) type Place = (usize, RawFrame);

/// What was found so far.
#[derive(Default)]
pub(crate) struct Found {
    places: HashMap<Place, usize>,
    entries: Vec<Entry>,
    suppressed: Vec<u64>,
    suppressed_reported: Vec<u64>,
    reported: Watched,
    packages: BTreeSet<String>,
    gil: String,
    trouble_told: bool,
    /// How many findings the tally knows as not written.
    lost: u64,
}

impl Found {
    fn new(suppressions: usize, gil: String) -> Self {
        Found { suppressed: vec![0; suppressions], suppressed_reported: vec![0; suppressions], gil, ..Found::default() }
    }
}

struct Entry {
    finding: Finding,
    /// Which suppression accepts it.
    accepted_by: Option<usize>,
    /// How many of its occurrences the report has.
    reported: u64,
    /// Another finding tells more.
    is_withdrawn: bool,
}

/// A finding that was recorded before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known(usize);

/// What is known of a place that was just hit again.
pub(crate) struct Again {
    pub(crate) known: Known,
    /// Whether it is worth looking at what the owner is doing this time.
    pub(crate) sample_owner: bool,
    /// The finding's title, or `None` if the finding is suppressed.
    pub(crate) title: Option<String>,
}

/// What became of a finding.
pub(crate) enum Recorded {
    /// To be told.
    New,
    /// Told by another thread in the meantime.
    Known,
    /// Accepted by a suppression.
    Suppressed,
}

static SESSION: OnceLock<Session> = OnceLock::new();

/// The session.  Hooks are only installed once there is one.
#[inline]
pub(crate) fn get() -> &'static Session {
    SESSION.get().expect("started before anything is hooked")
}

pub(crate) fn is_started() -> bool {
    SESSION.get().is_some()
}

/// Starts the session of this process.
///
/// # Errors
/// The suppression file is wrong; one line.
pub(crate) fn start(options: Options, python: BTreeMap<String, String>, gil: String) -> Result<(), String> {
    registry::start();
    let suppressions = options.suppressions.as_deref().map_or(Ok(Vec::new()), suppress::load)?;
    let shared = Shared::leak(Found::new(suppressions.len(), gil.clone()));
    let tally = options.tally.as_deref().and_then(tally::open);
    let session = Session {
        options,
        suppressions,
        hooks: AtomicU64::new(0),
        occurrences: AtomicU64::new(0),
        python,
        gil,
        is_ending: AtomicBool::new(false),
        tally,
        // SAFETY: plain call.
        has_stderr: unsafe { libc::fcntl(libc::STDERR_FILENO, libc::F_GETFD) } >= 0,
        shared: AtomicPtr::new(shared),
    };
    SESSION.set(session).map_err(|_| "already started".to_owned())?;
    count_process();
    Ok(())
}

fn count_process() {
    if let Some(tally) = get().tally {
        tally.processes.fetch_add(1, Ordering::Relaxed);
    }
}

impl Session {
    /// Whether the exit status of this process speaks for its tree: there is no launcher.
    pub(crate) fn speaks(&self) -> bool {
        self.options.text && self.tally.is_some_and(Tally::is_root)
    }

    /// Whether nobody reads the report any more: this process outlives the run, as multiprocessing's resource tracker does, or has only
    /// just begun.
    fn is_over(&self) -> bool {
        self.options.tally.as_ref().is_some_and(|path| self.tally.map_or_else(|| !path.exists(), Tally::is_closed))
    }

    pub(crate) fn tally(&self) -> Option<&'static Tally> {
        self.tally
    }

    fn shared(&self) -> &'static Shared {
        // SAFETY: a leaked box.
        unsafe { &*self.shared.load(Ordering::Acquire) }
    }

    fn found(&self) -> MutexGuard<'static, Found> {
        self.shared().found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count_hook(&self) {
        self.hooks.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_package(&self, package: String) {
        self.found().packages.insert(package);
    }

    pub(crate) fn set_gil(&self, state: String) {
        self.found().gil = state;
    }

    /// What this line is known as, if it is a misuse of one of these rules by a thread other than `but`.
    pub(crate) fn known_misuse(&self, line: &Frame, rules: &[&str], but: Option<u64>) -> Option<Known> {
        let found = self.found();
        let is_it = |entry: &Entry| {
            let Some(access) = entry.finding.accesses.first() else { return false };
            let is_line = access.stack.first().is_some_and(|known| known.file == line.file && known.line == line.line);
            is_line && (but.is_none() || access.thread.as_ref().map(|thread| thread.ident) != but)
        };
        let known = |entry: &Entry| rules.contains(&entry.finding.rule.as_str()) && is_it(entry);
        found.entries.iter().position(known).map(Known)
    }

    /// Whether this line is known to be a misuse of one of these rules.
    pub(crate) fn is_known_misuse(&self, line: &Frame, rules: &[&str]) -> bool {
        self.known_misuse(line, rules, None).is_some()
    }

    /// Counts another occurrence at a known place; `None` if the place is new.
    pub(crate) fn seen_again(&self, place: &Place) -> Option<Again> {
        let mut found = self.found();
        let index = *found.places.get(place)?;
        let entry = &mut found.entries[index];
        entry.finding.count += 1;
        let (count, accepted_by) = (entry.finding.count, entry.accepted_by);
        let title = accepted_by.is_none().then(|| entry.finding.title.clone());
        self.count_occurrence(&mut found, index);
        Some(Again { known: Known(index), sample_owner: accepted_by.is_none() && count.is_power_of_two(), title })
    }

    /// Records a new finding, or another occurrence if another thread was faster.
    pub(crate) fn record(&self, place: Place, finding: Finding) -> Recorded {
        let mut found = self.found();
        if let Some(&index) = found.places.get(&place) {
            found.entries[index].finding.count += 1;
            let accepted_by = found.entries[index].accepted_by;
            self.count_occurrence(&mut found, index);
            return if accepted_by.is_none() { Recorded::Known } else { Recorded::Suppressed };
        }
        let accepted_by = self.suppressions.iter().position(|suppression| suppression.matches(&finding));
        let index = found.entries.len();
        if let (None, true, Some(tally)) = (accepted_by, finding.severity > Severity::Info, self.tally) {
            tally.serious.fetch_add(1, Ordering::Relaxed);
        }
        found.places.insert(place, index);
        found.entries.push(Entry { finding, accepted_by, reported: 0, is_withdrawn: false });
        self.count_occurrence(&mut found, index);
        if accepted_by.is_none() { Recorded::New } else { Recorded::Suppressed }
    }

    fn count_occurrence(&self, found: &mut Found, index: usize) {
        let entry = &found.entries[index];
        match entry.accepted_by {
            Some(suppression) => found.suppressed[suppression] += 1,
            None => {
                self.occurrences.fetch_add(1, Ordering::Relaxed);
                if let Some(tally) = self.tally {
                    tally.count(&entry.finding);
                }
            }
        }
    }

    /// How many misuses happened so far that no suppression accepts.
    pub(crate) fn occurrences(&self) -> u64 {
        self.occurrences.load(Ordering::Relaxed)
    }

    /// The harm that a finding speaks of was seen to happen.
    pub(crate) fn witness(&self, place: &Place) {
        let mut found = self.found();
        if let Some(&index) = found.places.get(place) {
            found.entries[index].finding.witnessed = true;
        }
    }

    /// Another finding tells more than this one.
    pub(crate) fn withdraw(&self, place: &Place) {
        let mut found = self.found();
        if let Some(&index) = found.places.get(place) {
            found.entries[index].is_withdrawn = true;
        }
    }

    /// What is only worth knowing may be withdrawn until the end.
    fn is_settled(&self, entry: &Entry) -> bool {
        self.is_ending.load(Ordering::Relaxed) || entry.finding.severity > Severity::Info
    }

    /// Nothing is withdrawn any more.
    pub(crate) fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    /// Adds what the owner was doing another time.
    pub(crate) fn add_owner_access(&self, known: Known, access: Access) {
        if let Some(entry) = self.found().entries.get_mut(known.0) {
            entry.finding.add_owner_access(access);
        }
    }

    /// Prints a finding and brings the report up to date.  To be called detached: it writes to files.
    pub(crate) fn tell(&self, place: &Place) {
        let finding = {
            let found = self.found();
            found.places.get(place).map(|&index| found.entries[index].finding.clone())
        };
        // What changes no exit status does not interrupt anybody: it is in the report.
        let is_told = |finding: &Finding| self.options.text && finding.severity > Severity::Info;
        if let Some(finding) = finding.filter(is_told) {
            let _paused = hooks_link::Paused::begin();
            let text = text::finding(&finding, std::process::id(), &source_line);
            write_stderr(&text);
        }
        self.bring_report_up_to_date();
    }

    /// Merges what the report does not have yet.  To be called detached.
    pub(crate) fn bring_report_up_to_date(&self) {
        let Some(path) = &self.options.report_json else { return };
        let _writing = self.shared().writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (news, counts, suppressed) = {
            let found = self.found();
            let counts: Vec<u64> = found.entries.iter().map(|entry| entry.finding.count).collect();
            (self.news(&found, false), counts, found.suppressed.clone())
        };
        let written = {
            let _paused = hooks_link::Paused::begin();
            json::merge_into(path, &news)
        };
        let mut found = self.found();
        match written {
            Ok(()) => {
                found.reported.checks += news.watched.checks;
                found.reported.threads += news.watched.threads;
                found.reported.loops += news.watched.loops;
                found.reported.processes = 1;
                for (entry, count) in found.entries.iter_mut().zip(counts) {
                    if self.is_settled(entry) {
                        entry.reported = count;
                    }
                }
                found.suppressed_reported = suppressed;
            }
            Err(_) if self.is_over() => {}
            Err(error) => {
                if !std::mem::replace(&mut found.trouble_told, true) {
                    write_stderr(&format!(
                        "ftsan: cannot write the report {}: {error}; findings are kept and tried again\n",
                        path.display()
                    ));
                }
            }
        }
        self.count_lost(&mut found);
    }

    /// Lets the tally know how many findings are not in the report.
    fn count_lost(&self, found: &mut Found) {
        let is_lost = |entry: &&Entry| {
            entry.reported == 0 && entry.accepted_by.is_none() && !entry.is_withdrawn && entry.finding.severity > Severity::Info
        };
        let lost = found.entries.iter().filter(is_lost).count() as u64;
        let before = std::mem::replace(&mut found.lost, lost);
        if let Some(tally) = self.tally {
            tally.off.fetch_max(faults::all().len() as u64, Ordering::Relaxed);
            tally.lost.fetch_add(lost.wrapping_sub(before), Ordering::Relaxed);
        }
    }

    fn news(&self, found: &Found, is_last: bool) -> Report {
        let (threads, loops, checks) = registry::get().loops.totals();
        let checks = checks + hooks_link::recording().map_or(0, Recording::events);
        let before = &found.reported;
        Report {
            python: self.python.clone(),
            gil: found.gil.clone(),
            watched: Watched {
                hooks: self.hooks.load(Ordering::Relaxed),
                checks: checks.saturating_sub(before.checks),
                threads: threads.saturating_sub(before.threads),
                loops: loops.saturating_sub(before.loops),
                processes: 1 - before.processes,
                packages: found.packages.clone(),
                off: faults::all(),
            },
            findings: found
                .entries
                .iter()
                .filter(|entry| entry.accepted_by.is_none() && (is_last || self.is_settled(entry)) && !entry.is_withdrawn)
                .map(|entry| Finding { count: entry.finding.count - entry.reported, ..entry.finding.clone() })
                .collect(),
            suppressions: (self.suppressions.iter().zip(&found.suppressed).zip(&found.suppressed_reported))
                .map(|((suppression, used), before)| SuppressionUse { suppression: suppression.clone(), used: used - before })
                .collect(),
            ..Report::default()
        }
    }

    /// Everything that this process has seen, for the pytest plugin.
    pub(crate) fn everything(&self) -> Report {
        let mut found = self.found();
        let before = std::mem::take(&mut found.reported);
        let counts: Vec<u64> = found.entries.iter_mut().map(|entry| std::mem::take(&mut entry.reported)).collect();
        let suppressed = std::mem::replace(&mut found.suppressed_reported, vec![0; self.suppressions.len()]);
        let report = self.news(&found, true);
        found.reported = before;
        found.suppressed_reported = suppressed;
        for (entry, reported) in found.entries.iter_mut().zip(counts) {
            entry.reported = reported;
        }
        report
    }
}

/// Writes to the program's stderr in one go, so that reports of several threads do not interleave.  Not through `std::io::stderr`:
/// a forked child could inherit its lock.  Nor if there was none at the beginning.
pub(crate) fn write_stderr(text: &str) {
    if !get().has_stderr {
        return;
    }
    // SAFETY: the descriptor is only borrowed: it is not closed on drop.
    let mut stderr = ManuallyDrop::new(unsafe { File::from_raw_fd(libc::STDERR_FILENO) });
    let _ = stderr.write_all(text.as_bytes());
}

pub(crate) fn source_line(file: &str, line: u32) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().nth((line as usize).checked_sub(1)?).filter(|line| !line.trim().is_empty()).map(str::to_owned)
}

/// In the child of a fork, which has found nothing yet and has only this thread left.
///
/// CPython stops the world before it forks, and no thread stops in the middle of what it does attached under a lock of ours.  A
/// detached thread may be writing the report at that moment: hence the child gets a new [`Shared`] and the old one is leaked.
pub(crate) fn after_fork() {
    let session = get();
    session.shared.store(Shared::leak(Found::new(session.suppressions.len(), session.gil.clone())), Ordering::Release);
    count_process();
}
