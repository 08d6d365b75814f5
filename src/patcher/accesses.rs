//! Which instructions are accesses to what threads may share, and which of them get no probe because it would cost more than it finds.

use super::branches;
use super::calls;
use super::checks;
use super::code::Code;
use super::found::Found;
use super::guards;
use super::handlers::{Handlers, SUPPRESS};
use super::instructions::{Instruction, Instructions};
use super::names::{INSERTION, names};
use super::opcode_table::{Access, DEEPEST, Named};
use super::opcodes::{Jump, Opcodes};
use super::own_thread::{self, Own};
use super::point::{Action, DICTIONARY, Operand, Point};
use super::rebound::Rebound;
use super::tested::{Tested, is_equality, tested};
use super::{known_calls, tables, waits};

struct Finder<'a, 'b> {
    opcodes: &'b Opcodes,
    code: &'b Code<'a>,
    instructions: &'b [Instruction],
    rebound: &'b Rebound,
    /// The exception table.
    tries: Vec<[u32; 4]>,
}

/// All points of a code object, in the order of its instructions; those before an instruction come before those after it.
pub(super) fn find<'a>(opcodes: &Opcodes, code: &Code<'a>, instructions: &Instructions, rebound: &Rebound) -> Vec<Found<'a>> {
    // Cells are made, and a generator is returned, before the first RESUME.
    let Some(entry) = instructions.entry(opcodes) else { return Vec::new() };
    let tries = tables::exception_entries(code.exceptions).unwrap_or_default();
    let handlers = Handlers::of(opcodes, code.exceptions, code.names, instructions);
    let finder = Finder { opcodes, code, instructions: &instructions.all, rebound, tries };
    let mut found = Vec::new();
    let first = entry as usize + 1;
    if code.name == "__del__" && code.arguments > 0 {
        let handed = if code.is_self_a_cell { Operand::Cell(0) } else { Operand::Local(0) };
        let unit = instructions.all[entry as usize].unit;
        let point = Point { handed, unit, object: 0, ..Point::bare(Action::Finalize) };
        found.push(Found { instruction: entry, is_after: true, point });
    }
    let private = finder.private_stores(first);
    let mut has_calls = false;
    for (index, instruction) in (entry + 1..).zip(&instructions.all[first..]) {
        if instruction.opcode == opcodes.yield_value {
            if code.is_coroutine && instruction.argument == 1 {
                let point = Point { unit: instruction.unit, ..Point::bare(Action::Suspend) };
                found.push(Found { instruction: index, is_after: false, point });
            }
            continue;
        }
        has_calls |= finder.is_known_call(index as usize, instruction);
        found.extend(finder.comparison_with_nothing(index, instruction));
        let Some(access) = opcodes.info(instruction.opcode).access else { continue };
        if let Some(mut point) = finder.point(access, index as usize, instruction)
            && !private.contains(&index)
        {
            let tested = finder.tested(&point, index as usize);
            (point.is_tested, point.is_polled, point.is_awaited) = (tested.is_tested, tested.is_polled, tested.is_awaited);
            // `try: CACHE` with `except NameError`.
            point.is_tested |= point.action == Action::ReadGlobal && handlers.handle_unbound(instruction.unit);
            let is_variable = matches!(point.action, Action::ReadAttribute | Action::ReadGlobal | Action::ReadCell);
            (point.is_asked, point.is_lazy) = (tested.is_asked, tested.is_lazy && is_variable);
            point.is_measured = tested.is_measured;
            point.is_given = (is_variable || point.action == Action::ReadItem) && finder.is_returned(index as usize);
            if tested.is_asked && (is_variable || point.action == Action::ReadItem) {
                point.state = branches::compared_state(opcodes, code, &instructions.all, index as usize);
            }
            let is_told = tested.is_heeded || point.is_given || finder.is_yielded(index as usize);
            point.is_heeded = (is_variable || point.action == Action::ReadItem) && is_told;
            point.is_handled = point.action == Action::DeleteItem && handlers.handle_lack(instruction.unit, "__delitem__")
                || point.action == Action::DeleteAttribute && handlers.handle_namelessness(instruction.unit);
            let key = (index as usize).checked_sub(1).filter(|_| point.action == Action::ReadItem);
            point.item = key.and_then(|key| waits::item(opcodes, code, &instructions.all[key]));
            point.is_filled = point.action == Action::WriteItem && code.name == "__missing__";
            point.is_viewed =
                point.action == Action::Contains && calls::views_keys(opcodes, code, &instructions.all, index as usize);
            point.is_constant = point.value != 0 && finder.is_a_constant(index as usize, u32::from(point.value));
            point.is_time = point.value != 0 && finder.is_a_time(index as usize, u32::from(point.value));
            if point.is_constant {
                let load = finder.producer(index as usize, u32::from(point.value));
                point.state = load.and_then(|load| branches::state(opcodes, code, &instructions.all, load));
            }
            found.push(Found { instruction: index, is_after: access.is_after, point });
        }
        found.extend(finder.lazy_import(index, instruction));
    }
    for (instruction, own) in own_thread::comparisons(opcodes, code, instructions) {
        for found in found.iter_mut().filter(|found| found.instruction == instruction && found.point.is_tested) {
            match own {
                Own::Called => found.point.is_own = true,
                Own::Local(local) => found.point.compared = local + 1,
            }
        }
    }
    if has_calls {
        found.extend(calls::find(opcodes, code, instructions, &handlers, rebound));
        found.sort_by_key(|found| (found.instruction, found.is_after));
    }
    if found.iter().any(|found| is_looked_at(&found.point)) || code.names.contains(&SUPPRESS) {
        let names = names(opcodes, code, instructions, rebound, &found);
        checks::mark(opcodes, code, instructions, &handlers, &names, |unit| finder.is_tried(unit), &mut found);
        guards::mark(opcodes, code, &instructions.all, &names, rebound, &mut found);
        let is_handled = |unit| handlers.handle_lack(unit, "__getitem__");
        guards::mark_indexed(opcodes, code, &instructions.all, &names, is_handled, &mut found);
        for (at, found) in found.iter_mut().enumerate() {
            found.point.container = names.containers[at].or(names.walked[at].first().copied());
        }
    }
    let looked_at = |at: &usize| found[*at].point.is_time && checks::is_read(&found, &found[*at].point);
    for at in (0..found.len()).filter(looked_at).collect::<Vec<_>>() {
        // It goes back to what was there.
        found[at].point.is_time = false;
    }
    waits::mark(opcodes, code, &instructions.all, &handlers, &mut found, checks::is_written);
    if !found.iter().any(|found| is_of_a_container(found.point.action)) {
        // Whether a container is empty matters to who does something with it after that, here or in a caller.
        // `a or b` is no question about `a` alone.
        let is_copied = |at: u32| at.checked_sub(1).is_some_and(|before| instructions.all[before as usize].opcode == opcodes.copy);
        let is_for_others = |found: &Found<'_>| {
            let point = &found.point;
            let is_waiting = point.is_waiting || point.is_drained;
            point.is_asked || is_waiting || point.is_answering && !is_copied(found.instruction)
        };
        found.retain(|found| found.point.action != Action::Truth || is_for_others(found));
    }
    found
}

