//! Exception handlers: whether what an instruction may raise because something is not there, or changes meanwhile, is handled in the same
//! function.
//!
//! `try: ... except KeyError` (or one of its bases, or several, or none by name) and `with suppress(KeyError)` count, whatever the handler does;
//! so does any other `with` that names the exception itself.
//! An iteration that a change ends has lost its rest: only if it is made again until nobody came between is that handled.

use super::instructions::{Instruction, Instructions, read_at};
use super::opcodes::{Jump, Opcodes};
use super::point::Action;
use super::tables;
use std::ops::RangeInclusive;

/// What containers raise for what they have not, and what these are derived from.
const LACKING: &[&str] = &["BaseException", "Exception", "IndexError", "KeyError", "LookupError", "ValueError"];

/// The same, of methods and functions that are known to raise only some of these.
const LACKING_OF: &[(&[&str], &[&str])] = &[
    (
        &["heappop", "heappop_max", "heapreplace", "heapreplace_max", "popleft"],
        &["BaseException", "Exception", "IndexError", "LookupError"],
    ),
    (&["popitem"], &["BaseException", "Exception", "KeyError", "LookupError"]),
    (&["__delitem__", "pop"], &["BaseException", "Exception", "IndexError", "KeyError", "LookupError"]),
    (&["remove"], &["BaseException", "Exception", "KeyError", "LookupError", "ValueError"]),
    (&["__delattr__", "delattr"], NAMELESS),
];

/// What code raises to say so, and as what its callers expect it: one that handles whatever goes wrong expects nothing.
const RAISED: &[(&str, &[&str])] = &[
    ("IndexError", &["IndexError", "LookupError"]),
    ("KeyError", &["KeyError", "LookupError"]),
    ("LookupError", &["LookupError"]),
    ("ValueError", &["ValueError"]),
];

/// What `del object.name` raises if there is no such attribute, and what that is derived from.
const NAMELESS: &[&str] = &["AttributeError", "BaseException", "Exception"];

/// The context manager that goes on behind its body.
pub(super) const SUPPRESS: &str = "suppress";

/// What reading a variable raises that is not bound.
const UNBOUND: &str = "NameError";

/// What is raised for an attribute or a variable that is not there, and what that is derived from.
const ABSENT: [&str; 4] = ["AttributeError", "NameError", "Exception", "BaseException"];

/// The same of what is done with `None`.
const OF_NONE: [&str; 4] = ["AttributeError", "TypeError", "Exception", "BaseException"];

/// Code that calls one of these, and does nothing else, tells that something went wrong.
const TELLING: &[&str] =
    &["critical", "error", "exception", "fail", "log", "print", "print_exc", "print_exception", "warn", "warning", "write"];

/// The same of the exception itself, which is kept.
const KEEPING: &[&str] = &["add", "append", "put", "put_nowait"];

/// What is raised for an attribute or an item that a loop may wait for.
const TRIED: &[&str] = &["AttributeError", "IndexError", "KeyError", "LookupError"];

/// Code that calls one of these waits, and tries again.
const WAITING: &[&str] = &["sleep", "wait"];

/// What says nothing but that something is not there.
const NOT_THERE: &[&str] = &["IndexError", "KeyError", "LookupError"];

/// Functions that ask an object for an attribute by its name.
const ASKING: &[&str] = &["getattr", "hasattr"];

/// What code does that goes on with something else.
const WRITING: &[Action] =
    &[Action::WriteAttribute, Action::WriteItem, Action::WriteSlice, Action::WriteGlobal, Action::WriteCell, Action::Update];

/// What dictionaries, sets and deques raise if they change while they are gone through.
const CHANGED: &[&str] = &["RuntimeError"];

/// Where a container is gone through again if it changes meanwhile: (start, end) in code units, of a code object's bytes, exception table and
/// names.
pub fn begun_again(opcodes: &Opcodes, bytes: &[u8], exceptions: &[u8], names: &[&str]) -> Vec<(u32, u32)> {
    if !names.iter().any(|name| CHANGED.contains(name)) {
        return Vec::new();
    }
    let Some(instructions) = Instructions::read(opcodes, bytes) else { return Vec::new() };
    let handlers = Handlers::of(opcodes, exceptions, names, &instructions);
    let begins_again = |entry: &&[u32; 4]| handlers.begin_again(entry[0]) || handlers.takes_one_step(entry);
    handlers.tries.iter().filter(begins_again).map(|[start, length, ..]| (*start, start + length)).collect()
}

