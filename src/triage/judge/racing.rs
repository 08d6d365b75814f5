//! The other thread that was at it: the one that touched the same object or descriptor, runs the loop, or is in the same code.

use super::super::crash::{Event, Thread};
use super::super::names::paths;
use super::facts::{Facts, runs_loop};
use crate::report::Frame;

/// What an operation does to a descriptor or to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Takes,
    Gives,
    /// Ends or re-points it: in the way of everything else.
    Ends,
    /// A watched operation of an object: an object is used by one thread at a time.
    Uses,
}

/// Operations by the beginning of their name; a rule in front of one ("FT105 write") is taken off.
const EFFECTS: [(&str, Effect); 16] = [
    ("recv", Effect::Takes),
    ("readv", Effect::Takes),
    ("read", Effect::Takes),
    ("splice", Effect::Takes),
    ("send", Effect::Gives),
    ("writev", Effect::Gives),
    ("write", Effect::Gives),
    ("pwrite", Effect::Gives),
    ("close", Effect::Ends),
    ("dup2", Effect::Ends),
    ("dup3", Effect::Ends),
    ("shutdown", Effect::Ends),
    ("abort", Effect::Ends),
    ("connect", Effect::Gives),
    ("ftruncate", Effect::Gives),
    ("setsockopt", Effect::Takes),
];

/// How long before the last use another one counts as at the same time.
const AT_THE_SAME_TIME_US: u64 = 2_000_000;
/// How many of its last events say what a thread was doing when it died.
const LAST: usize = 4;
/// Objects in different threads at the same address may be different ones; calls that wait do not touch them.
const WAITS: [&str; 6] = [
    "threading.py:wait",
    "threading.py:join",
    "threading.py:acquire",
    "selectors.py:select",
    "queue.py:get",
    "threading.py:_wait_for_tstate_lock",
];

/// A second thread on what the crashing thread was using.
pub(crate) struct Race<'a> {
    pub(crate) thread: &'a Thread,
    /// What the crashing thread did to it.
    pub(crate) own: &'a Event,
    /// What the other one did.
    pub(crate) other: &'a Event,
    /// Id of a rule that either event names.
    pub(crate) rule: Option<&'a str>,
}

/// Another thread that lately used the object or descriptor that the crashing thread is at, in a way that excludes it.
pub(crate) fn on_the_same_object<'a>(facts: &Facts<'a>) -> Option<Race<'a>> {
    let own = facts.crashed?.recent.iter().take(LAST);
    own.filter_map(|own| facts.others().find_map(|thread| clash(own, thread, facts)))
        .find(|race| is_going_on(facts, race.own) || race.rule.is_some_and(|rule| facts.is_where_it_crashes(rule)))
}

/// The crashing thread has not left the function that did it: what is long done explains no crash.
fn is_going_on(facts: &Facts<'_>, own: &Event) -> bool {
    let is_there = |at: &Frame| facts.python.iter().any(|frame| frame.file == at.file && frame.function == at.function);
    own.at.as_ref().is_some_and(is_there)
}

fn clash<'a>(own: &'a Event, thread: &'a Thread, facts: &Facts<'a>) -> Option<Race<'a>> {
    let near = |other: &&Event| other.age_us.abs_diff(own.age_us) <= AT_THE_SAME_TIME_US;
    let same = |other: &Event| {
        let object = own.object != 0 && own.object == other.object;
        let descriptor = own.fd >= 0 && own.fd == other.fd && !is_reused(own, other, facts);
        (object && exclude(effect(own), effect(other), true)) || (descriptor && exclude(effect(own), effect(other), false))
    };
    let other = thread.recent.iter().filter(near).find(|other| same(other))?;
    Some(Race { thread, own, other, rule: rule_of(own).or_else(|| rule_of(other)) })
}

/// The number of the descriptor was closed in between, so that it is another file the second time.
fn is_reused(own: &Event, other: &Event, facts: &Facts<'_>) -> bool {
    const BAD_DESCRIPTOR: i64 = -9;
    let (first, second) = if other.age_us >= own.age_us { (other, own) } else { (own, other) };
    let between = |event: &&Event| event.fd == own.fd && (second.age_us..=first.age_us).contains(&event.age_us);
    let mut ends = facts.crash.threads.iter().flat_map(|thread| &thread.recent).filter(between);
    second.result != BAD_DESCRIPTOR
        && ends.any(|event| effect(event) == Some(Effect::Ends) && event.result >= 0 && !std::ptr::eq(event, second))
}

