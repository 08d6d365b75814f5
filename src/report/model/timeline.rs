//! When threads lived and ran loops, in processes in which something was found.
//!
//! Times are microseconds since 1970, and do not go back within a process: the clock of the wall is read once, when the process begins to
//! be watched, and from then on a monotonic one.  No access is timed: a thread's begin is when it first did something that is watched.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Microseconds since 1970.
pub type Time = u64;

/// How many spans a report has at most.
pub const MOST: usize = 4096;

/// When a finding was made, and in which process: that of the threads that its accesses name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// When.
    pub at: Time,
    /// The process, as its own machine numbers it.
    pub pid: u32,
}

/// A loop that a thread ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunLoop {
    /// Name of its type.
    pub r#type: String,
    /// `id()` in hexadecimal.
    pub id: String,
}

/// The life of a thread, or a run of a loop in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The process.
    pub pid: u32,
    /// The kernel's id of the thread.
    pub native_id: u64,
    /// The thread's name as the kernel has it: 15 bytes of it.
    pub thread: String,
    /// The loop, if it is a run of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#loop: Option<RunLoop>,
    /// When it began.
    pub began: Time,
    /// When it ended; not there if it had not when the process last said something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
}

/// The spans of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// Each once.
    pub spans: Vec<Span>,
    /// How many more there were.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Timeline {
    /// Whether there is nothing to be said.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.left_out == 0
    }
}

/// A timeline that others are added to.
#[derive(Debug)]
pub(super) struct Growing {
    timeline: Timeline,
    /// Where the spans are that have not ended.
    open: HashMap<(u32, u64, Time, Option<String>), usize>,
}

fn key(span: &Span) -> (u32, u64, Time, Option<String>) {
    (span.pid, span.native_id, span.began, span.r#loop.as_ref().map(|run| run.id.clone()))
}

impl Growing {
    pub(super) fn new(timeline: Timeline) -> Self {
        let open = timeline.spans.iter().enumerate().filter(|(_, span)| span.ended.is_none());
        let open = open.map(|(at, span)| (key(span), at)).collect();
        Growing { timeline, open }
    }

    /// Adds what a process says: a span comes again when it has ended.
    pub(super) fn add(&mut self, news: Timeline) {
        self.timeline.left_out += news.left_out;
        for span in news.spans {
            let (key, has_ended) = (key(&span), span.ended.is_some());
            if let Some(&at) = self.open.get(&key) {
                self.timeline.spans[at] = span;
                if has_ended {
                    self.open.remove(&key);
                }
            } else if self.timeline.spans.len() < MOST {
                if !has_ended {
                    self.open.insert(key, self.timeline.spans.len());
                }
                self.timeline.spans.push(span);
            } else if has_ended {
                // One that has not is counted when it has.
                self.timeline.left_out += 1;
            }
        }
    }

    pub(super) fn finish(self) -> Timeline {
        self.timeline
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(native_id: u64, ended: Option<Time>) -> Span {
        Span { pid: 1, native_id, thread: "worker".to_owned(), r#loop: None, began: 5, ended }
    }

    fn grown(all: Vec<Vec<Span>>) -> Timeline {
        let mut growing = Growing::new(Timeline::default());
        all.into_iter().for_each(|spans| growing.add(Timeline { spans, left_out: 0 }));
        growing.finish()
    }

    #[test]
    fn a_span_that_is_told_again_has_ended() {
        let run = Span { r#loop: Some(RunLoop { r#type: "Loop".to_owned(), id: "0x10".to_owned() }), ..span(7, None) };
        let all = grown(vec![vec![span(7, None), run.clone()], vec![span(8, Some(6))], vec![span(7, Some(9))]]);
        assert_eq!(all.spans, [span(7, Some(9)), run, span(8, Some(6))]);
    }

    #[test]
    fn a_report_has_so_many_and_counts_the_others() {
        let many = (0..MOST as u64 + 3).map(|native_id| span(native_id, Some(9))).collect();
        let all = grown(vec![many]);
        assert_eq!((all.spans.len(), all.left_out), (MOST, 3));
    }

    #[test]
    fn what_was_left_out_adds_up_and_is_something_to_say() {
        let mut growing = Growing::new(Timeline { spans: Vec::new(), left_out: 2 });
        growing.add(Timeline { spans: Vec::new(), left_out: 3 });
        let all = growing.finish();
        assert_eq!(all.left_out, 5);
        let only_spans = Timeline { spans: vec![span(7, None)], left_out: 0 };
        assert_eq!([&all, &only_spans, &Timeline::default()].map(Timeline::is_empty), [false, false, true]);
        assert!(!serde_json::to_string(&only_spans).unwrap().contains("left_out"), "nothing was");
    }
}
