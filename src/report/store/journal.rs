//! The journal: what the processes of a tree find, one line of JSON for each thing they say, and how it becomes the report's file.
//!
//! The journal lies beside the report (`report.json.journal`).  A process appends a line as soon as it has found something, so a finding
//! costs the same however many there are, and survives any death of its finder.  From time to time, and when a process ends that no
//! launcher outlives, the lines are folded into the report and the journal is emptied.  The report's file is complete JSON at any time;
//! [`read`] adds what is only in the journal yet.
//!
//! Locks (`flock` on the journal): shared while a line is appended, exclusive while the lines are folded.  A line is preceded by a line
//! break as well: the rest that a killed process has left of one does not spoil the next.

use super::file::{self, LARGEST, Mode, lock};
use crate::report::model::tree::{Merging, News, Report};
use crate::report::render::json;
use crate::safe_file::{Identity, Target};
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Where the journal of the report at `report` is.
fn path_of(report: &Path) -> PathBuf {
    let mut name = report.as_os_str().to_owned();
    name.push(".journal");
    PathBuf::from(name)
}

/// Reads the report at `path`, with what is only in its journal yet.
///
/// # Errors
/// There is neither, or the file is not a report.
pub fn read(path: &Path) -> io::Result<Report> {
    let report = Target::at(path)?.read(LARGEST)?.map(|bytes| json::read(&bytes)).transpose()?;
    match (report, Target::at(&path_of(path))?.read(LARGEST)?) {
        (Some(report), None) => Ok(report),
        (None, None) => Err(io::ErrorKind::NotFound.into()),
        (report, Some(lines)) => Ok(merged(report.unwrap_or_default(), &lines)),
    }
}

fn merged(report: Report, journal: &[u8]) -> Report {
    let mut merging = Merging::new(report);
    // A line that does not parse is the rest of one that a killed process was writing.
    let lines = journal.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.filter_map(|line| serde_json::from_slice::<News>(line).ok()).for_each(|news| merging.add(news));
    merging.finish()
}

/// Starts a new report at `path`, where there may be nothing yet, an empty file, or another report.
///
/// # Errors
/// There is something else, or the file cannot be written there.
pub fn start(path: &Path) -> io::Result<()> {
    file::start(&Target::at(path)?, &Report::default())?;
    Target::at(&path_of(path))?.remove()
}

/// Whether a report can be had at `path`: nothing is there yet, an empty file, or another report.
///
/// # Errors
/// There is something else, or no such folder.
pub fn check(path: &Path) -> io::Result<()> {
    file::check_ours(&Target::at(path)?)
}

/// The journal of a report, as one process has it.
#[derive(Debug)]
pub struct Journal {
    report: PathBuf,
    path: PathBuf,
    file: Option<Open>,
    /// The parent's, for a child that may not open the journal any more: it has given up its privileges.
    inherited: Option<Open>,
}

/// A file that is open, unless the program has closed all descriptors there are and opened others: its number is another file's then.
#[derive(Debug)]
struct Open {
    file: File,
    identity: Option<Identity>,
}

impl Open {
    fn new(file: File) -> Self {
        Open { identity: Identity::of(&file), file }
    }

    /// The file, if it is still there; another one that has its number now is the program's, and is not closed either.
    fn into_file(self) -> Option<File> {
        if self.identity.is_some() && Identity::of(&self.file) == self.identity {
            return Some(self.file);
        }
        std::mem::forget(self.file);
        None
    }

    fn try_clone(&self) -> Option<Self> {
        let is_same = self.identity.is_some() && Identity::of(&self.file) == self.identity;
        is_same.then(|| self.file.try_clone().ok().map(Open::new))?
    }
}

impl Journal {
    /// The journal of the report at `report`; not opened yet.
    pub fn of(report: &Path) -> Self {
        Journal { report: report.to_owned(), path: path_of(report), file: None, inherited: None }
    }

    /// The same for the child of a fork, which shares no lock with its parent.
    #[must_use]
    pub fn after_fork(&self) -> Self {
        let inherited = self.file.as_ref().or(self.inherited.as_ref()).and_then(Open::try_clone);
        Journal { inherited, ..Journal::of(&self.report) }
    }

    /// Where the report is.
    pub fn report(&self) -> &Path {
        &self.report
    }

    fn open(&self) -> io::Result<File> {
        let opened = Target::at(&self.path).and_then(|target| target.open_appending(true));
        match (opened, &self.inherited) {
            (Err(error), Some(inherited)) if error.kind() == io::ErrorKind::PermissionDenied => {
                inherited.try_clone().and_then(Open::into_file).ok_or(error)
            }
            (opened, _) => opened?.ok_or_else(|| io::ErrorKind::NotFound.into()),
        }
    }

