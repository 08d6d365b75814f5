//! A recording back from its bytes, whatever they are: a process that was killed in the middle of a word, a file that was cut, noise.

use super::operation::{FIRST_WATCHED, Operation};
use super::sites::layout;
use super::{CrashNotes, EVENTS, Event, GROUP, MAGIC, NOTES, PENDING, Recording, SIZE, STACK, THREADS, ThreadRecord, VERSION};
use crate::report::Frame;
use crate::triage::crash;
use std::mem::offset_of;

/// What a recording says.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Process id.
    pub pid: u32,
    /// What the crash handler left, if it ran.
    pub died: Option<Died>,
    /// How often it was asked what it is doing, and 1 more; 0 if it cannot be asked.
    pub looks: u32,
    /// Threads that were alive, with their events; the crashed one is not marked.
    pub threads: Vec<crash::Thread>,
}

/// What the crash handler left.
#[derive(Debug, Default)]
pub struct Died {
    /// It was only looked at: it has not died.
    pub lives: bool,
    /// Number of the signal.
    pub signal: i32,
    /// Address that was accessed.
    pub address: u64,
    /// The kernel's id of the thread.
    pub native_id: u64,
    /// `si_code`: above 0 if the kernel found something wrong, else somebody sent the signal.
    pub code: i32,
    /// Process id of whoever sent it.
    pub sender: u32,
    /// Program counter, stack pointer, frame pointer and link register of the thread.
    pub at: [u64; 4],
    /// Where the words on its stack begin: at the stack pointer or, where nothing can be read, further out.
    pub stack_start: u64,
    /// The words on its stack.
    pub stack: Vec<u64>,
    /// The handler's steps that did not come to their end: a bit each.
    pub failed_steps: u32,
    /// Stacks of Python code by the kernel's id of the thread.
    pub python: Vec<(u64, Vec<Frame>)>,
    /// What threads wait for and hold, by the kernel's id of the thread.
    pub locks: Vec<(u64, Waiting)>,
    /// Of which object threads call a method, by the kernel's id of the thread.
    pub calls: Vec<(u64, crash::Called)>,
    /// For which objects the functions of threads have names, by the kernel's id of the thread.
    pub uses: Vec<(u64, crash::Called)>,
    /// Files in memory: start, end, offset in the file, path.
    pub maps: Vec<(u64, u64, u64, String)>,
}

/// A line about what a thread waits for or holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// It waits for what is at this address.
    For(u64),
    /// Others wait for its end by what is at this address.
    Handle(u64),
    /// It holds the lock at this address, acquired there.
    Holds(u64, Vec<Frame>),
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn u32(&self, at: usize) -> u32 {
        let bytes = self.0.get(at..at.saturating_add(4)).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_le_bytes)
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from(self.u32(at)) | u64::from(self.u32(at.saturating_add(4))) << 32
    }

    /// A text of the tables.
    fn text(&self, reference: u64) -> String {
        let start = (SITES + layout::TEXT).saturating_add((reference >> 32) as usize);
        let bytes = self.0.get(start..start.saturating_add(reference as u32 as usize)).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    fn site(&self, site: u32) -> Option<Frame> {
        let at = SITES + layout::SITES + (site as usize).checked_sub(1)?.checked_mul(layout::SITE)?;
        if at + layout::SITE > SITES + layout::TEXT || self.u32(at + layout::SITE_STATE) != layout::READY {
            return None;
        }
        let text = |offset: usize| self.text(self.u64(at + offset));
        Some(Frame {
            file: text(layout::SITE_FILE),
            line: self.u32(at + layout::SITE_LINE),
            function: text(layout::SITE_FUNCTION),
            ..Frame::default()
        })
    }

    fn operation(&self, operation: Operation) -> String {
        match operation.call() {
            Some(name) => name.to_owned(),
            None => {
                let at = operation.0.saturating_sub(FIRST_WATCHED) as usize;
                self.text(self.u64(SITES + layout::OPERATIONS + at.saturating_mul(8)))
            }
        }
    }
}

const SITES: usize = offset_of!(Recording, sites);

