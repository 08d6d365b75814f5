//! Renderers: one file per format, and the table that is all that knows them.
//!
//! To add one: a file with a `write`, and its row in [`FORMATS`].  `ftsan report --to`, its help and the options `--report-<name>` of those
//! with a file of their own come from the table or are compared with it in a test.

use crate::report::model::tree::Report;
use std::io::{self, Write};

pub mod chrome;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
mod paths;
pub mod sarif;
pub mod text;

/// A format that a report can be shown in.
#[derive(Debug)]
pub struct Format {
    /// What it is asked for by.
    pub name: &'static str,
    /// What it is, for the help.
    pub what: &'static str,
    /// Whether `ftsan run` writes it at the end, as `--report-<name>` asks for.
    pub at_the_end: bool,
    /// Writes a report.
    pub write: fn(&Report, &mut dyn Write) -> io::Result<()>,
}

/// Every format.
pub static FORMATS: &[Format] = &[
    Format { name: "json", what: "the report itself", at_the_end: false, write: |report, out| json::write(report, out) },
    Format { name: "text", what: "as it is printed, with the summary", at_the_end: false, write: text::write },
    Format { name: "sarif", what: "SARIF 2.1.0, for code scanning", at_the_end: true, write: sarif::write },
    Format { name: "junit", what: "JUnit XML: a failed test case for each finding", at_the_end: true, write: junit::write },
    Format { name: "html", what: "one page for a browser, with nothing beside it", at_the_end: true, write: html::write },
    Format {
        name: "github",
        what: "workflow commands of GitHub Actions, which become annotations",
        at_the_end: false,
        write: github::write,
    },
    Format {
        name: "chrome",
        what: "a trace for https://ui.perfetto.dev: threads, loops and findings in time",
        at_the_end: false,
        write: chrome::write,
    },
];

/// The format of this name.
pub fn find(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::OPTIONS;
    use crate::report::model::tree::samples;

    #[test]
    fn formats_that_are_written_at_the_end_have_an_option() {
        let options = OPTIONS.iter().filter(|spec| spec.value == "FILE").filter_map(|spec| spec.key.strip_prefix("report_"));
        let formats = FORMATS.iter().filter(|format| format.at_the_end).map(|format| format.name);
        assert_eq!(options.filter(|name| *name != "json").collect::<Vec<_>>(), formats.collect::<Vec<_>>());
    }

    #[test]
    fn every_format_says_what_was_found() {
        for format in FORMATS {
            let mut out = Vec::new();
            (format.write)(&samples::news().report, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                text.contains("FT101") && text.contains("thread 'worker'") || text.contains("thread &#39;worker&#39;"),
                "{text}"
            );
            assert!(text.ends_with('\n'), "{}", format.name);
        }
    }

    #[test]
    fn a_format_is_found_by_its_name() {
        assert_eq!(["sarif", "text"].map(|name| find(name).unwrap().name), ["sarif", "text"]);
        assert!(find("pdf").is_none());
    }
}
