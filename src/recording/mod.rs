//! The flight recorder's memory, as the watched process writes it and triage reads it.
//!
//! A [`Recording`] is one fixed block, mapped from a file so that it survives any death, SIGKILL included.  Writing takes no lock and
//! allocates nothing; a thread writes its own [`ThreadRecord`] only.  Everything is an atomic, so zeroed memory is a valid empty
//! recording, and a reader that looks meanwhile sees stale words at worst.
//!
//! | module | what it holds |
//! |---|---|
//! | [`operation`] | names of what is recorded |
//! | [`sites`] | positions and stacks of Python code, each kept once with its text |
//! | [`read`] | a recording back from its bytes, whatever they are |

pub mod operation;
pub mod read;
pub mod sites;

use operation::Operation;
use sites::{Position, SiteId, Sites, StackId};
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use zerocopy::FromZeros;

/// The first bytes of a recording.
pub const MAGIC: u64 = u64::from_le_bytes(*b"FTSANREC");
/// Changes with every change of the layout.
pub const VERSION: u32 = 5;
/// How many threads can be recorded at once; the others are watched by nobody.
pub const THREADS: usize = 256;
/// How many events of a thread are kept.
pub const EVENTS: usize = 128;
/// How many events share a time: to ask for it costs more than all the rest.
pub const GROUP: usize = 16;
/// The real-time signal by which a process is asked, and other threads are stopped in a crash: so far below the last one.
pub const LOOK_SIGNAL: i32 = 5;
/// The value (`si_value`) of a signal that asks a process to say what it is doing.
pub const LOOK: usize = 0x6674_7361;
/// Result of a system call that has not returned.
pub const PENDING: i32 = i32::MIN;
/// How many registers of the crashing thread are kept.
pub const REGISTERS: usize = 34;
/// How many words of its stack.
pub const STACK: usize = 1 << 14;
/// The steps of the crash handler after its first notes, in this order, by what is missing if one fails.
pub const CRASH_STEPS: [&str; 4] = ["map of the memory", "other threads", "stacks of Python code", "file"];
/// Bytes for the notes of the crash handler.
pub const NOTES: usize = 1 << 19;

/// Everything that is recorded of a process.
#[repr(C)]
#[derive(Debug)]
pub struct Recording {
    magic: AtomicU64,
    version: AtomicU32,
    pid: AtomicU32,
    /// Where the search for a free record begins: the one that is free for longest is taken.
    next_thread: AtomicU32,
    /// Events of threads whose records were taken by others.
    events_before: AtomicU64,
    /// What stands for a microsecond in stamps.
    pub ticks_per_us: AtomicU32,
    /// The crash handler's.
    pub crash: CrashNotes,
    threads: [ThreadRecord; THREADS],
    /// Positions and stacks.
    pub sites: Sites,
}

/// The notes that the crash handler leaves: first of all what it is told by the kernel, then what it finds out step by step.
#[repr(C)]
#[derive(Debug)]
pub struct CrashNotes {
    /// 0: none; 1: the handler is at work; 2: it is done; 3: the process was only looked at.
    pub state: AtomicU32,
    /// How often the process said what it was doing; 0 as long as it cannot be asked, and 1 more.
    pub looks: AtomicU32,
    /// A bit for each step of the handler that crashed itself, or took too long.
    pub failed_steps: AtomicU32,
    /// The signal.
    pub signal: AtomicI32,
    /// `si_code`.
    pub code: AtomicI32,
    /// `si_pid` of a signal that somebody sent.
    pub sender: AtomicU32,
    /// `si_addr`.
    pub address: AtomicU64,
    /// The kernel's id of the crashing thread.
    pub native_id: AtomicU64,
    /// Where it was: the program counter, the stack pointer, the frame pointer and, where there is one, the link register.
    pub at: [AtomicU64; 4],
    /// All registers, as the kernel has them.
    pub registers: [AtomicU64; REGISTERS],
    /// Address of the first word of its stack that is kept.
    pub stack_start: AtomicU64,
    stack_used: AtomicUsize,
    stack: [AtomicU64; STACK],
    notes_used: AtomicUsize,
    notes: [AtomicU8; NOTES],
}

impl CrashNotes {
    /// Forgets what was noted before.
    pub fn clear(&self) {
        self.stack_used.store(0, Ordering::Relaxed);
        self.notes_used.store(0, Ordering::Relaxed);
        self.failed_steps.store(0, Ordering::Relaxed);
    }

