//! Descriptors and their threads: which one opened, registers, uses and closed which, and when that is a misuse.
//!
//! The hooks tell it of each system call before it is made ([`Descriptors::closing`], [`Descriptors::using`] ...) and of what it returned.
//! It answers with a [`Suspicion`] where threads step on each other.  A misuse that is *certain* from the calls alone is decided
//! here; a suspicion that hangs on what a thread is doing right now is looked at once more by whoever reports it.
//!
//! One cache line per descriptor, no locks, no allocation.  Words are written by the thread that makes the call; a race between two
//! writers loses history, which is a miss and never a false report.

pub mod children;
mod suspicion;

use crate::recording::{THREADS, ThreadId};
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use suspicion::KINDS;
pub use suspicion::{Control, FdKind, Mark, Registered, Suspicion, Use};

/// Descriptors from this number on are not watched.
pub const MOST: usize = 1 << 16;

/// A bit that is never set in the number of a thread.
const HAS_LEFT: u32 = 1 << 15;
const _: () = assert!(THREADS < HAS_LEFT as usize);

#[derive(Debug)]
#[repr(C, align(64))]
struct Descriptor {
    reading: AtomicU32,
    writing: AtomicU32,
    /// Of an epoll instance: the thread that waits in it or, with [`HAS_LEFT`], has done so last.
    waiting: AtomicU32,
    registering: AtomicU32,
    opened: AtomicU64,
    closed: AtomicU64,
    closed_before: AtomicU64,
    /// Who registered it last, or unregistered it if `epoll` is 0.
    registered: AtomicU64,
    /// Epoll instance that it is registered with, plus one; that it was unregistered from, negative.
    epoll: AtomicI32,
    kind: AtomicU8,
    /// What had the number before.
    kind_before: AtomicU8,
    is_closed: AtomicU8,
    /// Which standard descriptor it is a saved copy of, plus one.
    saved: AtomicU8,
    /// It was closed since it was registered.
    is_stale: AtomicU8,
    /// It was registered for one event.
    is_one_shot: AtomicU8,
    /// How often the number was given away; tells epoll instances of one number apart.
    generation: AtomicU16,
    /// That of the epoll instance when it was registered there.
    epoll_generation: AtomicU16,
    /// How often the number had been given away when it was registered or unregistered.
    registered_generation: AtomicU16,
}

impl Descriptor {
    #[allow(clippy::declare_interior_mutable_const)] // what the table begins with
    const NEW: Descriptor = Descriptor {
        reading: AtomicU32::new(0),
        writing: AtomicU32::new(0),
        waiting: AtomicU32::new(0),
        registering: AtomicU32::new(0),
        opened: AtomicU64::new(0),
        closed: AtomicU64::new(0),
        closed_before: AtomicU64::new(0),
        registered: AtomicU64::new(0),
        epoll: AtomicI32::new(0),
        kind: AtomicU8::new(0),
        kind_before: AtomicU8::new(0),
        is_closed: AtomicU8::new(0),
        saved: AtomicU8::new(0),
        is_stale: AtomicU8::new(0),
        is_one_shot: AtomicU8::new(0),
        generation: AtomicU16::new(0),
        epoll_generation: AtomicU16::new(0),
        registered_generation: AtomicU16::new(0),
    };

    #[inline(always)]
    fn user(&self, how: Use) -> &AtomicU32 {
        match how {
            Use::Read => &self.reading,
            Use::Write => &self.writing,
            Use::Wait => &self.waiting,
            Use::Register => &self.registering,
        }
    }

    fn mark(word: &AtomicU64) -> Mark {
        Mark::unpack(word.load(Ordering::Relaxed))
    }

    fn kind(&self) -> FdKind {
        Descriptor::read_kind(&self.kind)
    }

    fn read_kind(kind: &AtomicU8) -> FdKind {
        KINDS.get(usize::from(kind.load(Ordering::Relaxed))).copied().unwrap_or(FdKind::Unknown)
    }
}

/// The descriptors of a process.
#[derive(Debug)]
pub struct Descriptors {
    table: [Descriptor; MOST],
    /// The highest number that was opened, or closed, so far.
    highest: AtomicI32,
    /// Who has redirected descriptor 0, 1, 2.
    redirected: [AtomicU64; 3],
}

