//! Which globals and cells are variables: reads of those that nothing binds again are not worth a probe.  Which globals are imported
//! when they are read.  And which names are bound to methods of containers: `put = items.append`.

use super::code::{self, Place};
use super::defaults::{self, Arguments};
use super::instructions::Instructions;
use super::known_calls;
use super::opcodes::Opcodes;
use super::point::Action;
use std::collections::{HashMap, HashSet};

/// Names of a module that are bound again or imported lazily, collected from all its code objects before they are patched.
#[derive(Debug, Default)]
pub struct Rebound {
    globals: HashSet<String>,
    cells: HashSet<String>,
    lazy: HashSet<String>,
    all_are_lazy: bool,
    methods: HashMap<Place, HashMap<String, Bound>>,
    /// By the names of functions, what the containers are called over which they loop.
    walks: HashMap<String, HashSet<String>>,
    /// By the names of attributes and globals, the small numbers that are stored there as constants, but for 0.
    numbers: HashMap<String, HashSet<usize>>,
}

/// A method that is looked up here and called there.
#[derive(Debug)]
pub(super) struct Bound {
    /// Its own name.
    pub(super) method: &'static str,
    /// The name of its container where it is looked up.
    pub(super) container: Option<String>,
}

/// The loads before an instruction that binds a name.
#[derive(Default)]
struct Loaded<'a> {
    last: Option<&'a str>,
    /// A method, its container, and whether something was loaded since.
    method: Option<(&'static str, Option<&'a str>, bool)>,
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
        let mut loaded = Loaded::default();
        let mut number = None;
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
            self.collect_bound(opcodes, (unit[0], index), names, locals, &mut loaded);
            if unit[0] == opcodes.import_name {
                is_lazy = opcodes.has_lazy_imports && self.is_lazy(index, names);
            } else if unit[0] == opcodes.store_name && is_lazy {
                add(&mut self.lazy, names.get(index));
            } else if ![opcodes.import_from, opcodes.swap, opcodes.pop_top].contains(&unit[0]) {
                is_lazy = false;
            }
            let is_load = |opcode: u8| code::loaded(opcodes, (opcode, index), names, locals).is_some();
            if unit[0] == opcodes.load_small_int {
                number = Some(index).filter(|number| *number > 0);
            } else if !is_load(unit[0]) {
                let stores =
                    info.access.is_some_and(|access| matches!(access.action, Action::WriteAttribute | Action::WriteGlobal));
                if let (Some(number), Some(name)) = (number.take(), names.get(index).filter(|_| stores)) {
                    self.numbers.entry((*name).to_owned()).or_default().insert(number);
                }
            }
            let Some(access) = info.access else { continue };
            if matches!(access.action, Action::WriteGlobal | Action::DeleteGlobal) && unit[0] != opcodes.store_name {
                add(&mut self.globals, names.get(index));
            } else if matches!(access.action, Action::WriteCell | Action::DeleteCell) && index >= own {
                add(&mut self.cells, locals.get(index));
            }
        }
    }

    /// Adds the containers over which a function with this name loops.
    pub fn collect_walks(&mut self, opcodes: &Opcodes, function: &str, bytes: &[u8], names: &[&str], locals: &[&str]) {
        for container in walked(opcodes, bytes, names, locals) {
            self.walks.entry(function.to_owned()).or_default().insert(container.to_owned());
        }
    }

    /// Whether a function with this name loops over a container that it calls so.
    pub(super) fn walks(&self, function: &str, container: &str) -> bool {
        self.walks.get(function).is_some_and(|containers| containers.contains(container))
    }

    /// Adds the methods of containers that are default values of functions which a code object makes: `functions`, by the number of the constant
    /// that has their code.
    pub fn collect_defaults(
        &mut self,
        opcodes: &Opcodes,
        bytes: &[u8],
        names: &[&str],
        locals: &[&str],
        functions: &[(u32, Arguments<'_>)],
    ) {
        for (argument, method, container) in defaults::find(opcodes, bytes, names, locals, functions) {
            let bound = Bound { method, container: container.map(str::to_owned) };
            self.methods.entry(Place::Variable).or_default().entry(argument.to_owned()).or_insert(bound);
        }
    }

    /// Adds a name to which a method of a container is bound, as far as one instruction after the other shows it.
    fn collect_bound<'a>(
        &mut self,
        opcodes: &Opcodes,
        (opcode, argument): (u8, usize),
        names: &[&'a str],
        locals: &[&'a str],
        loaded: &mut Loaded<'a>,
    ) {
        let action = opcodes.info(opcode).access.map(|access| access.action);
        let name = names.get(argument).copied();
        let stored = opcodes.stores(opcode, argument as u32).and_then(|variable| locals.get(variable as usize).copied());
        let bound = match action {
            Some(Action::WriteGlobal) => name.map(|name| (Place::Global, name, false)),
            Some(Action::WriteAttribute) => name.map(|name| (Place::Attribute, name, true)),
            Some(Action::WriteCell) => locals.get(argument).map(|name| (Place::Variable, *name, false)),
            _ => stored.map(|name| (Place::Variable, name, false)),
        };
        if let Some((place, name, has_object)) = bound {
            if let Some((method, container, is_followed)) = loaded.method
                && is_followed == has_object
            {
                let bound = Bound { method, container: container.map(str::to_owned) };
                self.methods.entry(place).or_default().entry(name.to_owned()).or_insert(bound);
            }
            *loaded = Loaded::default();
            return;
        }
        let is_call = opcode == opcodes.load_attr && argument & 1 == 1;
        let Some((place, last)) = code::loaded(opcodes, (opcode, argument), names, locals).filter(|_| !is_call) else {
            *loaded = Loaded::default();
            return;
        };
        let method = if place == Place::Attribute { known_calls::methods(last).first() } else { None };
        loaded.method = match (method, loaded.method) {
            (Some(method), None) => Some((method.name, loaded.last, false)),
            (_, known) => known.map(|(method, container, _)| (method, container, true)),
        };
        loaded.last = Some(last);
    }

    /// The method that is bound to a name.
    pub(super) fn bound(&self, place: Place, name: &str) -> Option<&Bound> {
        self.methods.get(&place)?.get(name)
    }

    /// Whether `IMPORT_NAME` with this argument may be lazy: 1 is `lazy import`, 2 is where that is not allowed.
    fn is_lazy(&self, argument: usize, names: &[&str]) -> bool {
        argument & 1 == 1 || argument & 2 == 0 && (self.all_are_lazy || names.contains(&"__lazy_modules__"))
    }

    pub(super) fn is_imported_lazily(&self, name: &str) -> bool {
        self.lazy.contains(name)
    }

    /// Whether different numbers are stored under a name: they are no flags.
    pub(super) fn has_numbers(&self, name: &str) -> bool {
        self.numbers.get(name).is_some_and(|numbers| numbers.len() > 1)
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

/// What shows a dictionary without copying it.
const VIEWS: [&str; 3] = ["items", "keys", "values"];

/// The names of containers over which a function loops without taking a lock before, by what it loads right before the loop.
fn walked<'a>(opcodes: &Opcodes, bytes: &[u8], names: &[&'a str], locals: &[&'a str]) -> Vec<&'a str> {
    let is_loop = |opcode: u8| opcodes.info(opcode).access.is_some_and(|access| access.action == Action::Iterate);
    if !bytes.chunks_exact(2).any(|unit| is_loop(unit[0])) {
        return Vec::new();
    }
    let Some(Instructions { all, .. }) = Instructions::read(opcodes, bytes) else { return Vec::new() };
    let loaded = |at: usize| {
        let load = all.get(at)?;
        code::loaded(opcodes, (load.opcode, load.argument as usize), names, locals).map(|(_, name)| name)
    };
    let of_view = |at: usize| {
        let is_call = all[at].opcode == opcodes.call && all[at].argument == 0;
        let view = at.checked_sub(1).filter(|_| is_call)?;
        let is_view = all[view].opcode == opcodes.load_attr && all[view].argument & 1 == 1;
        loaded(view).filter(|name| is_view && VIEWS.contains(name)).and_then(|_| loaded(view.checked_sub(1)?))
    };
    let begins = |at: &usize| is_loop(all[*at].opcode);
    let takes = |at: &usize| {
        let is_acquire = all[*at].opcode == opcodes.load_attr && loaded(*at) == Some("acquire");
        all[*at].opcode == opcodes.load_special || is_acquire
    };
    let locked = (0..all.len()).find(takes).unwrap_or(all.len());
    (1..locked).filter(begins).filter_map(|at| of_view(at - 1).or_else(|| loaded(at - 1))).collect()
}