/// Reads a recording.
///
/// # Errors
/// It is none, or of another version; one line.
pub fn read(bytes: &[u8]) -> Result<Recorded, String> {
    let bytes = Bytes(bytes);
    if bytes.u64(offset_of!(Recording, magic)) != MAGIC || bytes.0.len() != SIZE {
        return Err("not a recording of ftsan".to_owned());
    }
    if bytes.u32(offset_of!(Recording, version)) != VERSION {
        return Err("a recording of another version of ftsan".to_owned());
    }
    let died = died(&bytes);
    let ticks = u64::from(bytes.u32(offset_of!(Recording, ticks_per_us)).max(1));
    let records = (0..THREADS).map(|place| offset_of!(Recording, threads) + place * size_of::<ThreadRecord>());
    let alive: Vec<usize> = records.filter(|at| bytes.u32(at + offset_of!(ThreadRecord, state)) == super::LIVE).collect();
    let newest = alive.iter().flat_map(|at| stamps(&bytes, *at)).max().unwrap_or_default();
    let threads = alive.into_iter().map(|at| thread(&bytes, at, newest, ticks, died.as_ref())).collect();
    let looks = bytes.u32(offset_of!(Recording, crash) + offset_of!(CrashNotes, looks));
    Ok(Recorded { pid: bytes.u32(offset_of!(Recording, pid)), looks, died, threads })
}

/// Places of a thread's events and of their times, newest first.
fn events(record: usize, bytes: &Bytes<'_>) -> impl Iterator<Item = (usize, usize)> {
    let next = bytes.u64(record + offset_of!(ThreadRecord, next));
    let count = next.min(EVENTS as u64);
    let slots = (0..count).map(move |age| (next.wrapping_sub(1 + age) % EVENTS as u64) as usize);
    let (events, stamps) = (record + offset_of!(ThreadRecord, events), record + offset_of!(ThreadRecord, stamps));
    slots.map(move |slot| (events + slot * size_of::<Event>(), stamps + slot / GROUP * size_of::<u64>()))
}

fn stamps(bytes: &Bytes<'_>, record: usize) -> Vec<u64> {
    events(record, bytes).map(|(_, stamp)| bytes.u64(stamp)).collect()
}

fn thread(bytes: &Bytes<'_>, record: usize, newest: u64, ticks: u64, died: Option<&Died>) -> crash::Thread {
    let native_id = bytes.u64(record + offset_of!(ThreadRecord, native_id));
    let at = record + offset_of!(ThreadRecord, name);
    let name = bytes.0.get(at..at + 16).unwrap_or_default().split(|byte| *byte == 0).next().unwrap_or_default();
    let recent: Vec<crash::Event> = events(record, bytes).map(|place| event(bytes, place, newest, ticks)).collect();
    let inside = recent.first().filter(|event| event.result == i64::from(PENDING));
    let inside = inside.map_or_else(String::new, |event| {
        if event.fd >= 0 && !matches!(event.operation.as_str(), "poll" | "select") {
            format!("{}(fd {})", event.operation, event.fd)
        } else {
            format!("{}()", event.operation)
        }
    });
    let loop_ = bytes.u64(record + offset_of!(ThreadRecord, runs_loop));
    let python = died.and_then(|died| died.python.iter().find(|(id, _)| *id == native_id));
    let python = python.map(|(_, frames)| frames.clone());
    crash::Thread {
        name: String::from_utf8_lossy(name).into_owned(),
        native_id,
        runs_loop: if loop_ == 0 { String::new() } else { format!("loop at {loop_:#x}") },
        inside,
        // Without a handler's notes: where it was when it did the last thing that is known.
        python: python.unwrap_or_else(|| recent.iter().find_map(|event| event.at.clone()).into_iter().collect()),
        recent,
        ..crash::Thread::default()
    }
}

fn event(bytes: &Bytes<'_>, (at, stamp): (usize, usize), newest: u64, ticks: u64) -> crash::Event {
    let what = bytes.u64(at + offset_of!(Event, what));
    let operation = Operation((what >> 32) as u32);
    // Of a call on a descriptor, nothing was written here.
    let has_object = operation.0 >= FIRST_WATCHED;
    crash::Event {
        operation: bytes.operation(operation),
        fd: what as u32 as i32,
        object: if has_object { bytes.u64(at + offset_of!(Event, object)) } else { 0 },
        result: i64::from(bytes.u32(at + offset_of!(Event, outcome) + 4) as i32),
        age_us: newest.saturating_sub(bytes.u64(stamp)) / ticks,
        at: bytes.site(bytes.u32(at + offset_of!(Event, outcome))),
    }
}