    /// Adds words of the crashing thread's stack, which follow what was added before; false if there is no room for them.
    pub fn add_stack(&self, words: &[u64]) -> bool {
        let at = self.stack_used.load(Ordering::Relaxed);
        let Some(slots) = self.stack.get(at..at + words.len()) else { return false };
        for (word, slot) in words.iter().zip(slots) {
            slot.store(*word, Ordering::Relaxed);
        }
        self.stack_used.store(at + words.len(), Ordering::Release);
        true
    }

    /// Adds to the notes, line by line, after a line `[python]` or `[maps]`: stacks of Python code and the map of the memory.
    /// Bytes that do not fit are dropped.
    pub fn note(&self, bytes: &[u8]) {
        let at = self.notes_used.fetch_add(bytes.len(), Ordering::Relaxed);
        for (byte, slot) in bytes.iter().zip(self.notes.iter().skip(at)) {
            slot.store(*byte, Ordering::Relaxed);
        }
    }
}

/// Names a thread record: its place plus one, and which of the threads that had it; 0 is "none".
#[repr(transparent)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ThreadId(pub u32);

impl ThreadId {
    /// Place of its record; for "none" there is none.
    #[inline(always)]
    pub fn place(self) -> usize {
        (self.0 as usize & 0xFFFF).wrapping_sub(1)
    }
}

/// One thread's.
#[repr(C)]
#[derive(Debug, FromZeros)]
pub struct ThreadRecord {
    id: AtomicU32,
    state: AtomicU32,
    native_id: AtomicU64,
    name: [AtomicU64; 2],
    /// Address of the event loop that it runs, 0 for none.
    pub runs_loop: AtomicU64,
    next: AtomicU64,
    /// When the events of each group of [`GROUP`] began, or the last one of them that waited ended.
    stamps: [AtomicU64; EVENTS / GROUP],
    positions: [CachedPosition; POSITIONS],
    stacks: [CachedStack; CACHED_STACKS],
    events: [Event; EVENTS],
}

const POSITIONS: usize = 16;
const CACHED_STACKS: usize = 128;

#[repr(C)]
#[derive(Debug, FromZeros)]
struct CachedPosition {
    code: AtomicUsize,
    instruction: AtomicUsize,
    site: AtomicU32,
}

#[repr(C)]
#[derive(Debug, FromZeros)]
struct CachedStack {
    hash: AtomicU64,
    stack: AtomicU32,
}

#[repr(C)]
#[derive(Debug, FromZeros)]
struct Event {
    /// Operation in the upper half, descriptor in the lower.
    what: AtomicU64,
    object: AtomicU64,
    /// Site in the lower half, result in the upper.
    outcome: AtomicU64,
}

/// An operation that has begun.
#[derive(Debug, Clone, Copy)]
pub struct Begun<'a> {
    event: &'a Event,
    site: SiteId,
}

impl Begun<'_> {
    /// It returned.
    #[inline(always)]
    pub fn end(self, result: i32) {
        self.event.outcome.store(outcome(self.site, result), Ordering::Relaxed);
    }
}

#[inline(always)]
const fn outcome(site: SiteId, result: i32) -> u64 {
    (result as u32 as u64) << 32 | site as u64
}

const LIVE: u32 = 1;
const ENDED: u32 = 2;

impl Recording {
    /// The memory is new: gives it its head.
    pub fn begin(&self, pid: u32, ticks_per_us: u32) {
        self.pid.store(pid, Ordering::Relaxed);
        self.ticks_per_us.store(ticks_per_us, Ordering::Relaxed);
        self.version.store(VERSION, Ordering::Relaxed);
        self.magic.store(MAGIC, Ordering::Release);
    }

    /// Gives the calling thread a record; `None` if all are taken.
    pub fn enter(&self, native_id: u64, name: [u64; 2]) -> Option<&ThreadRecord> {
        let first = self.next_thread.fetch_add(1, Ordering::Relaxed) as usize;
        for at in (0..THREADS).map(|i| (first + i) % THREADS) {
            let record = self.threads.get(at)?;
            let state = record.state.load(Ordering::Relaxed);
            if state != LIVE && record.state.compare_exchange(state, LIVE, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                self.events_before.fetch_add(record.next.load(Ordering::Relaxed), Ordering::Relaxed);
                let incarnation = record.id.load(Ordering::Relaxed) >> 16;
                record.id.store((incarnation + 1) << 16 | (at as u32 + 1), Ordering::Relaxed);
                record.native_id.store(native_id, Ordering::Relaxed);
                record.set_name(name);
                record.runs_loop.store(0, Ordering::Relaxed);
                record.next.store(0, Ordering::Relaxed);
                return Some(record);
            }
        }
        None
    }