impl Default for Descriptors {
    fn default() -> Self {
        Self::new()
    }
}

impl Descriptors {
    /// No descriptor is known.
    pub const fn new() -> Self {
        Descriptors { table: [Descriptor::NEW; MOST], highest: AtomicI32::new(2), redirected: [const { AtomicU64::new(0) }; 3] }
    }

    #[inline(always)]
    fn get(&self, fd: i32) -> Option<&Descriptor> {
        self.table.get(fd as usize)
    }

    /// The kind of a descriptor; the one that it was if it is being closed.
    pub fn kind(&self, fd: i32) -> FdKind {
        let now = self.kind_now(fd);
        let closing = self.get(fd).filter(|descriptor| now == FdKind::Unknown && descriptor.is_closed.load(Ordering::Relaxed) != 0);
        closing.map_or(now, |descriptor| Descriptor::read_kind(&descriptor.kind_before))
    }

    /// The kind of a descriptor that is in use: unknown if it was closed as far as is known, as it was opened unseen then.
    pub fn kind_now(&self, fd: i32) -> FdKind {
        self.get(fd).map_or(FdKind::Unknown, Descriptor::kind)
    }

    /// The epoll instance that a descriptor is registered with, if that is still the same one.
    fn epoll_of(&self, descriptor: &Descriptor) -> Option<(i32, &Descriptor)> {
        let number = descriptor.epoll.load(Ordering::Relaxed) - 1;
        let epoll = self.get(number)?;
        let generation = descriptor.epoll_generation.load(Ordering::Relaxed);
        let same = epoll.generation.load(Ordering::Relaxed) == generation && epoll.is_closed.load(Ordering::Relaxed) == 0;
        (same && matches!(epoll.kind(), FdKind::Epoll | FdKind::Unknown)).then_some((number, epoll))
    }

    /// A number that a descriptor has as long as it is open; `None` if it was not seen being opened.
    #[inline]
    pub fn incarnation(&self, fd: i32) -> Option<u64> {
        let descriptor = self.get(fd).filter(|descriptor| descriptor.is_closed.load(Ordering::Relaxed) == 0)?;
        let generation = u64::from(descriptor.generation.load(Ordering::Relaxed));
        (generation != 0).then_some(descriptor.opened.load(Ordering::Relaxed) << 16 ^ generation)
    }

    /// Who opened a descriptor.
    pub fn opened_by(&self, fd: i32) -> Mark {
        self.get(fd).map_or(Mark::default(), |descriptor| Descriptor::mark(&descriptor.opened))
    }

    /// A thread begins to use a descriptor; answers who else does in the same way.
    #[inline(always)]
    pub fn using(&self, fd: i32, how: Use, me: ThreadId) -> Option<ThreadId> {
        let user = self.get(fd)?.user(how);
        let other = user.load(Ordering::Relaxed);
        user.store(me.0, Ordering::Relaxed);
        (other != 0 && other & HAS_LEFT == 0 && other != me.0).then_some(ThreadId(other))
    }

    /// It is done with it.
    #[inline(always)]
    pub fn used(&self, fd: i32, how: Use) {
        let Some(user) = self.get(fd).map(|descriptor| descriptor.user(how)) else { return };
        let left = if how == Use::Wait { user.load(Ordering::Relaxed) | HAS_LEFT } else { 0 };
        user.store(left, Ordering::Relaxed);
    }

    /// Two threads use a descriptor in the same way at the same time: is that a misuse?  `len` is how much the caller writes.
    pub fn overlapping(&self, fd: i32, how: Use, by: ThreadId, len: usize) -> Option<Suspicion> {
        let stream = self.kind_now(fd) == FdKind::StreamSocket && fd > 2;
        match how {
            // A single byte is a wake-up, as many threads write it into a self-pipe.
            Use::Write if stream && len > 1 => Some(Suspicion::Interleaved { by, reading: false }),
            Use::Read if stream => Some(Suspicion::Interleaved { by, reading: true }),
            Use::Register => Some(Suspicion::RegisteredByTwo { by, mark: Mark::default() }),
            Use::Read | Use::Write | Use::Wait => None,
        }
    }