fn exclude(own: Option<Effect>, other: Option<Effect>, object: bool) -> bool {
    match (own, other) {
        (Some(Effect::Ends), Some(_)) | (Some(_), Some(Effect::Ends)) => true,
        // Full duplex: one reads while another one writes.
        (Some(Effect::Takes), Some(Effect::Gives)) | (Some(Effect::Gives), Some(Effect::Takes)) => false,
        (Some(Effect::Takes | Effect::Gives), Some(Effect::Takes | Effect::Gives)) => true,
        (Some(Effect::Uses), Some(_)) | (Some(_), Some(Effect::Uses)) => object,
        (None, _) | (_, None) => object,
    }
}

fn effect(event: &Event) -> Option<Effect> {
    let watched = rule_of(event).is_some();
    let name = event.operation.rsplit(' ').next().unwrap_or("");
    let known = EFFECTS.iter().find(|(start, _)| name.starts_with(start)).map(|(_, effect)| *effect);
    known.or(if watched { Some(Effect::Uses) } else { None })
}

fn rule_of(event: &Event) -> Option<&str> {
    let first = event.operation.split(' ').next()?;
    (first.len() == 5 && first.starts_with("FT") && first.bytes().skip(2).all(|byte| byte.is_ascii_digit())).then_some(first)
}

impl Race<'_> {
    /// What both were doing, as one line of evidence.
    pub(crate) fn told(&self) -> String {
        let what = if self.own.object != 0 && self.own.object == self.other.object {
            format!("the object at {:#x}", self.own.object)
        } else {
            format!("descriptor {}", self.own.fd)
        };
        let apart = self.other.age_us.abs_diff(self.own.age_us);
        let order = if self.other.age_us >= self.own.age_us { "before" } else { "after" };
        let place = self.other.at.as_ref().or_else(|| Facts::programs_line(&self.thread.python));
        format!(
            "{} did {} on {what}{}, {} {order} the crashing thread did {}{}",
            called(self.thread),
            self.other.operation,
            at(place),
            duration(apart),
            self.own.operation,
            at(self.own.at.as_ref()),
        )
    }
}

/// Threads that may have raced with the crashing one by what their stacks show, as lines of evidence.
pub(crate) fn by_their_stacks(facts: &Facts<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let own = Facts::programs_line(facts.python);
    let same = |stack: &[Frame]| {
        Facts::programs_line(stack).zip(own).is_some_and(|(theirs, own)| theirs.file == own.file && theirs.function == own.function)
    };
    let waits = |thread: &Thread| {
        let inner = thread.python.first();
        !thread.inside.is_empty()
            || inner.is_some_and(|frame| WAITS.iter().any(|wait| format!("{}:{}", frame.file, frame.function).ends_with(wait)))
    };
    let in_file = |stack: &[Frame]| Facts::programs_line(stack).zip(own).is_some_and(|(theirs, own)| theirs.file == own.file);
    let loop_is_elsewhere = !facts.runs_loop();
    for thread in facts.others() {
        let place = at(Facts::programs_line(&thread.python));
        let doing = if thread.inside.is_empty() { String::new() } else { format!(", inside {}", thread.inside) };
        if same(&thread.python) && !waits(thread) {
            out.push(format!("{} was in the same function{place}{doing}", called(thread)));
        } else if loop_is_elsewhere && runs_loop(thread) {
            let kind = if thread.runs_loop.is_empty() { "an event loop" } else { &thread.runs_loop };
            out.push(format!("{} runs {kind}{place}{doing}", called(thread)));
        } else if (own.is_none() || in_file(&thread.python)) && !place.is_empty() && !waits(thread) {
            // Of a generator that two threads run, one may be left without a frame.
            out.push(format!("{} was{place}", called(thread)));
        }
    }
    out.truncate(6);
    out
}

/// The threads named in lines of evidence, for a report that shows their stacks.
pub(crate) fn named<'a>(facts: &Facts<'a>, evidence: &[String]) -> Vec<&'a Thread> {
    facts.others().filter(|thread| evidence.iter().any(|line| line.starts_with(&called(thread)))).collect()
}

/// "thread 'worker' (native id 7)".
pub(crate) fn called(thread: &Thread) -> String {
    match (thread.name.as_str(), thread.native_id) {
        ("", 0) => "a thread without a name".to_owned(),
        ("", id) => format!("thread {id}"),
        (name, 0) => format!("thread '{name}'"),
        (name, id) => format!("thread '{name}' (native id {id})"),
    }
}

