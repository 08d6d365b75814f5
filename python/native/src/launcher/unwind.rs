//! The native stack of a thread that has died, from its registers, the words on its stack and the unwind tables of the files in memory.
//!
//! Not in the dying process: an unwinder there takes the loader's lock and believes whatever the crash has left on the stack.

use crate::launcher::symbols::Mapping;
use framehop::{ExplicitModuleSectionInfo, FrameAddress, Module, Unwinder};
use ftsan::recording::read::Died;
use object::{Object as _, ObjectSection as _, ObjectSegment as _};
use std::collections::BTreeMap;
use std::ops::Range;

#[cfg(target_arch = "aarch64")]
use framehop::aarch64::{CacheAarch64 as Cache, UnwindRegsAarch64 as Registers, UnwinderAarch64 as MachineUnwinder};
#[cfg(target_arch = "x86_64")]
use framehop::x86_64::{CacheX86_64 as Cache, UnwindRegsX86_64 as Registers, UnwinderX86_64 as MachineUnwinder};

/// Frames that are kept.
const MOST: usize = 64;

/// Return addresses, innermost first; the first is where it happened.
pub(crate) fn stack(died: &Died) -> Vec<u64> {
    let [pc, mut sp, fp, link] = died.at;
    let read = |address: u64| died.stack.get(usize::try_from(address.checked_sub(died.stack_start)? / 8).ok()?).copied();
    let is_code = |address: u64| died.maps.iter().any(|(start, end, ..)| (*start..*end).contains(&address));
    let mut addresses = vec![pc];
    let mut start = pc;
    if !is_code(pc) {
        // A call of a bad address: the unwind tables know nothing of it, but its caller is at hand.
        let caller = if cfg!(target_arch = "x86_64") { read(sp) } else { Some(link) };
        let Some(caller) = caller.filter(|caller| is_code(*caller)) else { return addresses };
        sp += if cfg!(target_arch = "x86_64") { 8 } else { 0 };
        addresses.push(caller);
        start = caller;
    }
    let mut unwinder = MachineUnwinder::<Vec<u8>>::new();
    for (path, ranges) in by_file(&died.maps) {
        if let Some(module) = module(path, &ranges) {
            unwinder.add_module(module);
        }
    }
    #[cfg(target_arch = "x86_64")]
    let mut registers = Registers::new(start, sp, fp);
    #[cfg(target_arch = "aarch64")]
    let mut registers = Registers::new(link, sp, fp);
    let mut cache = Cache::new();
    let mut read_stack = |address: u64| read(address).ok_or(());
    let mut at = if addresses.len() == 1 {
        Some(FrameAddress::from_instruction_pointer(start))
    } else {
        FrameAddress::from_return_address(start)
    };
    while let Some(frame) = at.filter(|_| addresses.len() < MOST) {
        let Ok(Some(caller)) = unwinder.unwind_frame(frame, &mut registers, &mut cache, &mut read_stack) else { break };
        if !is_code(caller) {
            break;
        }
        addresses.push(caller);
        at = FrameAddress::from_return_address(caller);
    }
    addresses
}

/// Where each file is in memory: addresses and the offset in the file of the lowest one.
fn by_file(maps: &[Mapping]) -> BTreeMap<&str, (Range<u64>, u64)> {
    let mut files: BTreeMap<&str, (Range<u64>, u64)> = BTreeMap::new();
    for (start, end, offset, path) in maps {
        let (range, first) = files.entry(path).or_insert((*start..*end, *offset));
        if *start < range.start {
            (range.start, *first) = (*start, *offset);
        }
        range.end = range.end.max(*end);
    }
    files
}

fn module(path: &str, (range, first_offset): &(Range<u64>, u64)) -> Option<Module<Vec<u8>>> {
    let data = std::fs::read(path).ok()?;
    let file = object::File::parse(&*data).ok()?;
    // The address in the file's own terms of what is mapped lowest.
    let first = file.segments().find(|one| {
        let (offset, size) = one.file_range();
        // Mappings begin at a page.
        (offset & !0xFFF..offset + size).contains(first_offset)
    })?;
    let base_svma = 0;
    let (offset, _) = first.file_range();
    let base_avma = range.start.wrapping_sub(first.address() - (offset - first_offset));
    let section = |name: &str| {
        let section = file.section_by_name(name)?;
        Some((section.address()..section.address() + section.size(), section.uncompressed_data().ok()?.into_owned()))
    };
    let (eh_frame_svma, eh_frame) = section(".eh_frame").unzip();
    let (eh_frame_hdr_svma, eh_frame_hdr) = section(".eh_frame_hdr").unzip();
    let (text_svma, text) = section(".text").unzip();
    let sections = ExplicitModuleSectionInfo {
        base_svma,
        text_svma,
        text,
        got_svma: section(".got").map(|(range, _)| range),
        eh_frame_svma,
        eh_frame,
        eh_frame_hdr_svma,
        eh_frame_hdr,
        ..ExplicitModuleSectionInfo::default()
    };
    Some(Module::new(path.to_owned(), range.clone(), base_avma, sections))
}