    /// A system call gave a new descriptor.
    pub fn opened(&self, fd: i32, kind: FdKind, mark: Mark) -> Option<Suspicion> {
        let descriptor = self.get(fd)?;
        self.highest.fetch_max(fd, Ordering::Relaxed);
        descriptor.generation.fetch_add(1, Ordering::Relaxed);
        descriptor.kind.store(kind as u8, Ordering::Relaxed);
        descriptor.opened.store(mark.pack(), Ordering::Relaxed);
        descriptor.saved.store(0, Ordering::Relaxed);
        for how in [Use::Read, Use::Write, Use::Wait, Use::Register] {
            descriptor.user(how).store(0, Ordering::Relaxed);
        }
        let was_closed = descriptor.is_closed.swap(0, Ordering::Relaxed) != 0;
        self.stale_registration(descriptor, mark, false).filter(|_| was_closed)
    }

    fn stale_registration(&self, descriptor: &Descriptor, opened: Mark, is_certain: bool) -> Option<Suspicion> {
        let (registered, closed) = (Descriptor::mark(&descriptor.registered), Descriptor::mark(&descriptor.closed));
        let (epoll, _) = self.epoll_of(descriptor)?;
        let was = Descriptor::read_kind(&descriptor.kind_before);
        let is_stale = descriptor.is_stale.load(Ordering::Relaxed) != 0;
        (is_stale && closed.is_of_another(registered.thread)).then_some(Suspicion::Reused {
            epoll,
            registered,
            closed,
            was,
            opened,
            is_certain,
        })
    }

    /// Whether a descriptor is closed as far as is known: if closing it succeeds all the same, somebody opened it unseen.
    pub fn is_closed(&self, fd: i32) -> bool {
        self.get(fd).is_some_and(|descriptor| descriptor.is_closed.load(Ordering::Relaxed) != 0)
    }

    /// A thread closed a descriptor that was opened unseen.
    pub fn closed_unseen(&self, fd: i32, mark: Mark) {
        if let Some(descriptor) = self.get(fd) {
            descriptor.opened.store(0, Ordering::Relaxed);
            descriptor.closed.store(mark.pack(), Ordering::Relaxed);
            descriptor.kind_before.store(FdKind::Unknown as u8, Ordering::Relaxed);
        }
    }

    /// A descriptor that was closed as far as is known is open: somebody opened it unseen, and nothing is known of it.
    pub fn opened_unseen(&self, fd: i32) {
        if let Some(descriptor) = self.get(fd) {
            descriptor.opened.store(0, Ordering::Relaxed);
            descriptor.kind_before.store(FdKind::Unknown as u8, Ordering::Relaxed);
        }
    }

    /// A thread is about to close a descriptor.
    pub fn closing(&self, fd: i32, mark: Mark) -> Option<Suspicion> {
        let descriptor = self.get(fd)?;
        let if_other = |user: u32| (user != 0 && user != mark.thread.0).then_some(ThreadId(user));
        let other = |user: &AtomicU32| if_other(user.load(Ordering::Relaxed)).filter(|user| user.0 & HAS_LEFT == 0);
        let user = || other(&descriptor.reading).or(other(&descriptor.writing)).or(other(&descriptor.waiting));
        if descriptor.is_closed.swap(1, Ordering::Relaxed) != 0 {
            // A thread that is blocked in it knows better: it was opened unseen.
            return user().map(|by| Suspicion::ClosedWhileUsed { by });
        }
        self.highest.fetch_max(fd, Ordering::Relaxed);
        descriptor.kind_before.store(descriptor.kind.swap(FdKind::Unknown as u8, Ordering::Relaxed), Ordering::Relaxed);
        descriptor.closed_before.store(descriptor.closed.load(Ordering::Relaxed), Ordering::Relaxed);
        descriptor.closed.store(mark.pack(), Ordering::Relaxed);
        if let Some(by) = user() {
            return Some(Suspicion::ClosedWhileUsed { by });
        }
        let epoll = self.epoll_of(descriptor);
        if descriptor.is_stale.swap(1, Ordering::Relaxed) != 0 {
            // The registered file is closed already: this is another file, and so is the next one of its number.
            descriptor.epoll.store(0, Ordering::Relaxed);
            return None;
        }
        let registered = Descriptor::mark(&descriptor.registered);
        let is_one_shot = descriptor.is_one_shot.load(Ordering::Relaxed) != 0;
        // The thread that was in it last will be in it again if it runs a loop.
        let was_last = |epoll: &Descriptor| if_other(epoll.waiting.load(Ordering::Relaxed) & !HAS_LEFT);
        let polls = |epoll: &Descriptor| {
            other(&epoll.waiting).or_else(|| was_last(epoll).filter(|_| registered.is_of_another(mark.thread)))
        };
        let by = epoll.filter(|_| !is_one_shot).and_then(|(number, epoll)| Some((number, polls(epoll)?)));
        if !registered.is_of_another(mark.thread) {
            // The kernel forgets it with the close, and the thread that registered it knows.
            descriptor.epoll.store(0, Ordering::Relaxed);
        }
        by.map(|(epoll, by)| Suspicion::ClosedWhilePolled { by, epoll, registered })
    }

