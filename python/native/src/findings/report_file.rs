//! The report that the findings of this process go to, with those of the other processes of the tree.

use crate::thread::hooks_link;
use ftsan::report::Watched;
use ftsan::report::model::tree::News;
use ftsan::report::store::journal::{self, Journal};
use ftsan::rules::Severity;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

/// This process's part in the report.
pub(super) struct ReportFile {
    journal: Journal,
    /// What was said of the process as a whole.
    pub(super) watched: Watched,
    /// Where and how Python runs was said.
    pub(super) is_introduced: bool,
    /// Something was found.
    pub(super) has_found: bool,
    /// Not written yet, because that failed.
    pending: VecDeque<News>,
    trouble_told: bool,
    /// How many serious findings were pending when they were last counted.
    lost: u64,
}

/// How many findings are not in the report, that change the exit status.
pub(super) struct Lost {
    pub(super) before: u64,
    pub(super) as_of_now: u64,
}

impl ReportFile {
    pub(super) fn at(path: &Path) -> Self {
        ReportFile::of(Journal::of(path))
    }

    fn of(journal: Journal) -> Self {
        ReportFile {
            journal,
            watched: Watched::default(),
            is_introduced: false,
            has_found: false,
            pending: VecDeque::new(),
            trouble_told: false,
            lost: 0,
        }
    }

    /// Nothing is written any more.
    pub(super) fn close(&mut self) {
        *self = ReportFile::at(self.journal.report());
    }

    /// The same for the child of a fork, which has nothing to say yet.
    pub(super) fn after_fork(&self) -> Self {
        ReportFile::of(self.journal.after_fork())
    }

    /// Writes news, and what could not be written before.  Returns a line for stderr if that fails for the first time.
    pub(super) fn write(&mut self, news: News) -> Option<String> {
        let _paused = hooks_link::Paused::begin();
        self.pending.push_back(news);
        let written = self.write_pending().and_then(|()| self.journal.fold_if_due());
        self.trouble(written)
    }

    fn write_pending(&mut self) -> io::Result<()> {
        while let Some(news) = self.pending.front() {
            self.journal.append(news)?;
            self.pending.pop_front();
        }
        Ok(())
    }

    /// How many findings could not be written, since the last time and now.
    pub(super) fn count_lost(&mut self) -> Lost {
        let findings = self.pending.iter().flat_map(|news| &news.report.findings);
        let as_of_now = findings.filter(|finding| finding.severity > Severity::Info).count() as u64;
        Lost { before: std::mem::replace(&mut self.lost, as_of_now), as_of_now }
    }

    /// Brings the report's file up to date with the journal.
    pub(super) fn fold(&mut self) -> Option<String> {
        let _paused = hooks_link::Paused::begin();
        let folded = journal::fold(self.journal.report());
        self.trouble(folded)
    }

    fn trouble(&mut self, done: io::Result<()>) -> Option<String> {
        let error = done.err()?;
        let path: PathBuf = self.journal.report().to_owned();
        let is_first = !std::mem::replace(&mut self.trouble_told, true);
        is_first.then(|| format!("ftsan: cannot write the report {}: {error}; findings are kept and tried again\n", path.display()))
    }
}