/// " at file:line in function", or nothing.
pub(crate) fn at(frame: Option<&Frame>) -> String {
    frame.map_or_else(String::new, |frame| match (frame.file.as_str(), frame.line) {
        ("", _) => format!(" at {}", frame.function),
        (file, 0) => format!(" at {file} in {}", frame.function),
        (file, line) => format!(" at {file}:{line} in {}", frame.function),
    })
}

fn duration(microseconds: u64) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} us"),
        1_000..1_000_000 => format!("{} ms", microseconds / 1_000),
        _ => format!("{:.1} s", microseconds as f64 / 1e6),
    }
}

/// Whether a source file is one of a library whose connections belong to one thread.
pub(crate) fn is_transport(frame: &Frame) -> bool {
    const FILES: [&str; 4] = ["asyncio/selector_events.py", "asyncio/sslproto.py", "asyncio/streams.py", "asyncio/unix_events.py"];
    FILES.iter().any(|file| frame.file.ends_with(file)) || paths::distribution(&frame.file) == Some("asyncpg")
}

#[cfg(test)]
mod tests {
    use super::super::super::crash::Crash;
    use super::*;

    fn event(operation: &str, fd: i32, object: u64, age_us: u64) -> Event {
        let at = Some(Frame { file: "/app/w.py".to_owned(), line: 9, function: "beat".to_owned(), ..Frame::default() });
        Event { operation: operation.to_owned(), fd, object, result: 0, age_us, at }
    }

    fn race(own: Event, other: Event) -> Option<String> {
        race_at(vec![own], vec![other], "beat")
    }

    /// Where the crashing thread is in `function` when it dies.
    fn race_at(own: Vec<Event>, other: Vec<Event>, function: &str) -> Option<String> {
        let at = Frame { file: "/app/w.py".to_owned(), line: 10, function: function.to_owned(), ..Frame::default() };
        let threads = vec![
            Thread { crashed: true, recent: own, python: vec![at], ..Thread::default() },
            Thread { name: "heartbeat".to_owned(), native_id: 7, recent: other, ..Thread::default() },
        ];
        let crash = Crash { threads, ..Crash::default() };
        on_the_same_object(&Facts::new(&crash)).map(|race| race.told())
    }

    #[test]
    fn two_writers_of_a_descriptor_race() {
        let told = race(event("send", 5, 0, 10), event("FT105 write", 5, 0, 40)).unwrap();
        let expected = "thread 'heartbeat' (native id 7) did FT105 write on descriptor 5 at /app/w.py:9 in beat, 30 us before";
        assert!(told.starts_with(expected), "{told}");
        assert!(race(event("close", 5, 0, 0), event("send", 5, 0, 1_999)).is_some());
        let failed = Event { result: -9, ..event("send", 5, 0, 0) };
        assert!(race(failed, event("close", 5, 0, 1_999)).is_some());
        assert!(race(event("FT101 call_later", -1, 0x10, 0), event("FT101 call_soon", -1, 0x10, 5)).is_some());
    }

    #[test]
    fn full_duplex_other_descriptors_and_old_uses_do_not() {
        assert!(race(event("send", 5, 0, 0), event("recv", 5, 0, 1)).is_none());
        assert!(race(event("send", 5, 0, 0), event("send", 6, 0, 1)).is_none());
        assert!(race(event("send", 5, 0, 0), event("send", 5, 0, 9_000_000)).is_none());
        assert!(race(event("send", -1, 0, 0), event("send", -1, 0, 0)).is_none());
        assert!(race(event("epoll_wait", 5, 0, 0), event("epoll_wait", 5, 0, 0)).is_none());
    }

    #[test]
    fn the_next_file_of_a_number_is_another_one() {
        // Two threads import, one after the other: each opens its file as descriptor 3.
        assert!(race(event("close", 5, 0, 0), event("close", 5, 0, 900)).is_none());
        assert!(race(event("send", 5, 0, 0), event("close", 5, 0, 900)).is_none());
        let closes = |result| vec![Event { result, ..event("close", 5, 0, 100) }, event("send", 5, 0, 900)];
        assert!(race_at(vec![event("send", 5, 0, 0)], closes(0), "beat").is_none());
        assert!(race_at(vec![event("send", 5, 0, 0)], closes(-9), "beat").is_some());
        let other = |fd, age| vec![event("close", fd, 0, age), event("send", 5, 0, 900)];
        assert!(race_at(vec![event("send", 5, 0, 0)], other(6, 100), "beat").is_some(), "of another number");
        let sends = || vec![event("send", 5, 0, 50)];
        assert!(race_at(sends(), vec![event("send", 5, 0, 900), event("close", 5, 0, 5_000_000)], "beat").is_some(), "before both");
    }