    /// The descriptors of a range that were seen being opened, and not being closed.
    pub fn open_in(&self, first: u32, last: u32) -> impl Iterator<Item = i32> {
        let end = (i64::from(last) + 1).min(i64::from(self.highest.load(Ordering::Relaxed)) + 1);
        let is_open = |fd: &i32| {
            let seen = self.get(*fd).filter(|descriptor| descriptor.opened.load(Ordering::Relaxed) != 0);
            seen.is_some_and(|descriptor| descriptor.is_closed.load(Ordering::Relaxed) == 0)
        };
        (i64::from(first)..end).filter_map(|fd| i32::try_from(fd).ok()).filter(is_open)
    }

    /// `close`, or any other use, was refused with `EBADF`.
    pub fn was_bad(&self, fd: i32, me: Mark) -> Option<Suspicion> {
        let descriptor = self.get(fd)?;
        let (closed, opened) = (Descriptor::mark(&descriptor.closed), Descriptor::mark(&descriptor.opened));
        if closed.thread == me.thread {
            // The caller's own mistake, or it was not open in the first place.
            descriptor.closed.store(0, Ordering::Relaxed);
        }
        let closed_before = Descriptor::mark(&descriptor.closed_before);
        let certain = descriptor.is_closed.load(Ordering::Relaxed) != 0 && closed.is_of_another(me.thread);
        certain.then_some(Suspicion::DoubleClose { closed, closed_before, opened })
    }

    /// A registration was modified.
    pub fn rearmed(&self, fd: i32, is_one_shot: bool) {
        if let Some(descriptor) = self.get(fd) {
            descriptor.is_one_shot.store(u8::from(is_one_shot), Ordering::Relaxed);
        }
    }

    /// `epoll_ctl` was called for `fd` and returned.
    pub fn controlled(
        &self,
        epoll: i32,
        fd: i32,
        what: Control,
        how: Registered,
        mark: Mark,
        is_one_shot: bool,
    ) -> Option<Suspicion> {
        let descriptor = self.get(fd)?;
        let before = Descriptor::mark(&descriptor.registered);
        let known = descriptor.epoll.load(Ordering::Relaxed);
        let mut suspicion = None;
        match (what, how) {
            (Control::Add, Registered::Done) => {
                descriptor.registered.store(mark.pack(), Ordering::Relaxed);
                descriptor.epoll.store(epoll + 1, Ordering::Relaxed);
                descriptor.is_one_shot.store(u8::from(is_one_shot), Ordering::Relaxed);
                descriptor.epoll_generation.store(self.generation(epoll), Ordering::Relaxed);
                descriptor.registered_generation.store(self.generation(fd), Ordering::Relaxed);
                descriptor.is_stale.store(0, Ordering::Relaxed);
            }
            // Numbers are not files: another thread did so to this very file, and to this very epoll instance.
            (Control::Delete, Registered::Missing)
                if known == -(epoll + 1)
                    && before.is_of_another(mark.thread)
                    && descriptor.epoll_generation.load(Ordering::Relaxed) == self.generation(epoll)
                    && descriptor.registered_generation.load(Ordering::Relaxed) == self.generation(fd) =>
            {
                suspicion = Some(Suspicion::RegisteredByTwo { by: before.thread, mark: before });
            }
            (Control::Delete | Control::Modify, Registered::Missing) if known == epoll + 1 => {
                suspicion = self.stale_registration(descriptor, Descriptor::mark(&descriptor.opened), true);
            }
            (Control::Add | Control::Modify | Control::Delete, Registered::Done | Registered::Missing | Registered::Refused) => {}
        }
        if what == Control::Delete {
            descriptor.epoll.store(if how == Registered::Done { -(epoll + 1) } else { 0 }, Ordering::Relaxed);
            descriptor.registered.store(mark.pack(), Ordering::Relaxed);
        }
        suspicion
    }