fn died(bytes: &Bytes<'_>) -> Option<Died> {
    let base = offset_of!(Recording, crash);
    if bytes.u32(base + offset_of!(CrashNotes, state)) == 0 {
        return None;
    }
    let count = |at: usize, most: usize| usize::try_from(bytes.u64(base + at)).unwrap_or(most).min(most);
    let notes = base + offset_of!(CrashNotes, notes);
    let notes = notes..notes + count(offset_of!(CrashNotes, notes_used), NOTES);
    let notes = String::from_utf8_lossy(bytes.0.get(notes).unwrap_or_default());
    let words = |at: usize, count: usize| (0..count).map(move |i| bytes.u64(base + at + i * 8));
    let all_called = |what| section(&notes, "[calls]").lines().filter_map(|line| called(line, what)).collect();
    let mut at = [0; 4];
    at.iter_mut().zip(words(offset_of!(CrashNotes, at), 4)).for_each(|(slot, word)| *slot = word);
    Some(Died {
        lives: bytes.u32(base + offset_of!(CrashNotes, state)) == 3,
        signal: bytes.u32(base + offset_of!(CrashNotes, signal)) as i32,
        code: bytes.u32(base + offset_of!(CrashNotes, code)) as i32,
        sender: bytes.u32(base + offset_of!(CrashNotes, sender)),
        address: bytes.u64(base + offset_of!(CrashNotes, address)),
        native_id: bytes.u64(base + offset_of!(CrashNotes, native_id)),
        at,
        stack_start: bytes.u64(base + offset_of!(CrashNotes, stack_start)),
        stack: words(offset_of!(CrashNotes, stack), count(offset_of!(CrashNotes, stack_used), STACK)).collect(),
        failed_steps: bytes.u32(base + offset_of!(CrashNotes, failed_steps)),
        locks: locks(&section(&notes, "[locks]")),
        calls: all_called("calls"),
        uses: all_called("uses"),
        python: stacks(&section(&notes, "[python]")),
        maps: section(&notes, "[maps]").lines().filter_map(mapping).collect(),
    })
}

