//! Names of native functions of a process that has died, from the files that it ran; and what an extension module says of itself.

use ftsan::safe_file;
use ftsan::triage::crash::{Crash, NativeFrame};
use ftsan::triage::names::{paths, symbols::readable};
use object::{Object as _, ObjectSection as _, ObjectSegment as _, ObjectSymbol as _};
use std::collections::HashMap;
use std::path::Path;

/// A file in memory: start, end, offset in the file, path.
pub(crate) type Mapping = (u64, u64, u64, String);

/// Larger files have no names of functions.  Those of PyTorch for CUDA have 1.5 GB.
const LARGEST: u64 = 2 << 30;

/// Resolves the return addresses of a native stack, innermost first.
pub(crate) fn native_stack(addresses: &[u64], maps: &[Mapping]) -> Vec<NativeFrame> {
    let mut files = Files::default();
    let mut frames = Vec::new();
    for (at, address) in addresses.iter().enumerate() {
        // A return address is behind the call; the innermost one is where it happened.
        let inside = if at == 0 { *address } else { address.saturating_sub(1) };
        let Some((start, _, offset, path)) = maps.iter().find(|(start, end, _, _)| (*start..*end).contains(&inside)) else {
            frames.push(NativeFrame { offset: *address, ..NativeFrame::default() });
            continue;
        };
        let in_file = address - start + offset;
        let nearest = files.functions(path).and_then(|functions| functions.around(in_file, address - inside));
        let (symbol, offset) = nearest.map_or((String::new(), in_file), |(name, offset)| (name.to_owned(), offset));
        frames.push(NativeFrame { module: path.clone(), symbol, offset, ..NativeFrame::default() });
    }
    frames
}

/// Names the functions for which a pasted dump has no name, where the files that it names are here: those of functions that are not
/// exported stand in the file and not in a dump of faulthandler.
///
/// The file must be the one that crashed: where it has a function must fit each frame that the dump has a name and an address for.
/// A file none of whose functions the dump names is taken for it if the interpreter's is.
pub(crate) fn name_functions(crash: &mut Crash, files: &mut Files) {
    let all = || crash.threads.iter().flat_map(|thread| &thread.native);
    let mut is_here: HashMap<String, Option<bool>> = HashMap::new();
    for module in all().filter(|frame| frame.symbol.is_empty() && frame.address.is_some()).map(|frame| &frame.module) {
        if Path::new(module).is_absolute() && !is_here.contains_key(module) {
            let fits = files.functions(module).and_then(|functions| functions.fit(all().filter(|frame| frame.module == *module)));
            is_here.insert(module.clone(), fits);
        }
    }
    let interpreter = is_here.iter().any(|(module, fits)| paths::is_interpreter(module) && *fits == Some(true));
    let is_it = |module: &str| is_here.get(module).is_some_and(|fits| fits.unwrap_or(interpreter));
    for thread in &mut crash.threads {
        let died = died_at(&thread.native);
        for (at, frame) in thread.native.iter_mut().enumerate() {
            if frame.symbol.is_empty()
                && frame.address.is_some()
                && is_it(&frame.module)
                && let Some(functions) = files.functions(&frame.module)
                && let Some(place) = functions.in_file(frame.offset)
                && let Some((name, offset)) = functions.around(place, u64::from(Some(at) != died))
            {
                frame.symbol = readable(name);
                frame.offset = offset;
            }
        }
    }
}

/// The frame that the signal interrupted: below faulthandler's own and the one of libc by which the kernel enters a handler.  All others are
/// return addresses.
fn died_at(native: &[NativeFrame]) -> Option<usize> {
    const ENTERED: usize = 4;
    native.first().filter(|frame| frame.symbol == "_Py_DumpStack")?;
    native.iter().take(ENTERED).position(|frame| paths::is_system(&frame.module)).map(|entry| entry + 1)
}

/// Files that were looked into.
#[derive(Default)]
pub(crate) struct Files(HashMap<String, Option<Functions>>);

impl Files {
    fn functions(&mut self, path: &str) -> Option<&Functions> {
        self.0.entry(path.to_owned()).or_insert_with(|| Functions::of(Path::new(path))).as_ref()
    }
}

/// A part of a file that is in memory: its address without the start, its size, its offset in the file.
type Segment = (u64, u64, u64);

/// The functions of a file.
struct Functions {
    /// Where each is in the file, its size (0 if unknown), its name; in order.
    all: Vec<(u64, u64, String)>,
    /// The segments: symbols have addresses, mappings have offsets.
    segments: Vec<Segment>,
}