    /// How often a number was given away.
    fn generation(&self, fd: i32) -> u16 {
        self.get(fd).map_or(0, |descriptor| descriptor.generation.load(Ordering::Relaxed))
    }

    /// Whether `dup2(from, to)` puts a standard descriptor back that this thread has redirected, or nobody has.
    pub fn restores(&self, from: i32, to: i32, thread: ThreadId) -> bool {
        let Some(redirected) = self.redirected.get(to as usize) else { return false };
        self.is_copy_of(from, to) && !Mark::unpack(redirected.load(Ordering::Relaxed)).is_of_another(thread)
    }

    /// Whether a descriptor is a copy of this standard one, made to put it back.
    fn is_copy_of(&self, copy: i32, standard: i32) -> bool {
        self.get(copy).is_some_and(|copy| i32::from(copy.saved.load(Ordering::Relaxed)) == standard + 1)
    }

    /// `dup2(from, to)` or its like succeeded, or `dup(from)` gave `to`.
    pub fn duplicated(&self, from: i32, to: i32, mark: Mark) -> Option<Suspicion> {
        if let (Ok(standard), Some(copy)) = (u8::try_from(from), self.get(to))
            && from <= 2
            && to > 2
        {
            copy.saved.store(standard + 1, Ordering::Relaxed);
        }
        let redirected = self.redirected.get(to as usize)?;
        let by = Mark::unpack(redirected.load(Ordering::Relaxed));
        if by.is_of_another(mark.thread) && self.is_copy_of(from, to) {
            // It puts back what it has redirected, which was told.
            return None;
        }
        if by.is_of_another(mark.thread) {
            return Some(Suspicion::RedirectedByTwo { redirected: by });
        }
        redirected.store(if self.is_copy_of(from, to) { 0 } else { mark.pack() }, Ordering::Relaxed);
        None
    }