    #[test]
    fn what_the_crashing_thread_has_done_with_does_not() {
        let events = || (vec![event("FT105 write", 5, 0, 10)], vec![event("FT105 write", 5, 0, 40)]);
        assert!(race_at(events().0, events().1, "beat").is_some());
        assert!(race_at(events().0, events().1, "elsewhere").is_none());
    }

    #[test]
    fn a_rule_is_two_letters_and_three_digits() {
        let rule = |operation: &str| rule_of(&event(operation, 5, 0, 1)).map(str::to_owned);
        assert_eq!(rule("FT105 write").as_deref(), Some("FT105"));
        assert_eq!(["FTPUT x", "FT1 write", "XY105 write", "FT1050 x", "send"].map(rule), [const { None }; 5]);
    }

    #[test]
    fn who_waits_in_the_same_function_does_nothing_there() {
        let frame = |file: &str, function: &str| Frame {
            file: file.to_owned(),
            line: 10,
            function: function.to_owned(),
            ..Frame::default()
        };
        let own = || frame("/app/w.py", "beat");
        let told = |other: Vec<Frame>| {
            let thread = Thread { name: "other".to_owned(), native_id: 7, python: other, ..Thread::default() };
            let threads = vec![Thread { crashed: true, python: vec![own()], ..Thread::default() }, thread];
            by_their_stacks(&Facts::new(&Crash { threads, ..Crash::default() }))
        };
        assert_eq!(told(vec![own()]), ["thread 'other' (native id 7) was in the same function at /app/w.py:10 in beat"]);
        assert_eq!(told(vec![frame("/usr/lib/python3.14t/threading.py", "wait"), own()]), [] as [&str; 0]);
        assert_eq!(told(vec![frame("/app/w.py", "stop")]), ["thread 'other' (native id 7) was at /app/w.py:10 in stop"]);
        assert_eq!(told(vec![frame("/app/other.py", "beat")]), [] as [&str; 0]);
    }

    #[test]
    fn time_is_told_in_the_unit_that_fits() {
        assert_eq!(
            [0, 999, 1_000, 999_999, 1_000_000, 1_550_000].map(duration),
            ["0 us", "999 us", "1 ms", "999 ms", "1.0 s", "1.6 s"]
        );
    }

    #[test]
    fn what_was_used_and_in_which_order_is_told() {
        let told = |own: Event, other: Event| race(own, other).unwrap();
        let after = told(event("send", 5, 0x20, 40), event("send", 5, 0x30, 10));
        assert!(after.contains(" on descriptor 5 at /app/w.py:9 in beat, 30 us after the crashing thread did send"), "{after}");
        let object = told(event("FT101 call_later", 5, 0x10, 0), event("FT101 call_soon", 5, 0x10, 5));
        assert!(object.contains(" on the object at 0x10 at "), "{object}");
    }

    #[test]
    fn a_close_that_failed_ends_nothing() {
        let closes = |result| vec![Event { result, ..event("close", 5, 0, 100) }, event("send", 5, 0, 900)];
        let sends = |result| vec![Event { result, ..event("send", 5, 0, 0) }];
        assert!(race_at(sends(0), closes(0), "beat").is_none());
        assert!(race_at(sends(0), closes(-1), "beat").is_some());
        assert!(race_at(sends(-9), closes(0), "beat").is_some(), "it was closed, and used all the same");
    }

    #[test]
    fn connections_belong_to_one_thread() {
        let frame = |file: &str| Frame { file: file.to_owned(), ..Frame::default() };
        for file in ["/usr/lib/python3.14t/asyncio/selector_events.py", "/v/site-packages/asyncpg/connection.py"] {
            assert!(is_transport(&frame(file)), "{file}");
        }
        for file in ["/usr/lib/python3.14t/asyncio/events.py", "/v/site-packages/other/connection.py", "/app/streams.py"] {
            assert!(!is_transport(&frame(file)), "{file}");
        }
    }
}