impl Functions {
    fn of(path: &Path) -> Option<Functions> {
        let data = safe_file::read_input(path, LARGEST).ok()?;
        let file = object::File::parse(&*data).ok()?;
        let segments = file.segments().map(|one| (one.address(), one.size(), one.file_range().0)).collect();
        let mut functions = Functions { all: Vec::new(), segments };
        let symbols = file.symbols().chain(file.dynamic_symbols());
        for symbol in symbols.filter(|symbol| symbol.kind() == object::SymbolKind::Text && symbol.is_definition()) {
            if let (Some(at), Ok(name)) = (functions.of_address(symbol.address()), symbol.name()) {
                functions.all.push((at, symbol.size(), name.to_owned()));
            }
        }
        functions.all.sort();
        functions.all.dedup();
        Some(functions)
    }

    fn of_address(&self, address: u64) -> Option<u64> {
        let (start, _, offset) =
            self.segments.iter().find(|(start, size, _)| address.checked_sub(*start).is_some_and(|into| into < *size))?;
        (address - start).checked_add(*offset)
    }

    /// Where in the file that is which lies so far from its start in memory.
    fn in_file(&self, from_start: u64) -> Option<u64> {
        let lowest = self.segments.iter().map(|(start, ..)| *start).min()?;
        self.of_address(lowest.checked_add(from_start)?)
    }

    /// The function that a place `before` it is in, and the distance from its start.
    fn around(&self, in_file: u64, before: u64) -> Option<(&str, u64)> {
        let inside = in_file.checked_sub(before)?;
        let after = self.all.partition_point(|(start, ..)| *start <= inside);
        let (start, ..) = self.all.get(after.checked_sub(1)?)?;
        // Of several names of one function, the same each time.
        let (_, size, name) = self.all.get(self.all.partition_point(|(other, ..)| other < start))?;
        let is_in = |at: u64, (_, size, offset): &Segment| at.checked_sub(*offset).is_some_and(|into| into < *size);
        let both = |segment: &Segment| is_in(*start, segment) && is_in(inside, segment);
        let reaches = if *size == 0 { self.segments.iter().any(both) } else { in_file - start <= *size };
        reaches.then_some((name, in_file - start))
    }

    /// Whether these are the functions that frames of one file name, at their places; `None` if they name none.
    fn fit<'a>(&self, frames: impl Iterator<Item = &'a NativeFrame>) -> Option<bool> {
        let (unnamed, named): (Vec<_>, Vec<_>) = frames.partition(|frame| frame.symbol.is_empty());
        let mut starts = unnamed.iter().filter_map(|frame| frame.address?.checked_sub(frame.offset));
        let start = starts.next()?;
        let fits = |frame: &&NativeFrame| {
            let from_start = frame.address.and_then(|address| address.checked_sub(frame.offset)?.checked_sub(start));
            let Some(at) = from_start.and_then(|from_start| self.in_file(from_start)) else { return false };
            let first = self.all.partition_point(|(other, ..)| *other < at);
            self.all.iter().skip(first).take_while(|(other, ..)| *other == at).any(|(.., name)| readable(name) == frame.symbol)
        };
        if starts.any(|other| other != start) {
            return Some(false);
        }
        (!named.is_empty()).then(|| named.iter().all(fits))
    }
}

/// Whether a library has the function by which it is imported as a module of this name (`PyInit_`, PEP 489).
pub(crate) fn is_imported_as(path: &str, module: &str) -> bool {
    let Ok(data) = std::fs::read(path) else { return false };
    let function = format!("PyInit_{module}");
    let is_it = |symbol: object::Symbol<'_, '_>| symbol.is_definition() && symbol.name() == Ok(&function);
    object::File::parse(&*data).is_ok_and(|file| file.dynamic_symbols().any(is_it))
}

/// Whether an extension module declares that it works without the GIL; `None` if the file cannot be read.
///
/// It does so by a slot `{Py_mod_gil, Py_MOD_GIL_NOT_USED}` = `{4, 1}` (`Include/moduleobject.h`) in its data, or by calling
/// `PyUnstable_Module_SetGIL`.
pub(crate) fn declares_free_threading(path: &str) -> Option<bool> {
    const SLOT: [u8; 16] = [4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];
    let data = std::fs::read(path).ok()?;
    let file = object::File::parse(&*data).ok()?;
    let calls = file.dynamic_symbols().any(|symbol| symbol.is_undefined() && symbol.name() == Ok("PyUnstable_Module_SetGIL"));
    let in_data = file.sections().filter(|section| {
        section.kind() == object::SectionKind::Data || section.name().is_ok_and(|name| name.starts_with(".data"))
    });
    let has_slot =
        |bytes: &[u8]| bytes.chunks_exact(8).zip(bytes.chunks_exact(8).skip(1)).any(|(a, b)| a == &SLOT[..8] && b == &SLOT[8..]);
    Some(calls || in_data.filter_map(|section| section.data().ok()).any(has_slot))
}
