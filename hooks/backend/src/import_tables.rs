//! Import tables: each loaded library has one slot per function that it imports, which the loader filled and which is overwritten here.
//!
//! Calls by name are seen, whoever makes them; calls by an address that was looked up before are not.  A library that is loaded later
//! has slots of its own: [`divert_in_new`].

use crate::{Backend, Diversion, Refused, Target};
use libc::{c_int, c_void, dl_phdr_info, size_t};
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The backend.
#[derive(Debug, Default)]
pub struct ImportTables;

impl Backend for ImportTables {
    unsafe fn replace(&mut self, target: Target<'_>, detour: *const c_void, original: &AtomicUsize) -> Result<(), Refused> {
        let before = original.swap(target.address as usize, Ordering::AcqRel);
        // SAFETY: the caller's guarantees.
        let count = unsafe { change_in_new(&|name| (name == target.name).then_some(Change::to(detour)), Libraries::default()) };
        if count == 0 {
            original.store(before, Ordering::Release); // nothing calls the detour
            return Err(Refused::NoCaller);
        }
        Ok(())
    }

    /// In one pass over the tables, without an allocation.  Libraries that import a function later are yet to be rewritten, so the
    /// originals are set whether anything calls the function by now or not.
    unsafe fn replace_all(&mut self, diversions: &[Diversion<'_>]) {
        for one in diversions {
            one.original.store(one.target.address as usize, Ordering::Release);
        }
        // SAFETY: the caller's guarantee.
        unsafe { divert_in_new(diversions, Libraries::default()) };
    }
}

/// Diversions by name.  Libraries import hundreds of times as many names as are diverted: one bit tells most of the others.
struct Named<'a> {
    diversions: &'a [Diversion<'a>],
    bits: [u64; 4],
}

impl<'a> Named<'a> {
    fn new(diversions: &'a [Diversion<'a>]) -> Self {
        let mut bits = [0; 4];
        for bit in diversions.iter().map(|one| Self::bit(one.target.name)) {
            bits[bit / 64] |= 1 << (bit % 64);
        }
        Named { diversions, bits }
    }

    fn find(&self, name: &CStr) -> Option<&'a Diversion<'a>> {
        let bit = Self::bit(name);
        let may_be = self.bits[bit / 64] & 1 << (bit % 64) != 0;
        may_be.then(|| self.diversions.iter().find(|one| one.target.name == name)).flatten()
    }

    fn bit(name: &CStr) -> usize {
        let bytes = name.to_bytes();
        let [first, last] = [bytes.first(), bytes.last()].map(|byte| byte.copied().map_or(0, usize::from));
        (first * 5 + last * 3 + bytes.len() * 31) % 256
    }
}

/// The address that a slot is to hold, and the one that it has to hold for that; null for anything.
struct Change {
    from: *const c_void,
    to: *const c_void,
}

impl Change {
    fn to(to: *const c_void) -> Change {
        Change { from: std::ptr::null(), to }
    }
}

struct Rewriting<'a> {
    change: &'a dyn Fn(&CStr) -> Option<Change>,
    walk: Walk,
    own: usize,
    count: usize,
}

/// The libraries that are loaded, in the loader's order, which is that in which they were loaded: how many, and a hash of where they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Libraries {
    count: u32,
    hash: u32,
}

impl Libraries {
    /// Those that are loaded now.  Takes the loader's lock, and allocates nothing.
    pub fn now() -> Libraries {
        let mut loaded = Libraries::default();
        // SAFETY: the callback gets what is passed here.
        unsafe { libc::dl_iterate_phdr(Some(count), (&raw mut loaded).cast::<c_void>()) };
        loaded
    }

    /// As one word, of which [`Libraries::from_word`] makes the same.
    pub fn to_word(self) -> u64 {
        u64::from(self.count) << 32 | u64::from(self.hash)
    }

    /// See [`Libraries::to_word`].
    pub fn from_word(word: u64) -> Libraries {
        Libraries { count: (word >> 32) as u32, hash: word as u32 }
    }

    fn add(&mut self, base: usize) {
        self.count += 1;
        self.hash = (self.hash.rotate_left(5) ^ (base >> 12) as u32).wrapping_mul(0x9e37_79b1);
    }
}

/// A walk over the libraries that leaves out those that are known.
#[derive(Default)]
struct Walk {
    known: Libraries,
    seen: Libraries,
    /// Something else stands in a place of the known ones.
    is_lost: bool,
}