/// Whether it matters what a point may be about: it is tested, or finds a place, or puts something into a container, or goes through it.
fn is_looked_at(point: &Point<'_>) -> bool {
    let may_place = point.name == Some(INSERTION) || checks::is_size(point);
    point.is_tested || may_place || matches!(point.action, Action::DeleteItem | Action::WriteItem | Action::Iterate)
}

/// Whether only containers are accessed so.
fn is_of_a_container(action: Action) -> bool {
    use Action as A;
    matches!(action, A::ReadItem | A::WriteItem | A::DeleteItem | A::ReadSlice | A::WriteSlice)
        || matches!(action, A::Contains | A::Iterate | A::Update | A::Method | A::Function)
}

impl<'a> Finder<'a, '_> {
    fn point(&self, access: &Access, index: usize, instruction: &Instruction) -> Option<Point<'a>> {
        let name = match access.named {
            Named::None => None,
            Named::Name(shift) => Some(*self.code.names.get((instruction.argument >> shift) as usize)?),
            Named::Local => Some(*self.code.locals.get(instruction.argument as usize)?),
        };
        let action = self.action(access, index, instruction)?;
        let wanted = match action {
            Action::ReadAttribute => {
                !calls::is_lookup(self.opcodes, self.instructions, index)
                    && !name.is_some_and(|name| is_special(name) && name != DICTIONARY)
            }
            Action::ReadGlobal | Action::WriteGlobal | Action::DeleteGlobal => {
                name.is_some_and(|name| self.rebound.has_global(name)) && !self.is_of_a_class(instruction)
            }
            Action::ReadCell | Action::WriteCell | Action::DeleteCell => name.is_some_and(|name| self.rebound.has_cell(name)),
            Action::WriteAttribute
            | Action::DeleteAttribute
            | Action::ReadItem
            | Action::WriteItem
            | Action::DeleteItem
            | Action::Contains
            | Action::ReadSlice
            | Action::WriteSlice
            | Action::Iterate
            | Action::EndIteration
            | Action::Truth
            | Action::Update
            | Action::Import => true,
            Action::Method | Action::Function | Action::Await | Action::Suspend | Action::Finalize => false,
        };
        let handed = match (access.object, access.named) {
            (0, Named::Local) => Operand::Local(u16::try_from(instruction.argument).ok()?),
            (_, _) => Operand::Site,
        };
        let object = match (access.object, self.opcodes.info(instruction.opcode).effect) {
            (DEEPEST, Some(effect)) if access.is_after => u16::try_from(effect.pushes(instruction.argument)).ok()?,
            (DEEPEST, Some(effect)) => u16::try_from(effect.pops(instruction.argument)).ok()?,
            (DEEPEST, None) => return None,
            (depth, _) => depth,
        };
        let (key, value) = (if action == Action::Update { 0 } else { access.key }, access.value);
        wanted.then_some(Point { unit: instruction.unit, name, handed, object, key, value, ..Point::bare(action) })
    }

    /// Asks whether there is something in a container: `table == {}`, `rows != []`.
    fn comparison_with_nothing(&self, index: u32, instruction: &Instruction) -> Option<Found<'a>> {
        let is_equal = is_equality(self.opcodes, instruction)?;
        let nothing = index.checked_sub(1).map(|nothing| &self.instructions[nothing as usize])?;
        if ![self.opcodes.build_list, self.opcodes.build_map].contains(&nothing.opcode) || nothing.argument != 0 {
            return None;
        }
        let Tested { is_tested, is_polled, is_awaited, is_asked, .. } = tested(self.opcodes, self.instructions, index as usize);
        let bare = Point { unit: instruction.unit, object: 2, ..Point::bare(Action::Truth) };
        let point = Point { is_tested, is_polled, is_awaited: is_polled && is_awaited != is_equal, is_asked, ..bare };
        Some(Found { instruction: index, is_after: false, point })
    }

    /// Reads a global that is imported once it is read.
    fn lazy_import(&self, index: u32, instruction: &Instruction) -> Option<Found<'a>> {
        let (shift, depth) = if instruction.opcode == self.opcodes.load_global {
            (1, 1 + (instruction.argument & 1) as u16)
        } else if instruction.opcode == self.opcodes.load_name {
            (0, 1)
        } else {
            return None;
        };
        let name = self.code.names.get((instruction.argument >> shift) as usize)?;
        let point = Point { unit: instruction.unit, handed: Operand::Stack(depth), object: depth, ..Point::bare(Action::Import) };
        self.rebound.is_imported_lazily(name).then_some(Found { instruction: index, is_after: true, point })
    }

    fn action(&self, access: &Access, index: usize, instruction: &Instruction) -> Option<Action> {
        let opcodes = self.opcodes;
        if instruction.opcode != opcodes.binary_op {
            return Some(access.action);
        }
        if instruction.argument == opcodes.subscript {
            return Some(Action::ReadItem);
        }
        // No container takes a number, but for `*=`.
        let is_number = instruction.argument != opcodes.multiply
            && index.checked_sub(1).is_some_and(|before| self.instructions[before].opcode == opcodes.load_small_int);
        (opcodes.updates.contains(&instruction.argument) && !is_number).then_some(Action::Update)
    }

    /// A name in the body of a class is first of all one of the class.
    fn is_of_a_class(&self, instruction: &Instruction) -> bool {
        let is_name = instruction.opcode == self.opcodes.store_name || instruction.opcode == self.opcodes.load_name;
        is_name && self.code.name != "<module>"
    }

    fn is_known_call(&self, index: usize, instruction: &Instruction) -> bool {
        if calls::bound(self.opcodes, self.code, self.rebound, instruction).is_some() {
            return true;
        }
        let name = |shift: u8| self.code.names.get((instruction.argument >> shift) as usize);
        if instruction.opcode == self.opcodes.load_attr {
            calls::is_lookup(self.opcodes, self.instructions, index) && name(1).is_some_and(|name| calls::is_attribute(name))
        } else if instruction.opcode == self.opcodes.load_global {
            name(1).is_some_and(|name| known_calls::function(name).is_some())
        } else if instruction.opcode == self.opcodes.load_super_attr {
            name(2).is_some_and(|name| calls::is_attribute(name))
        } else {
            instruction.opcode == self.opcodes.load_name && name(0).is_some_and(|name| known_calls::function(name).is_some())
        }
    }

    /// In `__init__`, stores to `self` before anything else can have it.
    fn private_stores(&self, first: usize) -> Vec<u32> {
        let mut private = Vec::new();
        if self.code.name != "__init__" || self.code.is_self_a_cell {
            return private;
        }
        // Code that a jump leads back to may run again after `self` was let go.
        let back = |instruction: &&Instruction| self.opcodes.info(instruction.opcode).jump == Jump::Backward;
        let loops = self.instructions.iter().filter(back).filter_map(|instruction| instruction.target).min();
        let end = loops.map_or(self.instructions.len(), |target| target as usize);
        for index in first..end {
            let instruction = &self.instructions[index];
            let info = self.opcodes.info(instruction.opcode);
            let is_store = info.access.is_some_and(|access| access.action == Action::WriteAttribute);
            // With the dictionary of another one, its attributes are no secrets either.
            let is_dictionary = || self.code.names.get(instruction.argument as usize) == Some(&DICTIONARY);
            if info.publishes || is_store && (!self.loads_self(index - 1) || is_dictionary()) {
                break;
            }
            if is_store {
                private.push(index as u32);
            }
        }
        private
    }

    fn loads_self(&self, index: usize) -> bool {
        let Instruction { opcode, argument, .. } = self.instructions[index];
        (self.opcodes.load_fasts.contains(&opcode) && argument == 0)
            || (self.opcodes.load_fast_pairs.contains(&opcode) && argument & 15 == 0)
    }

    /// Does what is read at `index` decide a jump soon after, and does that leave a loop?
    fn tested(&self, point: &Point<'_>, index: usize) -> Tested {
        if point.value != 0 || matches!(point.action, Action::Iterate | Action::EndIteration) {
            return Tested::default();
        }
        let mut tested = tested(self.opcodes, self.instructions, index);
        let reads = matches!(point.action, Action::ReadItem | Action::ReadAttribute);
        tested.is_tested |= reads && self.is_tried(self.instructions[index].unit);
        tested
    }

    /// Whether it is tried: a few instructions that an `except` is for.
    fn is_tried(&self, unit: u32) -> bool {
        /// Code units, caches included.
        const SHORT: u32 = 40;
        let handles = |target: u32| {
            let handler = self.instructions.iter().skip_while(|instruction| instruction.start < target).take(HANDLER);
            handler.clone().any(|instruction| instruction.opcode == self.opcodes.check_exc_match)
        };
        /// `PUSH_EXC_INFO`, the class, perhaps of a module, and the match.
        const HANDLER: usize = 5;
        let is_it = |&&[start, length, ..]: &&[u32; 4]| length <= SHORT && (start..start + length).contains(&unit);
        self.tries.iter().find(is_it).is_some_and(|[_, _, target, _]| handles(*target))
    }

    /// Whether the function's result is what is read.
    fn is_returned(&self, index: usize) -> bool {
        self.instructions.get(index + 1).is_some_and(|next| next.opcode == self.opcodes.return_value)
    }

    /// Whether a generator expression gives what is read to what goes through it: `all(thread.is_done for thread in threads)`.
    fn is_yielded(&self, index: usize) -> bool {
        let next = self.instructions.get(index + 1);
        self.code.name == "<genexpr>" && next.is_some_and(|next| next.opcode == self.opcodes.yield_value)
    }

    /// Whether the value at this depth was loaded as a constant, or by a name that is written like that of one.
    fn is_a_constant(&self, index: usize, depth: u32) -> bool {
        let Some(producer) = self.producer(index, depth) else { return false };
        let is_named = |start: usize, instructions: usize| {
            let named = branches::named_constant(self.opcodes, self.code, &self.instructions[start..]);
            named.is_some_and(|named| named.instructions == instructions)
        };
        let is_member = self.instructions[producer].opcode == self.opcodes.load_attr;
        self.opcodes.load_consts.contains(&self.instructions[producer].opcode)
            || !is_member && is_named(producer, 1)
            || is_member && producer.checked_sub(1).is_some_and(|start| is_named(start, 2))
    }

    /// Whether the value at this depth is what a clock says, or so much later.
    fn is_a_time(&self, index: usize, depth: u32) -> bool {
        let (opcodes, all) = (self.opcodes, self.instructions);
        let Some(producer) = self.producer(index, depth) else { return false };
        let Instruction { opcode, argument, .. } = all[producer];
        let variable = if opcodes.load_fasts.contains(&opcode) {
            Some(argument)
        } else {
            // Of a pair, the deeper one is in the upper bits.
            Some(argument >> 4).filter(|_| opcodes.load_fast_pairs.contains(&opcode))
        };
        let stores = |at: &usize| variable.is_some() && opcodes.stores(all[*at].opcode, all[*at].argument) == variable;
        let made = if variable.is_some() { (1..producer).rev().find(stores).map(|store| store - 1) } else { Some(producer) };
        made.is_some_and(|made| self.asks_a_clock(made) || self.adds_to_a_time(made))
    }

    /// Whether it is a call of a clock.
    fn asks_a_clock(&self, call: usize) -> bool {
        /// What it is given.
        const BEFORE: usize = 6;
        let (opcodes, all) = (self.opcodes, self.instructions);
        if all[call].opcode != opcodes.call {
            return false;
        }
        let is_callee = |at: &usize| {
            let load = &all[*at];
            let is_name = [opcodes.load_attr, opcodes.load_global].contains(&load.opcode);
            is_name && (load.argument & 1 == 1 || all[*at + 1].opcode == opcodes.push_null)
        };
        let callee = (call.saturating_sub(BEFORE)..call).rev().find(is_callee);
        let name = callee.and_then(|callee| self.code.names.get((all[callee].argument >> 1) as usize));
        name.is_some_and(|name| TIMES.contains(name))
    }

    fn adds_to_a_time(&self, sum: usize) -> bool {
        /// What is added.
        const BEFORE: usize = 6;
        let (opcodes, all) = (self.opcodes, self.instructions);
        let is_sum = all[sum].opcode == opcodes.binary_op && all[sum].argument == opcodes.add;
        is_sum && (sum.saturating_sub(BEFORE)..sum).any(|at| self.asks_a_clock(at))
    }

    /// The instruction before `index` that has pushed the value at this depth, if no jump comes between.
    fn producer(&self, index: usize, mut depth: u32) -> Option<usize> {
        /// What comes between: a container, a key, other targets of the same assignment.
        const MOST: usize = 24;
        for (at, instruction) in self.instructions[..index].iter().enumerate().rev().take(MOST) {
            let (info, argument) = (self.opcodes.info(instruction.opcode), instruction.argument);
            let effect = info.effect.filter(|_| info.jump == Jump::None && !info.is_end)?;
            if instruction.opcode == self.opcodes.swap {
                depth = if depth == 1 {
                    argument
                } else if depth == argument {
                    1
                } else {
                    depth
                };
            } else if instruction.opcode == self.opcodes.copy && depth == 1 {
                depth = argument;
            } else if depth <= effect.pushes(argument) {
                return Some(at);
            } else {
                depth = depth - effect.pushes(argument) + effect.pops(argument);
            }
        }
        None
    }
}

/// Functions and methods that say what time it is.
const TIMES: [&str; 8] = ["monotonic", "monotonic_ns", "now", "perf_counter", "perf_counter_ns", "time", "time_ns", "utcnow"];

/// Reading these is no business of the program's data.
fn is_special(name: &str) -> bool {
    name.starts_with("__") && name.ends_with("__")
}
