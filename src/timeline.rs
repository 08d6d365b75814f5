//! When the threads of this process began and ended, and the runs of loops in them: what a report tells around its findings.
//!
//! Written when a thread or a run begins or ends, which is seldom, under a lock that nothing else is done under.  The last
//! [`MOST`] that have ended are kept until a report has them.

use crate::loops::Realm;
use crate::report::model::timeline::{RunLoop, Span, Time, Timeline};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many spans are kept that have ended and that no report has.
const MOST: usize = 512;

/// What tells a loop from others, without its name: its address and that of its type.
pub type LoopId = (usize, usize);

#[derive(Debug)]
struct Open {
    began: Time,
    run: Option<Arc<RunLoop>>,
    is_told: bool,
}

#[derive(Debug)]
struct Ended {
    native_id: u64,
    /// Empty as long as the thread lives.
    thread: String,
    open: Open,
    at: Time,
}

#[derive(Debug, Default)]
struct Known {
    /// By the kernel's id of the thread: its life, or a run in it of a loop of this kind.
    open: HashMap<(u64, Option<Realm>), Open>,
    ended: VecDeque<Ended>,
    /// What each thread ran last of each kind, and what that was known by: mostly it runs it again.
    last: HashMap<(u64, Realm), (LoopId, Arc<RunLoop>)>,
    left_out: u64,
}

/// The spans of a process.
#[derive(Debug, Default)]
pub struct Spans(Mutex<Known>);

impl Known {
    /// The thread is known from now on if it was not.
    fn begin_run(&mut self, native_id: u64, realm: Realm, run: Arc<RunLoop>, now: Time) {
        self.open.entry((native_id, None)).or_insert(Open { began: now, run: None, is_told: false });
        self.open.insert((native_id, Some(realm)), Open { began: now, run: Some(run), is_told: false });
    }

    fn end(&mut self, native_id: u64, realm: Option<Realm>, at: Time) {
        let Some(open) = self.open.remove(&(native_id, realm)) else { return };
        if self.ended.len() == MOST {
            self.ended.pop_front();
            self.left_out += 1;
        }
        self.ended.push_back(Ended { native_id, thread: String::new(), open, at });
    }
}

impl Spans {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread begins to be watched.
    pub fn thread_began(&self, native_id: u64, now: Time) {
        self.known().open.insert((native_id, None), Open { began: now, run: None, is_told: false });
    }

    /// A thread ends, and whatever it runs.
    pub fn thread_ended(&self, native_id: u64, name: &str, now: Time) {
        let mut known = self.known();
        for realm in [Realm::Asyncio, Realm::Twisted, Realm::Trio] {
            known.end(native_id, Some(realm), now);
            known.last.remove(&(native_id, realm));
        }
        known.end(native_id, None, now);
        for ended in known.ended.iter_mut().filter(|ended| ended.native_id == native_id && ended.thread.is_empty()) {
            name.clone_into(&mut ended.thread);
        }
    }

    /// A thread begins to run a loop, if it is the one that it ran last; else its name is needed, and nothing is done.
    pub fn run_began_again(&self, native_id: u64, realm: Realm, id: LoopId, now: Time) -> bool {
        let mut known = self.known();
        let Some((_, run)) = known.last.get(&(native_id, realm)).filter(|(last, _)| *last == id) else { return false };
        let run = Arc::clone(run);
        known.begin_run(native_id, realm, run, now);
        true
    }

    /// A thread begins to run a loop.
    pub fn run_began(&self, native_id: u64, realm: Realm, id: LoopId, run: RunLoop, now: Time) {
        let (mut known, run) = (self.known(), Arc::new(run));
        known.last.insert((native_id, realm), (id, Arc::clone(&run)));
        known.begin_run(native_id, realm, run, now);
    }

    /// A thread runs no loop of this kind any more.
    pub fn run_ended(&self, native_id: u64, realm: Realm, now: Time) {
        self.known().end(native_id, Some(realm), now);
    }