    /// Whose it is.
    pub fn pid(&self) -> u32 {
        self.pid.load(Ordering::Relaxed)
    }

    /// The thread of this id; also one that has ended, as long as nobody took its record.
    pub fn thread(&self, id: ThreadId) -> Option<&ThreadRecord> {
        self.at(id.place()).filter(|record| record.id() == id)
    }

    /// The record at a place.
    pub fn at(&self, place: usize) -> Option<&ThreadRecord> {
        self.threads.get(place)
    }

    /// How many events were recorded so far.
    pub fn events(&self) -> u64 {
        let now: u64 = self.used().iter().map(|record| record.next.load(Ordering::Relaxed)).sum();
        now + self.events_before.load(Ordering::Relaxed)
    }

    /// The threads that are alive.
    pub fn live(&self) -> impl Iterator<Item = &ThreadRecord> {
        self.used().iter().filter(|record| record.is_live())
    }

    /// The records that some thread has had; a look at another one would bring in a page of memory for nothing.
    fn used(&self) -> &[ThreadRecord] {
        // As long as not all have been taken, the next one is always free.
        let taken = self.next_thread.load(Ordering::Acquire) as usize;
        self.threads.get(..taken).unwrap_or(&self.threads)
    }
}

impl ThreadRecord {
    /// Names the thread.
    #[inline(always)]
    pub fn id(&self) -> ThreadId {
        ThreadId(self.id.load(Ordering::Relaxed))
    }

    /// Whether the thread lives.
    pub fn is_live(&self) -> bool {
        self.state.load(Ordering::Relaxed) == LIVE
    }

    /// The kernel's id of the thread.
    pub fn native_id(&self) -> u64 {
        self.native_id.load(Ordering::Relaxed)
    }

    /// What `prctl(PR_GET_NAME)` says: 15 bytes at most.
    pub fn set_name(&self, name: [u64; 2]) {
        for (slot, word) in self.name.iter().zip(name) {
            slot.store(word, Ordering::Relaxed);
        }
    }

    /// The thread's name, without what did not fit.
    pub fn name(&self) -> String {
        let bytes: Vec<u8> = self.name.iter().flat_map(|word| word.load(Ordering::Relaxed).to_le_bytes()).collect();
        String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
    }

    /// The thread ends.  Its record can still be read until another thread takes it.
    pub fn leave(&self) {
        self.state.store(ENDED, Ordering::Release);
    }

    /// The last event was at this time (a counter of [`Recording::ticks_per_us`]).
    #[inline(always)]
    pub fn stamp(&self, now: u64) {
        let last = self.next.load(Ordering::Relaxed).wrapping_sub(1) as usize;
        self.stamps[last / GROUP % (EVENTS / GROUP)].store(now, Ordering::Relaxed);
    }

