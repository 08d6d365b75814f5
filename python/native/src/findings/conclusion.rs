//! The last words of a run and its exit status: the launcher's, or the first watched process's where there is no launcher.

use crate::findings::tally::Tally;
use crate::findings::{process, ratchet};
use crate::thread::{faults, hooks_link};
use ftsan::options::Options;
use ftsan::report::model::mistake;
use ftsan::report::render::text;
use ftsan::report::store::journal;
use ftsan::report::{Finding, Report};
use ftsan::safe_file::Target;
use ftsan::statuses::NOT_WATCHED;
use libc::{c_int, c_void};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

/// What a run comes to.
#[derive(Debug, Default)]
pub(crate) struct Conclusion {
    /// What replaces a status of 0.
    pub(crate) status: u8,
    /// What is said of it.
    pub(crate) text: String,
    /// Whether that is to be said even if nobody sits at a terminal.
    pub(crate) is_news: bool,
}

/// What a run with these options comes to by its report and its tally.  `is_shared`: other runs write into the same report.
pub(crate) fn of(report: &Path, tally: Option<&Tally>, options: &Options, is_shared: bool) -> Conclusion {
    let count = |of: fn(&Tally) -> &AtomicU64| tally.map_or(0, |tally| of(tally).load(Ordering::Relaxed));
    let read = journal::read(report);
    let mut conclusion = Conclusion::default();
    if let Err(error) = &read {
        conclusion.text += &format!("ftsan: the report {} cannot be read: {error}\n", report.display());
    }
    let mut report = read.unwrap_or_default();
    complete(&mut report, tally, is_shared);
    let mut unwritten = false;
    let paused = hooks_link::Paused::begin();
    for (path, format) in options.formats() {
        if let Err(error) = Target::at(path).and_then(|target| target.replace(|out| (format.write)(&report, out))) {
            unwritten = true;
            conclusion.text += &format!("ftsan: cannot write {}: {error}\n", path.display());
        }
    }
    drop(paused);
    let lost = count(|tally| &tally.lost);
    let has_serious = report.findings.iter().any(|finding| finding.severity.is_serious()) || count(|tally| &tally.serious) > 0;
    // A run in which no code could be patched has said so.
    if !report.watched.off.iter().any(|off| off.starts_with("races: ")) {
        report.watched.off.extend(options.scope().unseen(&report.watched.packages));
    }
    let is_off = !report.watched.off.is_empty() || count(|tally| &tally.off) > 0;
    let is_watched = report.watched.processes > 0 || count(|tally| &tally.processes) > 0;
    if is_watched {
        conclusion.text += &text::summary(&report);
    } else {
        conclusion.text +=
            "ftsan: nothing was watched: the program did not load ftsan (python -S, -E or -I, or another interpreter?)\n";
    }
    if lost > 0 {
        conclusion.text += &format!("ftsan: {} could not be written to the report: see where it happened, above\n", findings(lost));
    }
    let baseline = ratchet::apply(&report, options, lost == 0 && is_watched && !is_off);
    conclusion.text += &baseline.text;
    let serious = has_serious && !(baseline.is_written && lost == 0);
    conclusion.status = match (serious, is_off || !is_watched) {
        (true, _) => options.exit_code,
        (false, true) => NOT_WATCHED,
        (false, false) => 0,
    };
    let has_unused = report.suppressions.iter().any(|entry| entry.used == 0);
    let is_switched = report.gil.starts_with("re-enabled");
    conclusion.is_news = unwritten || conclusion.status != 0 || lost > 0 || has_unused || is_switched || baseline.is_news;
    conclusion
}

fn findings(count: u64) -> String {
    if count == 1 { "1 finding".to_owned() } else { format!("{count} findings") }
}

/// Adds what the tally knows better than the report: how often a finding was made by processes that died before they could say so.
fn complete(report: &mut Report, tally: Option<&Tally>, is_shared: bool) {
    let Some(tally) = tally else { return };
    let mut all: Vec<Finding> = std::mem::take(&mut report.findings).into_iter().flat_map(mistake::unfold).collect();
    if is_shared && !tally.is_full() {
        all.retain(|finding| tally.counted(finding) > 0);
    }
    for finding in &mut all {
        let counted = tally.counted(finding);
        finding.count = if is_shared { counted } else { finding.count.max(counted) };
    }
    report.findings = mistake::fold(all);
}

unsafe extern "C" {
    // stdlib.h; the GNU C library's
    fn on_exit(function: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    fn exit(status: c_int) -> !;
}

/// What replaces the status 0 of this process, or 0.
static STATUS: AtomicI32 = AtomicI32::new(0);

/// What this process exits with instead of 0.
pub(crate) fn status() -> i32 {
    STATUS.load(Ordering::Relaxed)
}

/// Runs among the exit handlers.  The rest of them run with the new status: "we call everyone on the list and use the status value in the
/// last exit ()" (glibc, `stdlib/exit.c`).
extern "C" fn replace_status(status: c_int, _: *mut c_void) {
    let new = STATUS.swap(0, Ordering::Relaxed);
    if status == 0 && new != 0 && process::get().speaks() {
        // SAFETY: in an exit handler of a library that provides for this.
        unsafe { exit(new) };
    }
}

/// This process speaks for its tree: its exit status will be replaced if need be.
pub(crate) fn prepare() {
    // SAFETY: a function of this module, which is never unloaded.
    unsafe { on_exit(replace_status, std::ptr::null_mut()) };
}

/// Something is off after the last words.  To be called detached.
pub(crate) fn add_fault() {
    process::get().bring_report_up_to_date();
    if process::get().speaks() {
        for fault in faults::all() {
            process::write_stderr(&format!("ftsan: not watched: {fault}\n"));
        }
        let _ = STATUS.compare_exchange(0, NOT_WATCHED.into(), Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// Brings the report up to date for the last time.  To be called detached.
pub(crate) fn flush() {
    process::get().complete_report();
}

/// Ends what this process has to say: the report is completed, and if it speaks for its tree, the conclusion printed and the folder of
/// the run removed.  To be called detached.
pub(crate) fn end() {
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    flush();
    let process = process::get();
    let (true, Some(report), Some(tally)) = (process.speaks(), &process.options.report_json, process.tally()) else { return };
    if IS_SAID.swap(true, Ordering::Relaxed) {
        return;
    }
    let conclusion = of(report, Some(tally), &process.options, !process.options.is_report_scratch());
    STATUS.store(conclusion.status.into(), Ordering::Relaxed);
    // SAFETY: plain call.
    if conclusion.is_news || unsafe { libc::isatty(libc::STDERR_FILENO) } == 1 {
        process::write_stderr(&conclusion.text);
    }
    tally.close();
    if let Some(folder) = process.options.tally.as_deref().and_then(Path::parent) {
        remove(folder);
    }
}

/// Removes a folder that has only files in it.
fn remove(folder: &Path) {
    let _paused = hooks_link::Paused::begin();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let _ = std::fs::remove_file(entry.path());
    }
    let _ = std::fs::remove_dir(folder);
}