    /// Appends a line.
    ///
    /// # Errors
    /// The file cannot be written; nothing of the line counts then.
    pub fn append(&mut self, news: &News) -> io::Result<()> {
        let mut line = vec![b'\n'];
        serde_json::to_writer(&mut line, news)?;
        line.push(b'\n');
        loop {
            let file = match self.file.take().and_then(Open::into_file) {
                Some(file) => file,
                None => self.open()?,
            };
            let locked = lock(&file, Mode::Shared)?;
            // Another process may have folded the last lines and removed the journal.
            let is_there = file.metadata()?.nlink() > 0;
            if is_there {
                (&file).write_all(&line)?;
            }
            drop(locked);
            if is_there {
                self.file = Some(Open::new(file));
                return Ok(());
            }
        }
    }

    /// Folds the journal if there is much in it, or if that was not done for a while: the report's file is never far behind, and all that
    /// is written for `n` findings is still in proportion to `n`.
    ///
    /// # Errors
    /// As [`fold`]; not if another process is folding.
    pub fn fold_if_due(&self) -> io::Result<()> {
        let size_of = |path: &Path| fs::metadata(path).map_or(0, |data| data.len());
        let report = fs::metadata(&self.report);
        let size = report.as_ref().map_or(0, std::fs::Metadata::len);
        let interval = Duration::from_millis(500) + Duration::from_micros(size);
        let folded = report.and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let is_due = size_of(&self.path) >= size || folded.elapsed().is_ok_and(|elapsed| elapsed >= interval);
        if !is_due {
            return Ok(());
        }
        match fold_into(&self.report, Mode::ExclusiveNow, false) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            folded => folded,
        }
    }
}

/// Folds the journal of the report at `path` into it, and removes the journal and what a process that was killed meanwhile has left.
///
/// # Errors
/// Another process holds the journal for too long, or the report cannot be written: then the journal stays.
pub fn fold(path: &Path) -> io::Result<()> {
    fold_into(path, Mode::Exclusive, true)?;
    Target::at(path)?.remove_unfinished()
}