impl Walk {
    /// Whether the next library is one of the known ones.
    fn is_known(&mut self, base: usize) -> bool {
        let is_known = self.seen.count < self.known.count;
        self.seen.add(base);
        self.is_lost |= self.seen.count == self.known.count && self.seen != self.known;
        is_known
    }

    /// Whether what was taken for the known libraries was them.
    fn has_kept_its_way(&self) -> bool {
        !self.is_lost && self.seen.count >= self.known.count
    }
}

/// Diverts calls from libraries that were loaded after `known` was asked for; from all of them, if one of those has been unloaded.
///
/// # Safety
/// As for [`Backend::replace_all`], which has set the originals.
pub unsafe fn divert_in_new(diversions: &[Diversion<'_>], known: Libraries) {
    let named = Named::new(diversions);
    // SAFETY: the caller's guarantee.
    unsafe { change_in_new(&|name| named.find(name).map(|one| Change::to(one.detour)), known) };
}

/// Puts the functions back into the slots that hold their detours; threads may be in those.  Slots that somebody else has overwritten
/// stay as they are.  Returns how many were put back.
///
/// # Safety
/// The targets have the addresses of the functions.
pub unsafe fn put_back(diversions: &[Diversion<'_>]) -> usize {
    let named = Named::new(diversions);
    let change = |name: &CStr| named.find(name).map(|one| Change { from: one.detour, to: one.target.address });
    // SAFETY: the caller's guarantee.
    unsafe { change_in_new(&change, Libraries::default()) }
}

/// Overwrites the slots for which there is a change, in all libraries but this one and, if none of them was unloaded, those that are
/// known; returns how many.  Takes the loader's lock, and allocates nothing.
///
/// # Safety
/// The functions that slots are to hold have the calling convention and signature of those that the slots are for, and are never unloaded.
unsafe fn change_in_new(change: &dyn Fn(&CStr) -> Option<Change>, known: Libraries) -> usize {
    let walk = Walk { known, ..Walk::default() };
    let mut rewriting = Rewriting { change, walk, own: change_in_new as *const c_void as usize, count: 0 };
    // SAFETY: the callback gets what is passed here.
    unsafe { libc::dl_iterate_phdr(Some(library), (&raw mut rewriting).cast::<c_void>()) };
    if rewriting.walk.has_kept_its_way() {
        return rewriting.count;
    }
    // SAFETY: passed on.
    unsafe { change_in_new(change, Libraries::default()) }
}

unsafe extern "C" fn count(info: *mut dl_phdr_info, _: size_t, data: *mut c_void) -> c_int {
    // SAFETY: the loader's, and what `Libraries::now` passed.
    unsafe { (*data.cast::<Libraries>()).add((*info).dlpi_addr as usize) };
    0
}

/// Entries of a dynamic section, `<elf.h>`.
mod tag {
    pub(super) const NULL: i64 = 0;
    pub(super) const PLT_SIZE: i64 = 2;
    pub(super) const STRINGS: i64 = 5;
    pub(super) const SYMBOLS: i64 = 6;
    pub(super) const RELA: i64 = 7;
    pub(super) const RELA_SIZE: i64 = 8;
    pub(super) const PLT: i64 = 23;
    /// How many of those in `RELA` come first and have no symbol.
    pub(super) const RELATIVE: i64 = 0x6fff_fff9;
}

#[cfg(target_arch = "x86_64")]
const SLOT_KINDS: [u32; 2] = [6, 7]; // R_X86_64_GLOB_DAT, R_X86_64_JUMP_SLOT
#[cfg(target_arch = "aarch64")]
const SLOT_KINDS: [u32; 2] = [1025, 1026]; // R_AARCH64_GLOB_DAT, R_AARCH64_JUMP_SLOT

unsafe extern "C" fn library(info: *mut dl_phdr_info, _: size_t, data: *mut c_void) -> c_int {
    // SAFETY: the loader's, and what `change_in_new` passed; everything read below is mapped as the library's headers say.
    unsafe {
        let rewriting = &mut *data.cast::<Rewriting<'_>>();
        let base = (*info).dlpi_addr as usize;
        if rewriting.walk.is_known(base) {
            return 0;
        }
        let headers = std::slice::from_raw_parts((*info).dlpi_phdr, usize::from((*info).dlpi_phnum));
        let contains = |address: usize| {
            let loaded = headers.iter().filter(|header| header.p_type == libc::PT_LOAD);
            loaded.clone().any(|header| {
                let start = base + header.p_vaddr as usize;
                (start..start + header.p_memsz as usize).contains(&address)
            })
        };
        if contains(rewriting.own) {
            return 0;
        }
        let Some(dynamic) = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC) else { return 0 };
        let mut entry = (base + dynamic.p_vaddr as usize) as *const [i64; 2];
        let (mut strings, mut symbols, mut relative, mut tables) = (0, 0, 0, [(0_usize, 0_usize); 2]);
        while (*entry)[0] != tag::NULL {
            let value = (*entry)[1] as usize;
            match (*entry)[0] {
                tag::STRINGS => strings = value,
                tag::SYMBOLS => symbols = value,
                tag::RELA => tables[0].0 = value,
                tag::RELA_SIZE => tables[0].1 = value,
                tag::RELATIVE => relative = value,
                tag::PLT => tables[1].0 = value,
                tag::PLT_SIZE => tables[1].1 = value,
                _ => {}
            }
            entry = entry.add(1);
        }
        // The kernel's own library has addresses that were not relocated; it imports nothing.
        if strings == 0 || symbols == 0 || !contains(strings) || !contains(symbols) {
            return 0;
        }
        for ((table, size), skipped) in tables.into_iter().zip([relative, 0]) {
            for at in skipped..size / size_of::<libc::Elf64_Rela>() {
                let relocation = &*(table as *const libc::Elf64_Rela).add(at);
                if !SLOT_KINDS.contains(&(relocation.r_info as u32)) {
                    continue;
                }
                let symbol = &*(symbols as *const libc::Elf64_Sym).add((relocation.r_info >> 32) as usize);
                let name = CStr::from_ptr((strings + symbol.st_name as usize) as *const libc::c_char);
                if let Some(change) = (rewriting.change)(name)
                    && overwrite((base + relocation.r_offset as usize) as *mut *const c_void, &change)
                {
                    rewriting.count += 1;
                }
            }
        }
    }
    0
}

/// Overwrites one slot.  The loader may have made its page read-only; it is writable from then on.
///
/// # Safety
/// A slot of an import table.
unsafe fn overwrite(slot: *mut *const c_void, change: &Change) -> bool {
    // SAFETY: an aligned pointer in mapped memory; another thread that calls through it sees the old or the new one.
    unsafe {
        let there = slot.read_volatile();
        if there == change.to {
            return true;
        }
        if !change.from.is_null() && there != change.from {
            return false;
        }
        let size = libc::sysconf(libc::_SC_PAGESIZE) as usize;
        let page = (slot as usize & !(size - 1)) as *mut c_void;
        // Not all slots are in read-only pages, and which are is said in terms of the file: a write through the kernel needs no answer.
        // For each slot anew: the loader makes those of a library that another thread loads read-only when it likes.
        if libc::mprotect(page, size, libc::PROT_READ | libc::PROT_WRITE) != 0 {
            return false;
        }
        slot.write_volatile(change.to);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the libraries at `bases` a walk takes for new ones, and whether they are all that there are.
    fn new_ones(known: &[usize], bases: &[usize]) -> (Vec<usize>, bool) {
        let mut walk = Walk { known: listed(known), ..Walk::default() };
        let new = bases.iter().copied().filter(|base| !walk.is_known(*base)).collect();
        (new, walk.has_kept_its_way())
    }

    fn listed(bases: &[usize]) -> Libraries {
        bases.iter().fold(Libraries::default(), |mut listed, base| {
            listed.add(*base);
            listed
        })
    }

    #[test]
    fn what_is_known_is_left_out() {
        assert_eq!(new_ones(&[0x1000, 0x2000], &[0x1000, 0x2000, 0x3000]), (vec![0x3000], true));
        assert_eq!(new_ones(&[0x1000, 0x2000], &[0x1000, 0x2000]), (vec![], true));
        assert_eq!(new_ones(&[], &[0x1000]), (vec![0x1000], true));
    }

    #[test]
    fn what_was_unloaded_is_noticed() {
        for now in [&[0x1000, 0x3000, 0x4000][..], &[0x2000, 0x3000], &[0x1000], &[]] {
            assert!(!new_ones(&[0x1000, 0x2000], now).1, "{now:x?}");
        }
        // In another order: none of them is where it was.
        assert!(!new_ones(&[0x1000, 0x2000], &[0x2000, 0x1000]).1);
    }

    #[test]
    fn what_is_loaded_is_counted() {
        let before = Libraries::now();
        assert!(before.count > 2, "{before:?}");
        assert_eq!(Libraries::from_word(before.to_word()), before);
        // SAFETY: a library of libc's that does nothing when it is loaded.
        let library = unsafe { libc::dlopen(c"libanl.so.1".as_ptr(), libc::RTLD_NOW) };
        assert!(!library.is_null());
        assert_eq!(Libraries::now().count, before.count + 1);
    }
}
