//! Which globals and cells are variables: reads of those that nothing binds again are not worth a probe.  And which globals are imported
//! when they are read.

use super::opcodes::Opcodes;
use super::point::Action;
use std::collections::HashSet;

/// Names of a module that are bound again or imported lazily, collected from all its code objects before they are patched.
#[derive(Debug, Default)]
pub struct Rebound {
    globals: HashSet<String>,
    cells: HashSet<String>,
    lazy: HashSet<String>,
    all_are_lazy: bool,
}

impl Rebound {
    /// Where all imports of modules are lazy that are not told otherwise (`-X lazy_imports=all`), or only those that are.
    pub fn new(all_are_lazy: bool) -> Self {
        Rebound { all_are_lazy, ..Rebound::default() }
    }

    /// Adds what a code object binds: globals that a function declares as such, and variables of the functions around it, the names of which
    /// are the last `free` of `locals`.
    pub fn collect(&mut self, opcodes: &Opcodes, bytes: &[u8], names: &[&str], locals: &[&str], free: usize) {
        let own = locals.len().saturating_sub(free);
        let (mut prefix, mut skip, mut is_lazy) = (0, 0, false);
        for unit in bytes.chunks_exact(2) {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let index = prefix << 8 | usize::from(unit[1]);
            prefix = 0;
            if unit[0] == opcodes.extended_arg {
                prefix = index;
                continue;
            }
            let info = opcodes.info(unit[0]);
            skip = info.caches;
            if unit[0] == opcodes.import_name {
                is_lazy = opcodes.has_lazy_imports && self.is_lazy(index, names);
            } else if unit[0] == opcodes.store_name && is_lazy {
                add(&mut self.lazy, names.get(index));
            } else if ![opcodes.import_from, opcodes.swap, opcodes.pop_top].contains(&unit[0]) {
                is_lazy = false;
            }
            let Some(access) = info.access else { continue };
            if matches!(access.action, Action::WriteGlobal | Action::DeleteGlobal) && unit[0] != opcodes.store_name {
                add(&mut self.globals, names.get(index));
            } else if matches!(access.action, Action::WriteCell | Action::DeleteCell) && index >= own {
                add(&mut self.cells, locals.get(index));
            }
        }
    }

    /// Whether `IMPORT_NAME` with this argument may be lazy: 1 is `lazy import`, 2 is where that is not allowed.
    fn is_lazy(&self, argument: usize, names: &[&str]) -> bool {
        argument & 1 == 1 || argument & 2 == 0 && (self.all_are_lazy || names.contains(&"__lazy_modules__"))
    }

    pub(super) fn is_imported_lazily(&self, name: &str) -> bool {
        self.lazy.contains(name)
    }

    pub(super) fn has_global(&self, name: &str) -> bool {
        self.globals.contains(name)
    }

    pub(super) fn has_cell(&self, name: &str) -> bool {
        self.cells.contains(name)
    }
}

fn add(names: &mut HashSet<String>, name: Option<&&str>) {
    if let Some(name) = name
        && !names.contains(*name)
    {
        names.insert((*name).to_owned());
    }
}