    /// Records that an operation begins.  `now` is asked for the time now and then.
    #[inline(always)]
    pub fn begin(
        &self,
        operation: Operation,
        fd: i32,
        object: Option<u64>,
        site: SiteId,
        result: i32,
        now: impl FnOnce() -> u64,
    ) -> Begun<'_> {
        let next = self.next.load(Ordering::Relaxed) as usize;
        if next.is_multiple_of(GROUP) {
            self.stamps[next / GROUP % (EVENTS / GROUP)].store(now(), Ordering::Relaxed);
        }
        let event = &self.events[next % EVENTS];
        event.what.store(u64::from(operation.0) << 32 | u64::from(fd as u32), Ordering::Relaxed);
        if let Some(object) = object {
            event.object.store(object, Ordering::Relaxed);
        }
        event.outcome.store(outcome(site, result), Ordering::Relaxed);
        self.next.store(next as u64 + 1, Ordering::Release);
        Begun { event, site }
    }

    /// How many operations it has begun.
    pub fn begun(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    /// The operation that the thread is in, on which descriptor, and on what object.
    pub fn inside(&self) -> Option<(Operation, i32, u64)> {
        let last = self.next.load(Ordering::Acquire).checked_sub(1)?;
        let event = &self.events[last as usize % EVENTS];
        let what = event.what.load(Ordering::Relaxed);
        let object = event.object.load(Ordering::Relaxed);
        ((event.outcome.load(Ordering::Relaxed) >> 32) as i32 == PENDING).then_some((
            Operation((what >> 32) as u32),
            what as u32 as i32,
            object,
        ))
    }

    /// The site of a position that this thread asked for lately.  Its `check` is not looked at: it would be a cache miss, and a new code
    /// object at the address of one that is gone is named wrongly until its site is asked for again.
    #[inline(always)]
    pub fn known_site(&self, position: Position) -> Option<SiteId> {
        let cached = self.cached(position);
        let same = cached.instruction.load(Ordering::Relaxed) == position.instruction
            && cached.code.load(Ordering::Relaxed) == position.code;
        same.then(|| cached.site.load(Ordering::Relaxed))
    }

    /// Remembers a site for [`ThreadRecord::known_site`].
    pub fn remember_site(&self, position: Position, site: SiteId) {
        let cached = self.cached(position);
        cached.code.store(0, Ordering::Relaxed);
        cached.site.store(site, Ordering::Relaxed);
        cached.instruction.store(position.instruction, Ordering::Relaxed);
        cached.code.store(position.code, Ordering::Relaxed);
    }

    /// The name of a stack of these positions, innermost first, which `find` is asked for if this thread was not there lately: a
    /// program that redirects its output, as pytest does six times for each test, comes from the same few places.
    pub fn stack(&self, positions: &[Position], find: impl FnOnce() -> StackId) -> StackId {
        let hash = sites::hash_of(positions);
        let cached = &self.stacks[hash as usize % CACHED_STACKS];
        if cached.hash.load(Ordering::Relaxed) == hash {
            return cached.stack.load(Ordering::Relaxed);
        }
        let stack = find();
        // A signal handler of the thread may come between any two of these.
        cached.hash.store(0, Ordering::Relaxed);
        cached.stack.store(stack, Ordering::Relaxed);
        cached.hash.store(hash, Ordering::Relaxed);
        stack
    }

    #[inline(always)]
    fn cached(&self, position: Position) -> &CachedPosition {
        // Instructions are two bytes, and calls with their caches some ten.
        &self.positions[(position.instruction >> 3) % POSITIONS]
    }
}

/// How many bytes a recording has.
pub const SIZE: usize = size_of::<Recording>();

#[cfg(test)]
mod tests {
    use super::sites::{Resolved, Sites};
    use super::*;
    use std::cell::Cell;
    use std::thread;

    fn position(number: usize) -> Position {
        Position { code: 0x7F00_0000_1000 + number * 0x400, instruction: 0x7F00_0000_10C0 + number * 0x400, check: number }
    }

    #[test]
    fn a_stack_is_asked_for_where_the_thread_was_not_lately() {
        let (record, asked) = (ThreadRecord::new_box_zeroed().unwrap(), Cell::new(0));
        let name = |positions: &[Position], is: StackId| {
            record.stack(positions, || {
                asked.set(asked.get() + 1);
                is
            })
        };
        let (here, there) = ([position(1), position(2)], [position(1), position(3)]);
        assert_eq!((name(&here, 7), name(&there, 8)), (7, 8));
        assert_eq!((name(&here, 0), name(&there, 0), asked.get()), (7, 8, 2));
        let reused = [Position { check: 9, ..here[0] }, here[1]];
        let others = [&[] as &[Position], &here[..1], &[here[1], here[0]], &reused];
        for (number, other) in others.into_iter().enumerate() {
            assert_eq!(name(other, 20 + number as u32), 20 + number as u32, "{other:?}");
        }
        assert_eq!(asked.get(), 6);
    }

    /// Of `make miri` and of `cargo test`: two threads that come to one place at once may each name it, but never by what is half written.
    #[test]
    fn threads_that_name_places_at_once_read_back_what_they_named() {
        const PLACES: usize = 6;
        let sites = Sites::new_box_zeroed().unwrap();
        let name = || {
            let named: Vec<SiteId> = (0..PLACES)
                .map(|number| {
                    let text = format!("f{number}");
                    let resolve = |texts: &Sites| {
                        Some(Resolved { function: texts.add_text(text.as_bytes()), line: number as u32 + 1, ..Resolved::default() })
                    };
                    sites.site(position(number), resolve)
                })
                .collect();
            for (number, site) in named.iter().enumerate() {
                assert_eq!(sites.resolved(*site), Some((String::new(), number as u32 + 1, format!("f{number}"))));
            }
            let stack = sites.stack(&named);
            assert_eq!(sites.sites_of(stack).collect::<Vec<_>>(), named);
        };
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(name);
            }
        });
    }
}
