//! Positions and stacks of Python code, each kept once and named by a number.
//!
//! A position is resolved to file, line and function when it is first seen, by the thread that is there: nothing in a recording needs
//! the process to be read.  Tables are filled without a lock; an entry that finds no place has no name (0).

use super::operation::{FIRST_WATCHED, Operation};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use zerocopy::FromZeros;

/// Names a position; 0 is "none".
pub type SiteId = u32;
/// Names a stack; 0 is "none".
pub type StackId = u32;

/// Frames kept of a stack.
pub const DEPTH: usize = 13;
/// Under Miri a test takes minutes with tables as large as they are.
const fn large(size: usize) -> usize {
    if cfg!(miri) { 1 << 6 } else { size }
}

const SITES: usize = large(1 << 12);
const STACKS: usize = large(1 << 12);
const OPERATIONS: usize = large(1 << 10);
const TEXT: usize = large(1 << 20);
const PROBES: usize = 16;

/// Where Python code is: a code object and an instruction, by their addresses.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Position {
    /// Address of the code object.
    pub code: usize,
    /// Address of the instruction.
    pub instruction: usize,
    /// Address of the code object's qualified name: tells code objects at a reused address apart.
    pub check: usize,
}

/// A piece of text in [`Sites`].
#[repr(transparent)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextRef(pub u64);

/// What a position is resolved to.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub struct Resolved {
    /// File as the code object names it.
    pub file: TextRef,
    /// Qualified name of the function.
    pub function: TextRef,
    /// Line, from 1; 0 if unknown.
    pub line: u32,
}

const EMPTY: u32 = 0;
const BUSY: u32 = 1;
const READY: u32 = 2;

#[repr(C)]
#[derive(Debug, FromZeros)]
struct Site {
    state: AtomicU32,
    line: AtomicU32,
    code: AtomicUsize,
    instruction: AtomicUsize,
    check: AtomicUsize,
    file: AtomicU64,
    function: AtomicU64,
}

#[repr(C)]
#[derive(Debug, FromZeros)]
struct Stack {
    state: AtomicU32,
    hash: AtomicU32,
    len: AtomicU32,
    sites: [AtomicU32; DEPTH],
}

/// The tables.
#[repr(C)]
#[derive(Debug, FromZeros)]
pub struct Sites {
    text_used: AtomicUsize,
    operations_used: AtomicU32,
    operations: [AtomicU64; OPERATIONS],
    sites: [Site; SITES],
    stacks: [Stack; STACKS],
    text: [AtomicU8; TEXT],
}

/// Where the tables are in the bytes of a recording, for [`super::read`].
pub(super) mod layout {
    use super::{Site, Sites, Stack};
    use std::mem::offset_of;

    pub(crate) const OPERATIONS: usize = offset_of!(Sites, operations);
    pub(crate) const SITES: usize = offset_of!(Sites, sites);
    pub(crate) const TEXT: usize = offset_of!(Sites, text);
    pub(crate) const SITE: usize = size_of::<Site>();
    pub(crate) const SITE_STATE: usize = offset_of!(Site, state);
    pub(crate) const SITE_LINE: usize = offset_of!(Site, line);
    pub(crate) const SITE_FILE: usize = offset_of!(Site, file);
    pub(crate) const SITE_FUNCTION: usize = offset_of!(Site, function);
    pub(crate) const READY: u32 = super::READY;
    const _: () = assert!(size_of::<Stack>() == 64, "a cache line");
}