/// What a method or function raises for what is not there; for no name, `del container[key]`.
fn lacking(name: &str) -> &'static [&'static str] {
    let name = if name.is_empty() { "__delitem__" } else { name };
    LACKING_OF.iter().find(|(names, _)| names.contains(&name)).map_or(LACKING, |(_, raised)| raised)
}

/// Which exceptions that say that something is not there a function raises by itself (`raise IndexError`), of those that `act` raises as well.
pub fn lacks_raised(opcodes: &Opcodes, bytes: &[u8], names: &[&str], act: &str) -> Vec<&'static str> {
    /// The class, what it is called with, and the call.
    const BEFORE: usize = 16;
    if !names.iter().any(|name| RAISED.iter().any(|(raised, _)| raised == name)) {
        return Vec::new();
    }
    let Some(Instructions { all, .. }) = Instructions::read(opcodes, bytes) else { return Vec::new() };
    let raises = |index: &usize| all[*index].opcode == opcodes.raise_varargs && all[*index].argument > 0;
    let class = |at: usize| {
        let before = all[at.saturating_sub(BEFORE)..at].iter().rev();
        let mut straight = before.take_while(|instruction| {
            let info = opcodes.info(instruction.opcode);
            info.jump == Jump::None && !info.is_end
        });
        straight.find_map(|load| {
            let shift = u32::from(load.opcode == opcodes.load_global);
            let is_load = load.opcode == opcodes.load_global || load.opcode == opcodes.load_name;
            let name = names.get((load.argument >> shift) as usize).filter(|_| is_load)?;
            RAISED.iter().find(|(raised, _)| raised == name).map(|(raised, _)| *raised)
        })
    };
    (0..all.len()).filter(raises).filter_map(class).filter(|class| lacking(act).contains(class)).collect()
}

/// What a method or function that takes something away raises if it is not there, and code expects that does not do so itself.
pub fn lacks_of(act: &str) -> Vec<&'static str> {
    if !LACKING_OF.iter().any(|(names, _)| names.contains(&act)) {
        return Vec::new();
    }
    NOT_THERE.iter().copied().filter(|class| lacking(act).contains(class)).collect()
}

/// The method or function by which something is taken away at the instruction after this unit.
pub fn taken_by<'a>(opcodes: &Opcodes, bytes: &[u8], names: &[&'a str], unit: u32) -> Option<&'a str> {
    /// The method, its arguments and the probes.
    const BEFORE: usize = 24;
    let Instructions { all, .. } = Instructions::read(opcodes, bytes)?;
    let next = all.iter().position(|instruction| instruction.unit > unit)?;
    if all[next].opcode == opcodes.delete_subscr {
        return Some("__delitem__");
    }
    let is_known = |name: &&str| LACKING_OF.iter().any(|(known, _)| known.contains(name));
    let before = all[next.saturating_sub(BEFORE)..next].iter().rev();
    let mut loads = before.filter(|load| [opcodes.load_attr, opcodes.load_global].contains(&load.opcode));
    let mut named = || names.get((loads.next()?.argument >> 1) as usize).copied();
    std::iter::from_fn(&mut named).find(is_known).filter(|_| all[next].opcode == opcodes.call)
}

/// Whether the function does anything with the result of the call at this unit: one that does not is no better off without an exception.
pub fn uses_result(opcodes: &Opcodes, bytes: &[u8], unit: u32) -> bool {
    let next = Instructions::read(opcodes, bytes).and_then(|all| all.all.into_iter().find(|instruction| instruction.unit > unit));
    next.is_some_and(|next| next.opcode != opcodes.pop_top)
}

