//! Which globals and cells are variables: reads of those that nothing binds again are not worth a probe.

use super::opcodes::Opcodes;
use super::point::Action;
use std::collections::HashSet;

/// Names of a module that are bound again, collected from all its code objects before they are patched.
#[derive(Debug, Default)]
pub struct Rebound {
    globals: HashSet<String>,
    cells: HashSet<String>,
}

impl Rebound {
    /// Adds what a code object binds: globals that a function declares as such, and variables of the functions around it, the names of which
    /// are the last `free` of `locals`.
    pub fn collect(&mut self, opcodes: &Opcodes, bytes: &[u8], names: &[&str], locals: &[&str], free: usize) {
        let own = locals.len().saturating_sub(free);
        let (mut prefix, mut skip) = (0, 0);
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
            let Some(access) = info.access else { continue };
            if matches!(access.action, Action::WriteGlobal | Action::DeleteGlobal) && unit[0] != opcodes.store_name {
                add(&mut self.globals, names.get(index));
            } else if matches!(access.action, Action::WriteCell | Action::DeleteCell) && index >= own {
                add(&mut self.cells, locals.get(index));
            }
        }
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