fn fold_into(path: &Path, mode: Mode, is_last: bool) -> io::Result<()> {
    let journal = Target::at(&path_of(path))?;
    let Some(file) = journal.open_appending(false)? else { return Ok(()) };
    let _lock = lock(&file, mode)?;
    if file.metadata()?.nlink() == 0 {
        return Ok(());
    }
    let mut lines = Vec::new();
    (&file).take(LARGEST).read_to_end(&mut lines)?;
    if !lines.is_empty() {
        let target = Target::at(path)?;
        file::check_ours(&target)?;
        // Nothing yet, or a report of another version: our findings are worth more than what cannot be read.
        let before = target.read(LARGEST)?.and_then(|bytes| json::read(&bytes).ok()).unwrap_or_default();
        let report = merged(before, &lines);
        target.replace(|out| json::write(&report, out))?;
        file.set_len(0)?;
    }
    if is_last { journal.remove() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::tree::samples::news;
    use std::os::fd::AsRawFd as _;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ftsan-journal-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn only_json(path: &Path) -> Report {
        json::read(&fs::read(path).unwrap()).unwrap()
    }

    #[test]
    fn what_is_appended_is_read_at_once_and_folded_later() {
        let folder = scratch("append");
        let path = folder.join("report.json");
        start(&path).unwrap();
        let mut journal = Journal::of(&path);
        journal.append(&news()).unwrap();
        assert_eq!(only_json(&path), Report::default());
        let seen = read(&path).unwrap();
        assert_eq!((seen.findings.len(), seen.watched.checks), (1, 10));
        fold(&path).unwrap();
        assert_eq!(only_json(&path), seen);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "neither the journal nor a temporary file is left");
        journal.append(&news()).unwrap();
        assert_eq!(read(&path).unwrap().findings[0].count, 2, "a journal that was removed is begun anew");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_descriptor_that_the_program_took_over_is_left_alone() {
        let folder = scratch("taken");
        let path = folder.join("report.json");
        start(&path).unwrap();
        let mut journal = Journal::of(&path);
        journal.append(&news()).unwrap();
        // As after `closerange` and `open`: another file is behind what the journal remembers.
        let theirs = File::create(folder.join("theirs")).unwrap();
        let before = std::mem::replace(&mut journal.file.as_mut().unwrap().file, theirs.try_clone().unwrap());
        drop(before);
        journal.append(&news()).unwrap();
        assert_eq!(theirs.metadata().unwrap().len(), 0);
        assert_eq!(read(&path).unwrap().findings[0].count, 2);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_first_finding_is_in_the_report_at_once() {
        let folder = scratch("first");
        let path = folder.join("report.json");
        start(&path).unwrap();
        let mut journal = Journal::of(&path);
        journal.append(&news()).unwrap();
        journal.fold_if_due().unwrap();
        assert_eq!(only_json(&path).findings.len(), 1);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn while_another_process_folds_nobody_waits_and_other_errors_are_told() {
        let folder = scratch("folding");
        let path = folder.join("report.json");
        start(&path).unwrap();
        let mut journal = Journal::of(&path);
        journal.append(&news()).unwrap();
        let other = File::open(path_of(&path)).unwrap();
        let locked = lock(&other, Mode::Exclusive).unwrap();
        journal.fold_if_due().unwrap();
        assert_eq!(only_json(&path), Report::default());
        drop(locked);
        fs::write(&path, "import app\n").unwrap();
        assert!(journal.fold_if_due().is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn half_a_line_of_a_process_that_was_killed_costs_nothing_but_itself() {
        let folder = scratch("torn");
        let path = folder.join("report.json");
        start(&path).unwrap();
        let mut journal = Journal::of(&path);
        journal.append(&news()).unwrap();
        let mut line = serde_json::to_vec(&news()).unwrap();
        line.truncate(line.len() / 2);
        fs::OpenOptions::new().append(true).open(path_of(&path)).unwrap().write_all(&line).unwrap();
        journal.append(&news()).unwrap();
        assert_eq!(read(&path).unwrap().findings[0].count, 2);
        fold(&path).unwrap();
        assert_eq!(only_json(&path).findings[0].count, 2);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn many_writers_lose_nothing_and_say_nothing_twice() {
        let folder = scratch("writers");
        let path = folder.join("report.json");
        start(&path).unwrap();
        std::thread::scope(|scope| {
            for number in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let mut journal = Journal::of(path);
                    for round in 0..50 {
                        journal.append(&news()).unwrap();
                        match (number + round) % 7 {
                            0 => fold(path).unwrap(),
                            1 => journal.fold_if_due().unwrap(),
                            _ => {}
                        }
                    }
                });
            }
        });
        fold(&path).unwrap();
        assert_eq!(only_json(&path).findings[0].count, 200);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_no_report_stays_as_it_is_and_so_does_the_journal() {
        let folder = scratch("foreign");
        let path = folder.join("report.json");
        fs::write(&path, "import app\n").unwrap();
        assert!(start(&path).is_err());
        let mut journal = Journal::of(&path);
        journal.append(&news()).unwrap();
        assert!(fold(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "import app\n");
        fs::write(&path, "").unwrap();
        fold(&path).unwrap();
        assert_eq!(only_json(&path).findings.len(), 1);
        start(&path).unwrap();
        assert_eq!(read(&path).unwrap(), Report::default());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_new_report_forgets_an_old_journal() {
        let folder = scratch("stale");
        let path = folder.join("report.json");
        Journal::of(&path).append(&news()).unwrap();
        assert_eq!(read(&path).unwrap().findings.len(), 1, "a journal without a report is one");
        start(&path).unwrap();
        assert_eq!(read(&path).unwrap(), Report::default());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_report_can_be_had_where_there_is_nothing_or_another_one() {
        let folder = scratch("check");
        let path = folder.join("report.json");
        check(&path).unwrap();
        start(&path).unwrap();
        check(&path).unwrap();
        // The beginning of a report, and of none.
        for other in ["import app\n", "{\n  \"name\": 1}", "[\n  \"schema\": 1"] {
            fs::write(&path, other).unwrap();
            assert!(check(&path).is_err(), "{other}");
        }
        assert!(check(&folder.join("none/report.json")).is_err());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn the_journal_stays_open_and_a_child_has_its_parents_as_long_as_it_is_that() {
        let folder = scratch("fork");
        let path = folder.join("report.json");
        let mut journal = Journal::of(&path);
        assert!(journal.after_fork().inherited.is_none(), "it was not opened yet");
        let mut number = || {
            journal.append(&news()).unwrap();
            journal.file.as_ref().unwrap().file.as_raw_fd()
        };
        assert_eq!(number(), number());
        let child = journal.after_fork();
        let has_it = |child: &Journal| child.inherited.as_ref().is_some_and(|open| Identity::of(&open.file) == open.identity);
        assert!(has_it(&child) && has_it(&child.after_fork()) && child.file.is_none(), "and so has a child's child");
        journal.file.as_mut().unwrap().file = File::create(folder.join("theirs")).unwrap();
        assert!(journal.after_fork().inherited.is_none(), "the number is another file's");
        fs::remove_dir_all(folder).unwrap();
    }
}