    /// In the child of a fork only the calling thread is left, and threads are named anew: the acts of others are forgotten.
    pub fn after_fork(&self) {
        let known = self.highest.load(Ordering::Relaxed).max(0) as usize + 1;
        for descriptor in self.table.iter().take(known) {
            for how in [Use::Read, Use::Write, Use::Wait, Use::Register] {
                descriptor.user(how).store(0, Ordering::Relaxed);
            }
            for mark in [&descriptor.opened, &descriptor.closed, &descriptor.closed_before, &descriptor.registered] {
                mark.store(0, Ordering::Relaxed);
            }
            descriptor.is_closed.store(0, Ordering::Relaxed);
            descriptor.epoll.store(0, Ordering::Relaxed);
        }
        for redirected in &self.redirected {
            redirected.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Mark = Mark { thread: ThreadId(1), stack: 11 };
    const OTHER: Mark = Mark { thread: ThreadId(2), stack: 22 };

    /// Never copied: it is larger than a test's stack.
    macro_rules! descriptors {
        () => {{
            static ALL: Descriptors = Descriptors::new();
            &ALL
        }};
    }

    #[test]
    fn a_descriptor_is_one_cache_line() {
        assert_eq!(size_of::<Descriptor>(), 64);
    }

    #[test]
    fn what_another_thread_uses_may_not_be_closed() {
        let all = descriptors!();
        assert_eq!(all.opened(5, FdKind::StreamSocket, ME), None);
        assert_eq!(all.using(5, Use::Read, OTHER.thread), None);
        assert_eq!(all.closing(5, ME), Some(Suspicion::ClosedWhileUsed { by: OTHER.thread }));
        assert_eq!(all.opened(5, FdKind::StreamSocket, ME), None);
        all.using(5, Use::Read, OTHER.thread);
        all.used(5, Use::Read);
        assert_eq!(all.closing(5, ME), None);
        all.using(5, Use::Read, OTHER.thread);
        assert_eq!(all.closing(5, ME), Some(Suspicion::ClosedWhileUsed { by: OTHER.thread }), "opened unseen");
    }

    #[test]
    fn what_another_thread_has_registered_is_told_when_it_is_closed() {
        let all = descriptors!();
        all.opened(3, FdKind::Epoll, OTHER);
        let polls = |by: Mark| {
            all.using(3, Use::Wait, by.thread);
            all.used(3, Use::Wait);
        };
        let close_what_is_registered_by = |registrar| {
            all.opened(5, FdKind::StreamSocket, ME);
            all.controlled(3, 5, Control::Add, Registered::Done, registrar, false);
            all.closing(5, ME)
        };
        assert_eq!(close_what_is_registered_by(OTHER), None, "nobody polls: the registrar did it for others");
        polls(ME);
        assert_eq!(close_what_is_registered_by(OTHER), None, "its own poll");
        polls(OTHER);
        for (registrar, told) in [(OTHER, true), (ME, false)] {
            let by = Suspicion::ClosedWhilePolled { by: OTHER.thread, epoll: 3, registered: OTHER };
            assert_eq!(close_what_is_registered_by(registrar), told.then_some(by));
        }
        assert_eq!(all.using(3, Use::Wait, ME.thread), None, "it has left");
    }

    #[test]
    fn whoever_closes_the_next_file_of_a_number_has_closed_nothing_that_is_polled() {
        let all = descriptors!();
        let third = Mark { thread: ThreadId(3), stack: 33 };
        all.opened(3, FdKind::Epoll, OTHER);
        all.using(3, Use::Wait, OTHER.thread);
        all.used(3, Use::Wait);
        all.opened(5, FdKind::Pipe, ME);
        all.controlled(3, 5, Control::Add, Registered::Done, OTHER, false);
        assert!(matches!(all.closing(5, ME), Some(Suspicion::ClosedWhilePolled { .. })));
        assert!(matches!(all.opened(5, FdKind::Pipe, third), Some(Suspicion::Reused { closed: ME, .. })));
        assert_eq!(all.closing(5, third), None);
        assert_eq!(all.opened(5, FdKind::Pipe, ME), None);
    }

    #[test]
    fn a_registration_outlives_neither_its_removal_nor_its_epoll_instance() {
        let all = descriptors!();
        let add = |fd| all.controlled(3, fd, Control::Add, Registered::Done, ME, false);
        all.opened(3, FdKind::Epoll, ME);
        for fd in [4, 5, 6] {
            all.opened(fd, FdKind::StreamSocket, ME);
            add(fd);
        }
        all.controlled(3, 4, Control::Delete, Registered::Done, ME, false);
        all.closing(4, OTHER);
        assert_eq!(all.opened(4, FdKind::StreamSocket, ME), None);
        all.closing(5, OTHER);
        assert!(matches!(all.opened(5, FdKind::File, ME), Some(Suspicion::Reused { epoll: 3, was: FdKind::StreamSocket, .. })));
        all.closing(3, ME);
        all.opened(3, FdKind::Epoll, ME);
        all.closing(6, OTHER);
        assert_eq!(all.opened(6, FdKind::File, ME), None);
    }

    #[test]
    fn an_unregistration_that_is_refused_is_about_one_file_and_one_epoll_instance() {
        let all = descriptors!();
        let [add, delete] = [Control::Add, Control::Delete];
        let control = |epoll, fd, what, how, mark| all.controlled(epoll, fd, what, how, mark, false);
        all.opened(3, FdKind::Epoll, ME);
        all.opened(4, FdKind::Epoll, OTHER);
        all.opened(5, FdKind::StreamSocket, ME);
        control(3, 5, add, Registered::Done, ME);
        control(3, 5, delete, Registered::Done, ME);
        assert_eq!(control(4, 5, delete, Registered::Missing, OTHER), None, "an instance of its own");
        control(3, 5, add, Registered::Done, ME);
        control(3, 5, delete, Registered::Done, ME);
        all.closing(5, ME);
        all.opened(5, FdKind::StreamSocket, OTHER);
        assert_eq!(control(3, 5, delete, Registered::Missing, OTHER), None, "another file of that number");
        control(3, 5, add, Registered::Done, ME);
        control(3, 5, delete, Registered::Done, ME);
        assert!(matches!(control(3, 5, delete, Registered::Missing, OTHER), Some(Suspicion::RegisteredByTwo { .. })));
    }

    #[test]
    fn a_range_has_what_is_known_to_be_open() {
        let all = descriptors!();
        for fd in [5, 7, 9] {
            all.opened(fd, FdKind::File, ME);
        }
        all.closing(7, ME);
        assert_eq!(all.open_in(0, u32::MAX).collect::<Vec<_>>(), [5, 9]);
        assert_eq!(all.open_in(6, 9).collect::<Vec<_>>(), [9]);
        assert_eq!(all.open_in(6, 8).count(), 0);
        assert_eq!(all.open_in(9, 5).count(), 0);
        all.after_fork();
        assert_eq!(all.open_in(0, u32::MAX).count(), 0);
    }

    #[test]
    fn only_another_threads_close_makes_a_double_close() {
        let all = descriptors!();
        all.opened(7, FdKind::File, ME);
        all.closing(7, OTHER);
        assert!(matches!(all.was_bad(7, ME), Some(Suspicion::DoubleClose { closed: OTHER, opened: ME, .. })));
        assert_eq!(all.was_bad(7, OTHER), None);
        all.after_fork();
        assert_eq!(all.was_bad(7, ME), None);
    }

    #[test]
    fn a_standard_descriptor_is_redirected_by_one_thread_until_it_is_restored() {
        let all = descriptors!();
        all.duplicated(1, 9, ME);
        assert_eq!(all.duplicated(8, 1, ME), None);
        let puts_back = |copy, standard, by: Mark| all.restores(copy, standard, by.thread);
        assert!(puts_back(9, 1, ME) && !puts_back(9, 1, OTHER) && !puts_back(8, 1, ME) && !puts_back(9, 2, ME));
        assert!(!puts_back(9, 7, ME), "no standard descriptor");
        assert_eq!(all.duplicated(8, 1, OTHER), Some(Suspicion::RedirectedByTwo { redirected: ME }));
        all.duplicated(1, 10, OTHER);
        assert_eq!(all.duplicated(10, 1, OTHER), None, "it is put back");
        assert_eq!(all.duplicated(9, 1, ME), None);
        assert_eq!(all.duplicated(8, 1, OTHER), None);
    }

    #[test]
    fn a_stream_socket_has_one_writer_and_one_reader() {
        let all = descriptors!();
        all.opened(5, FdKind::StreamSocket, ME);
        assert!(all.overlapping(5, Use::Write, ME.thread, 100).is_some());
        assert_eq!(all.overlapping(5, Use::Write, ME.thread, 1), None, "a wake-up");
        all.opened(6, FdKind::Socket, ME);
        assert_eq!(all.overlapping(6, Use::Read, ME.thread, 0), None, "datagrams");
        all.closing(5, ME);
        assert_eq!(all.overlapping(5, Use::Read, ME.thread, 0), None, "opened unseen");
    }

    #[test]
    fn nothing_is_known_of_what_was_opened_unseen() {
        let all = descriptors!();
        all.opened(5, FdKind::StreamSocket, ME);
        all.closing(5, ME);
        assert_eq!((all.kind(5), all.kind_now(5)), (FdKind::StreamSocket, FdKind::Unknown));
        all.opened_unseen(5);
        assert_eq!((all.kind(5), all.opened_by(5)), (FdKind::Unknown, Mark::default()));
        all.opened(6, FdKind::File, ME);
        all.closing(6, ME);
        all.closed_unseen(6, OTHER);
        assert_eq!((all.kind(6), all.opened_by(6)), (FdKind::Unknown, Mark::default()));
    }
}