/// Whether one of these exceptions, by [`lacks_raised`] or [`lacks_of`], is handled if what is called at this unit raises it.
pub fn handle_raised(opcodes: &Opcodes, bytes: &[u8], exceptions: &[u8], names: &[&str], unit: u32, raised: &[&str]) -> bool {
    let Some(instructions) = Instructions::read(opcodes, bytes) else { return false };
    let handlers = Handlers::of(opcodes, exceptions, names, &instructions);
    let classes = RAISED.iter().filter(|(class, _)| raised.contains(class)).map(|(_, classes)| *classes);
    classes.into_iter().any(|classes| handlers.handler(unit, classes).is_some())
}

/// What code may find where it reads an attribute or a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// There is none.
    Name,
    /// It is `None`.
    Value,
}

/// Whether code is prepared for that, where it reads an attribute or a variable at this unit, or (`!is_own`) calls what does so: by a default, a question
/// whether it is there, an exception that is handled, or as it does nothing with it at once; an exception that is only told of was not expected.
pub fn accepts_lack(
    opcodes: &Opcodes,
    bytes: &[u8],
    exceptions: &[u8],
    names: &[&str],
    unit: u32,
    lack: Lack,
    is_own: bool,
) -> bool {
    let Some(instructions) = Instructions::read(opcodes, bytes) else { return true };
    let handlers = Handlers::of(opcodes, exceptions, names, &instructions);
    let Some((all, at)) = read_at(opcodes, bytes, unit) else { return true };
    if is_own && !(handlers.reads(&all[..=at]) && (lack == Lack::Name || handlers.uses(&all[at + 1..]))) {
        return true;
    }
    let all_raised = if lack == Lack::Name { &ABSENT } else { &OF_NONE };
    let named = &all_raised[..2];
    // A caller that handles whatever goes wrong expects nothing.
    let raised = if is_own { &all_raised[..] } else { named };
    // Where anything may go wrong, that there is nothing yet is part of it.
    let told = if lack == Lack::Name { raised } else { named };
    let is_discarded = is_own && all.get(at + 1).is_some_and(|next| next.opcode == opcodes.pop_top);
    handlers.handler(unit, raised).is_some_and(|(_, target)| !handlers.only_tells(target, told, is_discarded))
}

/// The handlers of a code object.
pub(super) struct Handlers<'a, 'b> {
    opcodes: &'b Opcodes,
    names: &'b [&'a str],
    instructions: &'b Instructions,
    /// Start, length, target, depth.
    tries: Vec<[u32; 4]>,
}

