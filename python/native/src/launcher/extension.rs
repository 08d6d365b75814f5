//! The file of an extension module, read without loading it: what it declares about the GIL, what it uses of Python, and how much
//! memory it can write to.
//!
//! A module with multi-phase initialisation has a `PyModuleDef` among its data, which leads to its slots (`Include/moduleobject.h`).  One is
//! recognised by its header, which is that of an immortal object on a free-threaded build, and by its name.  A definition that is
//! made while the module is initialised, in memory of which the file only has the size, cannot be seen in the file.

use object::read::elf::ElfFile64;
use object::{Endianness, Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SectionFlags, elf};
use std::collections::HashMap;

/// Words of a `PyModuleDef` on a free-threaded build, in bytes from its beginning.
const NAME: u64 = 56;
const SLOTS: u64 = 88;
const SIZE: u64 = 120;
/// `_Py_IMMORTAL_REFCNT_LOCAL` in the upper half of the second word of the header.
const IMMORTAL: u64 = 0xFFFF_FFFF;

/// No slot of a module has a higher number (`Include/slots_generated.h` of 3.15), and there are not so many.
const MOST_SLOTS: u32 = 128;
/// `Py_mod_gil`: as it was up to 3.14, and what a module built for 3.15 calls it.
const GIL: u32 = 4;
const GIL_SINCE_3_15: u32 = 87;
/// `Py_slot_subslots`: its value is where more slots are.
const MORE: u32 = 92;
/// The upper half of a slot's number is flags since 3.15, zeros before.
const NUMBER: u32 = 0xFFFF;
/// How far slots may lead to more slots.
const DEEPEST: u32 = 1;
const NOT_USED: u64 = 1;

/// An extension module's file.
#[derive(Debug)]
pub(crate) struct Extension {
    /// Names of the modules that it has a function to initialise of.
    pub(crate) modules: Vec<String>,
    /// Whether it declares that it can do without the GIL; `None` if that is not to be seen in the file.
    pub(crate) declares: Option<bool>,
    /// What it uses of Python's C interface.
    pub(crate) uses: Vec<String>,
    /// Bytes that it can write to, and that all threads have in common.
    pub(crate) writable: u64,
}

/// Reads a file.
///
/// # Errors
/// It is no ELF file for 64 bits; one line.
pub(crate) fn read(data: &[u8]) -> Result<Extension, String> {
    let file = ElfFile64::<Endianness>::parse(data).map_err(|error| error.to_string())?;
    let undefined = file.dynamic_symbols().filter(|symbol| symbol.is_undefined());
    let mut uses: Vec<String> =
        undefined.filter_map(|symbol| symbol.name().ok()).filter(|name| is_pythons(name)).map(str::to_owned).collect();
    uses.sort_unstable();
    uses.dedup();
    let defined = file.dynamic_symbols().filter(|symbol| symbol.is_definition());
    // The second is 3.15's (PEP 793).
    let module =
        |name: &str| ["PyInit_", "PyModExport_"].into_iter().find_map(|prefix| name.strip_prefix(prefix).map(str::to_owned));
    let mut modules: Vec<String> = defined.filter_map(|symbol| module(symbol.name().ok()?)).collect();
    modules.sort_unstable();
    modules.dedup();
    let image = Image::of(&file);
    let slots: Vec<Option<bool>> = image.definitions(&modules).map(|slots| image.declares(slots, 0)).collect();
    let declares = match slots.as_slice() {
        [first, rest @ ..] if rest.iter().all(|other| other == first) => *first,
        _ => None,
    };
    Ok(Extension { modules, declares, uses, writable: image.writable })
}

fn is_pythons(name: &str) -> bool {
    name.starts_with("Py") || name.starts_with("_Py")
}

/// The contents of the addresses once the file is loaded.
struct Image<'a> {
    sections: Vec<(u64, &'a [u8], bool)>,
    /// The pointers that the loader puts there, by place; one that it does not know of yet (a symbol of another file) is 0.
    pointers: HashMap<u64, u64>,
    writable: u64,
}