/// The lines after a heading.  A step that crashed may have left a line without an end.
fn section(notes: &str, heading: &str) -> String {
    let mut inside = false;
    let lines = notes.lines().filter(|line| {
        if line.starts_with('[') {
            inside = *line == heading;
        }
        inside
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `thread NATIVE_ID` and lines of `FILE<tab>LINE<tab>FUNCTION`.
fn stacks(notes: &str) -> Vec<(u64, Vec<Frame>)> {
    let mut stacks: Vec<(u64, Vec<Frame>)> = Vec::new();
    for line in notes.lines() {
        if let Some(id) = line.strip_prefix("thread ") {
            stacks.push((id.parse().unwrap_or(0), Vec::new()));
        } else if let (Some((_, frames)), Some(frame)) = (stacks.last_mut(), frame(line)) {
            frames.push(frame);
        }
    }
    stacks
}

fn frame(line: &str) -> Option<Frame> {
    let [file, number, function] = line.split('\t').collect::<Vec<_>>()[..] else { return None };
    Some(Frame { file: file.to_owned(), line: number.parse().unwrap_or(0), function: function.to_owned(), ..Frame::default() })
}

/// `waits THREAD ADDRESS`, `handle THREAD ADDRESS`, `holds THREAD ADDRESS` and frames.
fn locks(notes: &str) -> Vec<(u64, Waiting)> {
    let mut all: Vec<(u64, Waiting)> = Vec::new();
    for line in notes.lines() {
        if let (Some((_, Waiting::Holds(_, frames))), Some(frame)) = (all.last_mut(), frame(line)) {
            frames.push(frame);
        } else if let [what, thread, address] = line.split(' ').collect::<Vec<_>>()[..]
            && let (Ok(thread), Ok(address)) = (thread.parse(), address.parse())
        {
            match what {
                "waits" => all.push((thread, Waiting::For(address))),
                "handle" => all.push((thread, Waiting::Handle(address))),
                "holds" => all.push((thread, Waiting::Holds(address, Vec::new()))),
                _ => {}
            }
        }
    }
    all
}

/// `calls THREAD ADDRESS CLASS`, or with another word in front.
fn called(line: &str, what: &str) -> Option<(u64, crash::Called)> {
    let [first, thread, object, class] = line.split(' ').collect::<Vec<_>>()[..] else { return None };
    (first == what).then_some(())?;
    Some((thread.parse().ok()?, crash::Called { object: object.parse().ok()?, class: class.to_owned() }))
}

/// A line of `/proc/self/maps`, if a file is mapped there.
fn mapping(line: &str) -> Option<(u64, u64, u64, String)> {
    let mut words = line.splitn(6, ' ');
    let (start, end) = words.next()?.split_once('-')?;
    let offset = words.nth(1)?;
    let path = words.nth(2)?.trim_start();
    let hexadecimal = |text: &str| u64::from_str_radix(text, 16).ok();
    path.starts_with('/').then_some(())?;
    Some((hexadecimal(start)?, hexadecimal(end)?, hexadecimal(offset)?, path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_no_recording() {
        assert!(read(b"").is_err());
        assert!(read(&[0; 4096]).is_err());
        assert!(read(&vec![0xFF; SIZE]).is_err());
    }

    #[test]
    fn any_bytes_behind_a_head_are_read_without_a_panic() {
        let mut bytes: Vec<u8> = (0..SIZE).map(|at| (at.wrapping_mul(2_654_435_761) >> 7) as u8).collect();
        bytes[..8].copy_from_slice(&MAGIC.to_le_bytes());
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        for place in 0..THREADS {
            let at = offset_of!(Recording, threads) + place * size_of::<ThreadRecord>() + offset_of!(ThreadRecord, state);
            bytes[at..at + 4].copy_from_slice(&super::super::LIVE.to_le_bytes());
        }
        assert_eq!(read(&bytes).unwrap().threads.len(), THREADS);
    }

    #[test]
    fn sections_are_told_apart_in_any_order() {
        let notes = "[maps]\na\nb\n[python]\nthread 1\ncut\n[maps]\nc\n";
        assert_eq!(section(notes, "[maps]"), "[maps]\na\nb\n[maps]\nc");
        assert_eq!(section(notes, "[python]"), "[python]\nthread 1\ncut");
    }

    #[test]
    fn what_threads_wait_for_is_read_back() {
        let notes = "waits 7 64\nholds 7 128\n/x.py\t3\tf\nhandle 8 256\nholds 8\nnoise 1 2\n";
        let at = Frame { file: "/x.py".to_owned(), line: 3, function: "f".to_owned(), ..Frame::default() };
        let expected = [(7, Waiting::For(64)), (7, Waiting::Holds(128, vec![at])), (8, Waiting::Handle(256))];
        assert_eq!(locks(notes), expected);
    }

    #[test]
    fn what_threads_call_is_read_back() {
        let read = |line| called(line, "calls");
        let pickler = crash::Called { object: 64, class: "_pickle.Pickler".to_owned() };
        assert_eq!(read("calls 7 64 _pickle.Pickler"), Some((7, pickler.clone())));
        assert_eq!((read("calls 7 64"), read("[calls]"), read("calls 7 x y")), (None, None, None));
        assert_eq!((read("uses 7 64 a.B"), called("uses 7 64 _pickle.Pickler", "uses")), (None, Some((7, pickler))));
    }

    #[test]
    fn notes_are_read_back() {
        let frames = stacks("thread 7\n/a b/x.py\t3\tf\nthread 8\n");
        assert_eq!(frames.len(), 2);
        assert_eq!((frames[0].0, frames[0].1[0].line, frames[0].1[0].file.as_str()), (7, 3, "/a b/x.py"));
        assert_eq!(
            mapping("7f00-7f10 r-xp 00001000 08:01 42       /lib/a b.so").unwrap(),
            (0x7f00, 0x7f10, 0x1000, "/lib/a b.so".to_owned())
        );
        assert_eq!(mapping("7f00-7f10 rw-p 00000000 00:00 0 "), None);
    }
}