impl<'a, 'b> Handlers<'a, 'b> {
    pub(super) fn of(opcodes: &'b Opcodes, exceptions: &[u8], names: &'b [&'a str], instructions: &'b Instructions) -> Self {
        let tries = tables::exception_entries(exceptions).unwrap_or_default();
        Handlers { opcodes, names, instructions, tries }
    }

    /// Whether it is handled that something is not there, if the instruction at this unit, which calls a method or function of this name,
    /// says so.
    pub(super) fn handle_lack(&self, unit: u32, name: &str) -> bool {
        self.handler(unit, lacking(name)).is_some()
    }

    /// Whether this unit is in a handler: what is raised there is cleaned up after.
    pub(super) fn is_in_one(&self, unit: u32) -> bool {
        let cleans_up = |target: u32| self.from(target).first().is_some_and(|first| first.opcode != self.opcodes.push_exc_info);
        self.tries.iter().any(|[start, length, target, _]| (*start..start + length).contains(&unit) && cleans_up(*target))
    }

    /// Whether an instruction is not among those whose exceptions lead to the handler that another one is in.
    pub(super) fn is_before(&self, unit: u32, handled: u32) -> bool {
        let targets = self.tries.iter().filter(|[start, length, ..]| (*start..start + length).contains(&unit));
        targets.map(|entry| entry[2]).all(|target| target > handled)
    }

    /// Whether it is handled that there is no such attribute, if the instruction at this unit says so.
    pub(super) fn handle_namelessness(&self, unit: u32) -> bool {
        self.handler(unit, NAMELESS).is_some()
    }

    /// Whether a `with suppress(...)` goes on behind its body if what the instruction at this unit reads, an attribute or an item, is not there.
    pub(super) fn suppress_lack(&self, unit: u32, is_attribute: bool) -> bool {
        let raised = if is_attribute { NAMELESS } else { LACKING };
        let handler = self.names.contains(&SUPPRESS).then(|| self.handler(unit, raised)).flatten();
        handler.is_some_and(|(_, target)| !self.catches(target, raised))
    }

    /// Whether it is handled, by its name, that there is no such variable, if the instruction at this unit says so.
    pub(super) fn handle_unbound(&self, unit: u32) -> bool {
        self.names.contains(&UNBOUND) && self.handler(unit, &[UNBOUND]).is_some()
    }

    /// Whether what is taken away at the unit `take` (an attribute, or what a container has) decides that the instruction at `act` runs: only if
    /// it was there, or only if it was not.  Of several threads one finds it there.
    pub(super) fn decide(&self, take: u32, is_attribute: bool, act: u32) -> bool {
        let Some((_, target)) = self.handler(take, if is_attribute { NAMELESS } else { LACKING }) else { return false };
        let handler = self.from(target);
        let Some(last) = handler.iter().position(|instruction| self.opcodes.info(instruction.opcode).is_end) else { return false };
        let handler = &handler[..=last];
        // After `with suppress(...)` it goes on in any case.
        if handler.iter().any(|instruction| instruction.opcode == self.opcodes.with_except_start) {
            return false;
        }
        // The jump after the match, and none that leaves open where the handler ends.
        if handler.iter().filter(|instruction| self.opcodes.info(instruction.opcode).tests).count() > 1 {
            return false;
        }
        let goes_on = handler[last].target.and_then(|target| self.instructions.all.get(target as usize));
        let is_beyond = goes_on.is_none_or(|goes_on| goes_on.unit <= take || act < goes_on.unit);
        handler.iter().any(|instruction| instruction.unit == act) || act > take && act < target && is_beyond
    }

    /// Whether it is handled that a container changes while the instruction at this unit goes through it, by doing so again: the handler goes
    /// back to a loop, and without an exception that loop is left.
    pub(super) fn begin_again(&self, unit: u32) -> bool {
        let Some((start, target)) = self.handler(unit, CHANGED) else { return false };
        self.goes_back(target, start).is_some_and(|again| self.goes_back(unit, start) != Some(again))
    }

    /// Whether all that is gone through in the code of this entry of the table is one step (`next(iter(cache))`), and it is handled that a container changes: there is
    /// no rest that is lost.
    fn takes_one_step(&self, &[start, length, ..]: &[u32; 4]) -> bool {
        let all = self.from(start).iter().take_while(|instruction| instruction.unit < start + length);
        let is_loop = |instruction: &Instruction| {
            instruction.opcode == self.opcodes.for_iter || self.opcodes.info(instruction.opcode).jump == Jump::Backward
        };
        // A mapping that is written in Python goes one step to find what it takes.
        let is_step = |instruction: &&Instruction| matches!(self.name(instruction), Some("next" | "popitem"));
        let steps = all.clone().filter(is_step).count();
        steps == 1 && !all.clone().any(is_loop) && self.handler(start, CHANGED).is_some()
    }

    /// Where it is handled that there is nothing for the instruction at this unit, if that begins the next round of a loop, which is left otherwise: the indices of
    /// the handler's instructions.
    pub(super) fn tried_again(&self, unit: u32) -> Option<RangeInclusive<usize>> {
        let (start, target) = self.handler(unit, TRIED)?;
        let again = self.goes_back(target, start)?;
        let handler = *self.instructions.at.get(target as usize)? as usize;
        let is_back = |last: &Instruction| self.opcodes.info(last.opcode).jump == Jump::Backward;
        let last = self.instructions.all.get(handler..)?.iter().position(is_back)?;
        (self.goes_back(unit, start) != Some(again)).then_some(handler..=handler + last)
    }

    /// The loop around `start` whose next round is begun from here on; `None` if the function is left before.
    fn goes_back(&self, from: u32, start: u32) -> Option<u32> {
        let ends = self.from(from).iter().filter(|instruction| self.opcodes.info(instruction.opcode).is_end);
        let ends = ends.take_while(|end| end.opcode != self.opcodes.return_value);
        let unit = |index: u32| self.instructions.all.get(index as usize).map(|instruction| instruction.unit);
        ends.filter_map(|end| unit(end.target?)).find(|unit| *unit <= start)
    }

    /// Where the `try` begins, and its handler, by which one of these exceptions is handled if the instruction at this unit raises it.
    fn handler(&self, unit: u32, raised: &[&str]) -> Option<(u32, u32)> {
        /// A `with`, a `finally` and the like, in each other.
        const MOST: usize = 12;
        let mut unit = unit;
        for _ in 0..MOST {
            let covers = |&&[start, length, ..]: &&[u32; 4]| (start..start + length).contains(&unit);
            let &[start, _, target, _] = self.tries.iter().find(covers)?;
            // Code in it may have handlers of its own, as a comprehension has.
            let first = self.tries.iter().filter(|entry| entry[2] == target).map(|entry| entry[0]).min().unwrap_or(start);
            if self.catches(target, raised) || self.is_suppressed(first, target, raised) {
                return Some((first, target));
            }
            // Other exceptions are raised again in it.
            unit = target;
        }
        None
    }

    /// Whether the last of these instructions reads what has to be there.
    fn reads(&self, before: &[Instruction]) -> bool {
        /// The function, and two arguments.
        const SOON: usize = 8;
        let Some((read, before)) = before.split_last() else { return false };
        let Opcodes { call, load_attr, load_global, load_name, .. } = *self.opcodes;
        let asked = || before.iter().rev().take(SOON).find_map(|load| self.name(load).filter(|name| ASKING.contains(name)));
        [load_attr, load_global, load_name].contains(&read.opcode)
            || read.opcode == call && read.argument == 2 && asked() == Some("getattr")
    }

    /// Whether something is done with a value by the instructions that follow: an attribute of it is read, or an item, or it is gone through.
    fn uses(&self, after: &[Instruction]) -> bool {
        let Opcodes { load_attr, get_iter, binary_op, subscript, load_consts, load_fasts, .. } = self.opcodes;
        let is_key = |key: &Instruction| load_consts.contains(&key.opcode) || load_fasts.contains(&key.opcode);
        let is_item = |next: &Instruction| next.opcode == *binary_op && next.argument == *subscript;
        match after {
            [next, ..] if next.opcode == *load_attr || next.opcode == *get_iter => true,
            [key, next, ..] => is_key(key) && is_item(next),
            _ => false,
        }
    }

    /// Whether the handler at `target` does nothing but to tell of an exception; or nothing at all, about a value that is not used either.
    fn only_tells(&self, target: u32, raised: &[&str], is_discarded: bool) -> bool {
        let Some(clause) = self.clause(target, raised) else { return false };
        let stores = |instruction: &Instruction| self.opcodes.stores(instruction.opcode, instruction.argument).is_some();
        let Some(begin) = clause.iter().position(|first| first.opcode == self.opcodes.pop_top || stores(first)) else {
            return false;
        };
        let body = &clause[begin + 1..];
        let end = body.iter().position(|last| last.opcode == self.opcodes.pop_except || self.opcodes.info(last.opcode).is_end);
        let body = &body[..end.unwrap_or(body.len())];
        if body.is_empty() {
            return is_discarded && end.is_some_and(|end| clause[begin + 1 + end].opcode == self.opcodes.pop_except);
        }
        let raises = end.is_some_and(|end| clause[begin + 1 + end].opcode == self.opcodes.raise_varargs);
        let keeps = |instruction: &Instruction| {
            let access = self.opcodes.info(instruction.opcode).access;
            let waits = self.name(instruction).is_some_and(|name| WAITING.contains(&name));
            stores(instruction) || access.is_some_and(|access| WRITING.contains(&access.action)) || waits
        };
        let is_bound = clause[begin].opcode != self.opcodes.pop_top;
        let tells = |name: &str| TELLING.contains(&name) || is_bound && KEEPING.contains(&name);
        raises || body.iter().any(|load| self.name(load).is_some_and(tells)) && !body.iter().any(keeps)
    }

    fn from(&self, unit: u32) -> &'b [Instruction] {
        let at = self.instructions.at.get(unit as usize).map_or(usize::MAX, |at| *at as usize);
        self.instructions.all.get(at..).unwrap_or_default()
    }

