//! The baseline at the end of a run: says what is gone from it, takes that out, or writes a new one.

use crate::thread::hooks_link;
use ftsan::options::Options;
use ftsan::report::model::baseline::Baseline;
use ftsan::report::{Means, Report};
use std::fmt::Write as _;
use std::io;
use std::path::Path;

/// How many of what is gone are named.
const NAMED: usize = 20;

/// What a run has to say of its baseline.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) text: String,
    /// All that was found is known from now on.
    pub(super) is_written: bool,
    /// It is to be said even if nobody sits at a terminal.
    pub(super) is_news: bool,
}

/// Does as the options say.  `is_whole`: the report has all that happened, and everything was watched that was to be.  If not, nothing is
/// gone, for all one knows.
pub(super) fn apply(report: &Report, options: &Options, is_whole: bool) -> Told {
    let mut told = Told::default();
    if let Some(path) = &options.baseline {
        told.compare(path, report, options.update_baseline, is_whole);
    }
    if let Some(path) = &options.write_baseline {
        let baseline = Baseline::of(report);
        let of_them = format!("{} to the baseline", count(baseline.len(), "finding"));
        told.is_written = told.write(path, &baseline, &format!("wrote {of_them}"));
    }
    told
}

impl Told {
    fn compare(&mut self, path: &Path, report: &Report, is_update: bool, is_whole: bool) {
        let by_baseline =
            |finding: &&ftsan::report::Finding| finding.accepted.as_ref().is_some_and(|why| why.by == Means::Baseline);
        let known = report.accepted.iter().filter(by_baseline).count();
        if known > 0 {
            self.say(format_args!("{} in the baseline {}", count(known, "known finding"), path.display()));
        }
        let baseline = match Baseline::load(path) {
            Ok(baseline) => baseline,
            Err(error) => {
                self.is_news = true;
                return self.say(format_args!("{error}"));
            }
        };
        let gone = if is_whole { baseline.gone(report) } else { Vec::new() };
        if gone.is_empty() {
            return;
        }
        self.is_news = true;
        for known in gone.iter().take(NAMED) {
            self.say(format_args!("gone from the baseline: {} at {} ({})", known.rule, known.r#where, known.fingerprint));
        }
        if gone.len() > NAMED {
            self.say(format_args!("and {} more", gone.len() - NAMED));
        }
        if is_update {
            self.write(path, &baseline.without(&gone), &format!("took {} out of the baseline", count(gone.len(), "finding")));
        } else {
            self.say(format_args!("--update-baseline takes {} out of {}", count(gone.len(), "finding"), path.display()));
        }
    }

    fn write(&mut self, path: &Path, baseline: &Baseline, done: &str) -> bool {
        let written: io::Result<()> = {
            let _paused = hooks_link::Paused::begin();
            baseline.write(path)
        };
        self.is_news = true;
        match &written {
            Ok(()) => self.say(format_args!("{done} {}", path.display())),
            Err(error) => self.say(format_args!("cannot write the baseline {}: {error}", path.display())),
        }
        written.is_ok()
    }

    fn say(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "ftsan: {line}").expect("writing to a String does not fail");
    }
}

fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