impl<'a> Image<'a> {
    fn of(file: &ElfFile64<'a, Endianness>) -> Self {
        let mut sections = Vec::new();
        let mut writable = 0;
        for section in file.sections() {
            let SectionFlags::Elf { sh_flags, .. } = section.flags() else { continue };
            let flags = |flag: elf::SectionFlags| sh_flags.contains(flag);
            if !flags(elf::SHF_ALLOC) {
                continue;
            }
            let name = section.name().unwrap_or_default();
            let is_written_by_loader =
                name.starts_with(".got") || name.starts_with(".data.rel.ro") || name == ".dynamic" || name.ends_with("_array");
            // Each thread has its own of what is thread-local.
            if flags(elf::SHF_WRITE) && !flags(elf::SHF_TLS) && !is_written_by_loader {
                writable += section.size();
            }
            sections.push((section.address(), section.data().unwrap_or_default(), flags(elf::SHF_WRITE)));
        }
        let symbols: HashMap<_, u64> = file.dynamic_symbols().map(|symbol| (symbol.index(), symbol.address())).collect();
        let mut pointers = HashMap::new();
        for (at, relocation) in file.dynamic_relocations().into_iter().flatten() {
            let mut base = 0;
            if let RelocationTarget::Symbol(index) = relocation.target() {
                base = symbols.get(&index).copied().unwrap_or(0);
            }
            pointers.insert(at, base.wrapping_add_signed(relocation.addend()));
        }
        Image { sections, pointers, writable }
    }

    fn bytes(&self, address: u64) -> Option<&'a [u8]> {
        let (start, data, _) =
            self.sections.iter().find(|(start, data, _)| (*start..start + data.len() as u64).contains(&address))?;
        data.get((address - start) as usize..)
    }

    /// The word at an address as it is once the file is loaded.
    fn word(&self, address: u64) -> Option<u64> {
        let in_file = self.bytes(address)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))?;
        Some(self.pointers.get(&address).copied().unwrap_or(in_file))
    }

    fn text(&self, address: u64) -> Option<&'a str> {
        let bytes = self.bytes(address)?;
        let end = bytes.iter().take(256).position(|byte| *byte == 0)?;
        std::str::from_utf8(&bytes[..end]).ok()
    }

    /// Addresses of the slots of every definition of a module of one of these names, 0 where it has none.
    fn definitions(&self, modules: &[String]) -> impl Iterator<Item = u64> {
        let is_one = |name: &str| modules.iter().any(|module| module == name.rsplit('.').next().unwrap_or(name));
        let starts = self.sections.iter().filter(|(.., is_writable)| *is_writable).flat_map(|(start, data, _)| {
            (start.next_multiple_of(8)..(start + data.len() as u64).saturating_sub(SIZE - 8)).step_by(8)
        });
        starts.filter_map(move |at| {
            let word = |offset: u64| self.word(at + offset);
            let is_immortal = word(8)? >> 32 == IMMORTAL && word(0)? == 0 && word(16)? == 0;
            (is_immortal && is_one(self.text(word(NAME)?)?)).then(|| word(SLOTS))?
        })
    }

    /// Whether there is a slot that says that the module can do without the GIL; `None` if these are no slots.
    fn declares(&self, slots: u64, depth: u32) -> Option<bool> {
        if slots == 0 || depth > DEEPEST {
            return None;
        }
        for number in 0..u64::from(MOST_SLOTS) {
            match (self.word(slots + number * 16)? as u32 & NUMBER, self.word(slots + number * 16 + 8)?) {
                (0, _) => return Some(false),
                (GIL | GIL_SINCE_3_15, value) => return Some(value == NOT_USED),
                (MORE, more) if self.declares(more, depth + 1)? => return Some(true),
                (id, _) if id > MOST_SLOTS => return None,
                _ => {}
            }
        }
        None
    }
}