fn mix(hash: u64, word: u64) -> u64 {
    let hash = (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ hash >> 29
}

/// Tells stacks apart, and is never 0: 64 bits, of which no two stacks that a process comes to have the same.
pub(super) fn hash_of(positions: &[Position]) -> u64 {
    let word = |position: &Position| {
        position.instruction as u64 ^ (position.code as u64).rotate_left(24) ^ (position.check as u64).rotate_left(48)
    };
    positions.iter().fold(3, |hash, position| mix(hash, word(position))).max(1)
}

fn places(hash: u64, size: usize) -> impl Iterator<Item = usize> {
    (0..PROBES).map(move |i| (hash as usize).wrapping_add(i) % size)
}

fn claim(state: &AtomicU32) -> bool {
    state.compare_exchange(EMPTY, BUSY, Ordering::Acquire, Ordering::Relaxed).is_ok()
}

impl Sites {
    /// Keeps a text; one that does not fit is empty.
    pub fn add_text(&self, bytes: &[u8]) -> TextRef {
        let at = self.text_used.fetch_add(bytes.len(), Ordering::Relaxed);
        if at.checked_add(bytes.len()).is_none_or(|end| end > TEXT) {
            return TextRef::default();
        }
        for (byte, slot) in bytes.iter().zip(self.text.iter().skip(at)) {
            slot.store(*byte, Ordering::Relaxed);
        }
        TextRef((at as u64) << 32 | bytes.len() as u64)
    }

    /// A number for a watched operation.
    pub fn name_operation(&self, name: &str) -> Operation {
        let at = self.operations_used.fetch_add(1, Ordering::Relaxed);
        if let Some(slot) = self.operations.get(at as usize) {
            slot.store(self.add_text(name.as_bytes()).0, Ordering::Relaxed);
        }
        Operation(FIRST_WATCHED + at)
    }

    /// Names a position, which `resolve` is asked about if it is new.
    pub fn site(&self, position: Position, resolve: impl FnOnce(&Self) -> Option<Resolved>) -> SiteId {
        let hash = mix(mix(1, position.instruction as u64), position.code as u64);
        for at in places(hash, SITES) {
            let Some(site) = self.sites.get(at) else { return 0 };
            let state = site.state.load(Ordering::Acquire);
            if state == READY {
                let known = Position {
                    code: site.code.load(Ordering::Relaxed),
                    instruction: site.instruction.load(Ordering::Relaxed),
                    check: site.check.load(Ordering::Relaxed),
                };
                if known == position {
                    return at as u32 + 1;
                }
            } else if state == EMPTY && claim(&site.state) {
                let resolved = resolve(self).unwrap_or_default();
                site.line.store(resolved.line, Ordering::Relaxed);
                site.file.store(resolved.file.0, Ordering::Relaxed);
                site.function.store(resolved.function.0, Ordering::Relaxed);
                site.code.store(position.code, Ordering::Relaxed);
                site.instruction.store(position.instruction, Ordering::Relaxed);
                site.check.store(position.check, Ordering::Relaxed);
                site.state.store(READY, Ordering::Release);
                return at as u32 + 1;
            }
        }
        0
    }

    /// Names a stack, innermost site first.
    pub fn stack(&self, sites: &[SiteId]) -> StackId {
        let sites = sites.get(..DEPTH).unwrap_or(sites);
        if sites.is_empty() {
            return 0;
        }
        let hash = sites.iter().fold(2, |hash, site| mix(hash, u64::from(*site)));
        for at in places(hash, STACKS) {
            let Some(stack) = self.stacks.get(at) else { return 0 };
            let state = stack.state.load(Ordering::Acquire);
            if state == READY {
                if stack.hash.load(Ordering::Relaxed) == hash as u32 && stack.sites().eq(sites.iter().copied()) {
                    return at as u32 + 1;
                }
            } else if state == EMPTY && claim(&stack.state) {
                stack.hash.store(hash as u32, Ordering::Relaxed);
                stack.len.store(sites.len() as u32, Ordering::Relaxed);
                for (slot, site) in stack.sites.iter().zip(sites) {
                    slot.store(*site, Ordering::Relaxed);
                }
                stack.state.store(READY, Ordering::Release);
                return at as u32 + 1;
            }
        }
        0
    }

    /// The sites of a stack, innermost first.
    pub fn sites_of(&self, stack: StackId) -> impl Iterator<Item = SiteId> {
        let stack = self.stacks.get((stack as usize).wrapping_sub(1));
        stack.into_iter().filter(|stack| stack.state.load(Ordering::Acquire) == READY).flat_map(Stack::sites)
    }

    /// File, line and function of a site.
    pub fn resolved(&self, site: SiteId) -> Option<(String, u32, String)> {
        let site = self.sites.get((site as usize).wrapping_sub(1))?;
        (site.state.load(Ordering::Acquire) == READY).then(|| {
            let text = |text: &AtomicU64| self.read_text(TextRef(text.load(Ordering::Relaxed)));
            (text(&site.file), site.line.load(Ordering::Relaxed), text(&site.function))
        })
    }

    /// How many bytes from its beginning are in use.
    pub fn used_bytes(&self) -> usize {
        std::mem::offset_of!(Sites, text) + self.text_used.load(Ordering::Relaxed).min(TEXT)
    }

    fn read_text(&self, text: TextRef) -> String {
        let (at, len) = ((text.0 >> 32) as usize, text.0 as u32 as usize);
        let bytes: Vec<u8> = self.text.iter().skip(at).take(len).map(|byte| byte.load(Ordering::Relaxed)).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Name of an operation.
    pub fn operation_name(&self, operation: Operation) -> String {
        let watched = || self.operations.get((operation.0.checked_sub(FIRST_WATCHED)?) as usize);
        match operation.call() {
            Some(name) => name.to_owned(),
            None => watched().map_or_else(String::new, |text| self.read_text(TextRef(text.load(Ordering::Relaxed)))),
        }
    }
}

impl Stack {
    fn sites(&self) -> impl Iterator<Item = SiteId> {
        let len = self.len.load(Ordering::Relaxed) as usize;
        self.sites.iter().take(len).map(|site| site.load(Ordering::Relaxed))
    }
}