    /// What the report does not have yet.  Threads that live have no names here.
    pub fn take_news(&self, pid: u32) -> Timeline {
        let mut known = self.known();
        let of = |native_id: u64, thread: String, open: &Open, ended: Option<Time>| Span {
            pid,
            native_id,
            thread,
            r#loop: open.run.as_deref().cloned(),
            began: open.began,
            ended,
        };
        let ended = std::mem::take(&mut known.ended);
        let mut spans: Vec<Span> = ended.into_iter().map(|one| of(one.native_id, one.thread, &one.open, Some(one.at))).collect();
        let mut open: Vec<(u64, &mut Open)> =
            known.open.iter_mut().filter(|(_, open)| !open.is_told).map(|((native_id, _), open)| (*native_id, open)).collect();
        open.sort_by_key(|(native_id, open)| (open.began, *native_id, open.run.is_some()));
        for (native_id, open) in open {
            open.is_told = true;
            spans.push(of(native_id, String::new(), open, None));
        }
        Timeline { spans, left_out: std::mem::take(&mut known.left_out) }
    }

    /// Forgets everything: a process is attached to anew, or it is the child of a fork.
    pub fn clear(&self) {
        *self.known() = Known::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news(spans: &Spans) -> Vec<(u64, Option<String>, Time, Option<Time>)> {
        let told = spans.take_news(1).spans.into_iter();
        told.map(|span| (span.native_id, span.r#loop.map(|run| run.id), span.began, span.ended)).collect()
    }

    fn run_began(spans: &Spans, native_id: u64, realm: Realm, address: usize, now: Time) {
        if !spans.run_began_again(native_id, realm, (address, 0), now) {
            let run = RunLoop { r#type: "Loop".to_owned(), id: format!("{address:#x}") };
            spans.run_began(native_id, realm, (address, 0), run, now);
        }
    }

    #[test]
    fn each_is_told_when_it_is_new_and_when_it_has_ended() {
        let spans = Spans::default();
        spans.thread_began(7, 1);
        run_began(&spans, 7, Realm::Asyncio, 1, 2);
        assert_eq!(news(&spans), [(7, None, 1, None), (7, Some("0x1".to_owned()), 2, None)]);
        assert_eq!(news(&spans), []);
        spans.run_ended(7, Realm::Asyncio, 3);
        spans.run_ended(7, Realm::Asyncio, 4);
        assert_eq!(news(&spans), [(7, Some("0x1".to_owned()), 2, Some(3))]);
        run_began(&spans, 7, Realm::Asyncio, 1, 5);
        run_began(&spans, 8, Realm::Asyncio, 2, 6);
        let loop_ = |id: &str| Some(id.to_owned());
        assert_eq!(news(&spans), [(7, loop_("0x1"), 5, None), (8, None, 6, None), (8, loop_("0x2"), 6, None)]);
    }

    #[test]
    fn a_thread_that_ends_runs_nothing() {
        let spans = Spans::default();
        spans.thread_began(7, 1);
        run_began(&spans, 7, Realm::Trio, 1, 2);
        spans.thread_ended(7, "worker", 3);
        let told = spans.take_news(1).spans;
        assert!(told.iter().all(|span| span.thread == "worker"));
        let told: Vec<_> =
            told.into_iter().map(|span| (span.native_id, span.r#loop.map(|run| run.id), span.began, span.ended)).collect();
        assert_eq!(told, [(7, Some("0x1".to_owned()), 2, Some(3)), (7, None, 1, Some(3))]);
    }

    #[test]
    fn of_threads_that_have_ended_the_last_ones_are_kept() {
        let spans = Spans::default();
        for native_id in 0..MOST as u64 + 2 {
            spans.thread_began(native_id, native_id);
            spans.thread_ended(native_id, "worker", native_id);
        }
        let told = spans.take_news(1);
        assert_eq!((told.spans.len(), told.spans[0].began, told.left_out), (MOST, 2, 2));
        spans.clear();
        assert_eq!(news(&spans), []);
    }
}
