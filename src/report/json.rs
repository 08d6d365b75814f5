//! The JSON report: one file for a whole process tree.
//!
//! Every process merges what is new into the file as it happens, under a lock, and replaces the file in one step.  So the
//! file is complete JSON at any time, and what was found survives any death of its finder or of the launcher.

use super::finding::Finding;
use super::suppress::Suppression;
use crate::rules::Severity;
use crate::safe_file::Target;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::Duration;

/// Version of the report's format.
const SCHEMA: u32 = 1;

/// How long a process waits for others to finish their merges: on a busy machine, ten that end at once take seconds.  A stopped process
/// (Ctrl-Z) may hold the lock for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest report that is read, in bytes.
const LARGEST: u64 = 1 << 30;

/// What was looked at.  Counts add up over the processes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// Functions and methods that are watched, in the process that watches most.
    pub hooks: u64,
    /// How many calls were checked.
    pub checks: u64,
    /// Threads seen.
    pub threads: u64,
    /// Loops seen running.
    pub loops: u64,
    /// Processes that took part.
    pub processes: u64,
    /// Packages watched for data races.
    pub packages: BTreeSet<String>,
    /// What could not be watched, and why: "affinity: the layout of ... is not as expected".
    pub off: BTreeSet<String>,
}

/// A suppression and how often it applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionUse {
    /// The suppression as written.
    #[serde(flatten)]
    pub suppression: Suppression,
    /// How many occurrences it accepted.
    pub used: u64,
}

/// The report of a process tree, and equally what one process adds to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Version of the format.
    pub schema: u32,
    /// Version of ftsan.
    pub ftsan: String,
    /// Facts about the interpreter: version, executable, platform.
    pub python: BTreeMap<String, String>,
    /// "disabled", "enabled" or "re-enabled by MODULE".
    pub gil: String,
    /// What was looked at.
    pub watched: Watched,
    /// What was found.
    pub findings: Vec<Finding>,
    /// What was accepted.
    pub suppressions: Vec<SuppressionUse>,
}

impl Default for Report {
    fn default() -> Self {
        Report {
            schema: SCHEMA,
            ftsan: crate::VERSION.to_owned(),
            python: BTreeMap::new(),
            gil: "unknown".to_owned(),
            watched: Watched::default(),
            findings: Vec::new(),
            suppressions: Vec::new(),
        }
    }
}

impl Report {
    /// Adds what another process, or this one since the last time, has to say.
    pub fn merge(&mut self, news: &Report) {
        if !news.python.is_empty() && self.python.is_empty() {
            self.python.clone_from(&news.python);
        }
        if self.gil == "unknown" || news.gil.starts_with("re-enabled") {
            self.gil.clone_from(&news.gil);
        }
        let (ours, theirs) = (&mut self.watched, &news.watched);
        ours.hooks = ours.hooks.max(theirs.hooks);
        ours.checks += theirs.checks;
        ours.threads += theirs.threads;
        ours.loops += theirs.loops;
        ours.processes += theirs.processes;
        ours.packages.extend(theirs.packages.iter().cloned());
        ours.off.extend(theirs.off.iter().cloned());
        for finding in &news.findings {
            match self.findings.iter_mut().find(|known| known.key() == finding.key()) {
                Some(known) => {
                    known.count += finding.count;
                    known.witnessed |= finding.witnessed;
                    for access in finding.accesses.iter().filter(|access| access.role == super::Role::Owner) {
                        known.add_owner_access(access.clone());
                    }
                }
                None => self.findings.push(finding.clone()),
            }
        }
        for entry in &news.suppressions {
            match self.suppressions.iter_mut().find(|known| known.suppression == entry.suppression) {
                Some(known) => known.used += entry.used,
                None => self.suppressions.push(entry.clone()),
            }
        }
    }
}

/// How many of the races that lose something were seen to do so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// Seen to happen.
    pub witnessed: usize,
    /// Found.
    pub found: usize,
    /// `FILE:LINE` of the writes of those that were not seen to happen.
    pub lines: Vec<String>,
}

impl Report {
    /// What is left for `--confirm`.
    pub fn confirmation(&self) -> Confirmation {
        let can_be = |finding: &&Finding| matches!(finding.rule.as_str(), "FT401" | "FT402") && finding.severity == Severity::Error;
        let mut confirmation = Confirmation::default();
        for finding in self.findings.iter().filter(can_be) {
            confirmation.found += 1;
            if finding.witnessed {
                confirmation.witnessed += 1;
                continue;
            }
            let innermost = finding.accesses.iter().filter_map(|access| access.stack.first());
            confirmation.lines.extend(innermost.map(|frame| format!("{}:{}", frame.file, frame.line)));
        }
        confirmation.lines.sort_unstable();
        confirmation.lines.dedup();
        confirmation
    }
}

