//! The symbol at an address of a process that has died, from the map of its memory and the files that were there; and what an
//! extension module says of itself.

use ftsan::triage::crash::NativeFrame;
use object::{Object as _, ObjectSection as _, ObjectSegment as _, ObjectSymbol as _};
use std::collections::HashMap;

/// A file in memory: start, end, offset in the file, path.
pub(crate) type Mapping = (u64, u64, u64, String);

/// Resolves the return addresses of a native stack, innermost first.
pub(crate) fn native_stack(addresses: &[u64], maps: &[Mapping]) -> Vec<NativeFrame> {
    let mut symbols: HashMap<&str, Vec<Function>> = HashMap::new();
    let mut frames = Vec::new();
    for (at, address) in addresses.iter().enumerate() {
        // A return address is behind the call; the innermost one is where it happened.
        let inside = if at == 0 { *address } else { address.saturating_sub(1) };
        let Some((start, _, offset, path)) = maps.iter().find(|(start, end, _, _)| (*start..*end).contains(&inside)) else {
            frames.push(NativeFrame { offset: *address, ..NativeFrame::default() });
            continue;
        };
        let in_file = address - start + offset;
        let table = symbols.entry(path).or_insert_with(|| symbols_of(path).unwrap_or_default());
        let after = table.partition_point(|(start, ..)| *start <= in_file - (address - inside));
        let nearest = after.checked_sub(1).and_then(|before| table.get(before));
        let nearest = nearest.filter(|(start, size, _)| *size == 0 || in_file - start <= *size);
        let (symbol, offset) = nearest.map_or((String::new(), in_file), |(start, _, name)| (name.clone(), in_file - start));
        frames.push(NativeFrame { module: path.clone(), symbol, offset, ..NativeFrame::default() });
    }
    frames
}

/// Where a function is in its file, its size (0 if unknown), its name.
type Function = (u64, u64, String);

/// Functions of a file, in order.
fn symbols_of(path: &str) -> Option<Vec<Function>> {
    let data = std::fs::read(path).ok()?;
    let file = object::File::parse(&*data).ok()?;
    // Symbols have addresses, mappings have offsets in the file.
    let segments: Vec<(u64, u64, u64)> = file.segments().map(|one| (one.address(), one.size(), one.file_range().0)).collect();
    let in_file = |address: u64| {
        let (start, _, offset) = segments.iter().find(|(start, size, _)| (*start..start + size).contains(&address))?;
        Some(address - start + offset)
    };
    let functions = file
        .symbols()
        .chain(file.dynamic_symbols())
        .filter(|symbol| symbol.kind() == object::SymbolKind::Text && symbol.is_definition());
    let mut all: Vec<Function> =
        functions.filter_map(|symbol| Some((in_file(symbol.address())?, symbol.size(), symbol.name().ok()?.to_owned()))).collect();
    all.sort();
    all.dedup_by_key(|(start, ..)| *start);
    Some(all)
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