    fn name(&self, instruction: &Instruction) -> Option<&'a str> {
        let shift = if instruction.opcode == self.opcodes.load_name {
            0
        } else if [self.opcodes.load_global, self.opcodes.load_attr].contains(&instruction.opcode) {
            1
        } else {
            return None;
        };
        self.names.get((instruction.argument >> shift) as usize).copied()
    }

    fn says(&self, raised: &[&str], instruction: &Instruction) -> bool {
        self.name(instruction).is_some_and(|name| raised.contains(&name))
    }

    fn catches(&self, target: u32, raised: &[&str]) -> bool {
        self.clause(target, raised).is_some()
    }

    /// The clause for one of these exceptions, of the handler that begins at `target`: from where they match, or of one for all, from its beginning.
    fn clause(&self, target: u32, raised: &[&str]) -> Option<&'b [Instruction]> {
        let mut clause = self.from(target);
        let (first, rest) = clause.split_first()?;
        if first.opcode != self.opcodes.push_exc_info {
            return None;
        }
        // One for all exceptions is not about containers that change.
        let is_for_all = |next: &Instruction| next.opcode == self.opcodes.pop_top && raised.contains(&"BaseException");
        if rest.first().is_some_and(is_for_all) {
            return Some(rest);
        }
        clause = rest;
        // The classes of a clause, the match, and a jump to the next clause.
        let checks = [self.opcodes.check_exc_match, self.opcodes.check_eg_match];
        while let Some(matched) = clause.iter().position(|instruction| checks.contains(&instruction.opcode)) {
            if clause[..matched].iter().any(|instruction| self.opcodes.info(instruction.opcode).is_end) {
                return None;
            }
            if clause[..matched].iter().any(|instruction| self.says(raised, instruction)) {
                return Some(&clause[matched..]);
            }
            let next = clause[matched..].iter().take(3).find_map(|instruction| instruction.target)?;
            let next = self.instructions.all.get(next as usize..)?;
            if next.len() >= clause.len() {
                return None;
            }
            clause = next;
        }
        // After clauses for other classes, one for all.
        clause.first().is_some_and(is_for_all).then_some(clause)
    }

    /// The body of a `with suppress(...)`, or of another `with` whose call names what is not there, begins at `start`.
    fn is_suppressed(&self, start: u32, target: u32, raised: &[&str]) -> bool {
        /// The context manager, its arguments, and how it is entered.
        const BEFORE: usize = 24;
        let is_with = self.from(target).iter().take(2).any(|instruction| instruction.opcode == self.opcodes.with_except_start);
        let Some(end) = self.instructions.at.get(start as usize).map(|at| *at as usize).filter(|_| is_with) else { return false };
        let before = &self.instructions.all[end.saturating_sub(BEFORE)..end];
        let called = before.iter().rposition(|instruction| self.name(instruction) == Some(SUPPRESS));
        let is_suppress = called.is_some_and(|called| before[called..].iter().any(|instruction| self.says(raised, instruction)));
        let is_lack = |instruction: &Instruction| self.name(instruction).is_some_and(|name| NOT_THERE.contains(&name));
        is_suppress || self.manager(before).iter().any(|instruction| is_lack(instruction) && self.says(raised, instruction))
    }

    /// Of instructions before the body of a `with`, the expression of its context manager.
    fn manager<'c>(&self, before: &'c [Instruction]) -> &'c [Instruction] {
        let Opcodes { load_fasts: fasts, load_fast_pairs: pairs, load_consts: consts, .. } = self.opcodes;
        let Opcodes { load_global, load_name, load_attr, load_deref, push_null, build_tuple, .. } = *self.opcodes;
        // And the probes of what is read on the way.
        let Opcodes { call, call_kw, copy, delete_subscr, .. } = *self.opcodes;
        let others = [load_global, load_name, load_attr, load_deref, push_null, build_tuple, call, call_kw, copy, delete_subscr];
        let is_part = |opcode| [&others[..], fasts, pairs, consts].into_iter().any(|part| part.contains(&opcode));
        // `__exit__` is loaded before `__enter__`.
        let enters =
            before.iter().rposition(|instruction| instruction.opcode == self.opcodes.load_special && instruction.argument == 1);
        let before = &before[..enters.unwrap_or(0)];
        let start = before.iter().rposition(|instruction| !is_part(instruction.opcode)).map_or(0, |last| last + 1);
        &before[start..]
    }
}