/// Reads a report.
///
/// # Errors
/// The file cannot be read or is not a report.
pub fn read(path: &Path) -> io::Result<Report> {
    let content = Target::at(path)?.read(LARGEST)?.ok_or(io::ErrorKind::NotFound)?;
    serde_json::from_slice(&content).map_err(io::Error::other)
}

/// Starts a new report at `path`, where there may be nothing yet, an empty file, or another report.
///
/// # Errors
/// There is something else, or the file cannot be written there.
pub fn start(path: &Path) -> io::Result<()> {
    start_with(path, &Report::default())
}

/// Whether a report can be had at `path`: nothing is there yet, an empty file, or another report.
///
/// # Errors
/// There is something else, or no such folder.
pub fn check(path: &Path) -> io::Result<()> {
    Target::at(path)?.check_replaceable("report of ftsan", is_ours)
}

/// Whether this is how [`replace`] begins a file.
fn is_ours(head: &[u8]) -> bool {
    let mut words = head.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.next() == Some(b"{") && words.next() == Some(b"\"schema\":")
}

pub(super) fn start_with(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let target = Target::at(path)?;
    target.check_replaceable("report of ftsan", is_ours)?;
    target.remove_unfinished()?;
    replace(&target, content)
}

/// Merges `news` into the report at `path`.
///
/// # Errors
/// Another process holds the report for too long, or the file cannot be written.  The report is as it was before.
pub fn merge_into(path: &Path, news: &Report) -> io::Result<()> {
    update(path, |report: &mut Report| report.merge(news))
}

/// Changes the file at `path`, while no other process does.
pub(super) fn update<T: Default + Serialize + DeserializeOwned>(path: &Path, change: impl FnOnce(&mut T)) -> io::Result<()> {
    let target = Target::at(path)?;
    let _lock = target.lock(PATIENCE)?;
    target.check_replaceable("report of ftsan", is_ours)?;
    // Nothing yet, or a report of another version: our findings are worth more than what cannot be read.
    let mut content = target.read(LARGEST)?.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    change(&mut content);
    replace(&target, &content)
}

fn replace(target: &Target, content: &impl Serialize) -> io::Result<()> {
    target.replace(|file| {
        serde_json::to_writer_pretty(&mut *file, content)?;
        file.write_all(b"\n")
    })
}

#[cfg(test)]
mod tests {
    use super::super::finding::samples;
    use super::*;
    use std::fs;
    use std::path::PathBuf;

    fn news() -> Report {
        Report {
            gil: "disabled".to_owned(),
            watched: Watched { hooks: 5, checks: 10, threads: 2, processes: 1, ..Watched::default() },
            findings: vec![samples::call_soon()],
            ..Report::default()
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("ftsan-json-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn processes_add_up() {
        let folder = scratch("add");
        let path = folder.join("report.json");
        start(&path).unwrap();
        merge_into(&path, &news()).unwrap();
        merge_into(&path, &news()).unwrap();
        let report = read(&path).unwrap();
        assert_eq!(report.findings.len(), 1);
        assert_eq!(report.findings[0].count, 2);
        assert_eq!((report.watched.hooks, report.watched.checks, report.watched.processes), (5, 20, 2));
        assert_eq!(report.gil, "disabled");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn another_line_of_the_same_function_is_another_finding() {
        let mut report = news();
        let mut other = news();
        other.findings[0].accesses[0].stack[0].line += 1;
        report.merge(&other);
        assert_eq!(report.findings.len(), 2);
    }

    #[test]
    fn many_writers_lose_nothing() {
        let folder = scratch("writers");
        let path = folder.join("report.json");
        start(&path).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..25).for_each(|_| merge_into(&path, &news()).unwrap()));
            }
        });
        assert_eq!(read(&path).unwrap().findings[0].count, 100);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_that_is_no_report_stays_as_it_is() {
        let folder = scratch("foreign");
        let path = folder.join("report.json");
        fs::write(&path, "import app\n").unwrap();
        assert!(start(&path).is_err());
        assert!(merge_into(&path, &news()).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "import app\n");
        fs::write(&path, "").unwrap();
        merge_into(&path, &news()).unwrap();
        start(&path).unwrap();
        assert_eq!(read(&path).unwrap(), Report::default());
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn field_names_are_the_contract() {
        let value = serde_json::to_value(news()).unwrap();
        let keys = |value: &serde_json::Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(keys(&value), "findings ftsan gil python schema suppressions watched");
        assert_eq!(
            keys(&value["findings"][0]),
            "accesses count fingerprint fix help loop name object rule severity title witnessed"
        );
        assert_eq!(keys(&value["findings"][0]["accesses"][0]), "operation role stack thread");
        assert_eq!(keys(&value["findings"][0]["accesses"][0]["thread"]), "ident name native_id started_at");
        assert_eq!(keys(&value["findings"][0]["accesses"][0]["stack"][0]), "file function line");
    }
}
