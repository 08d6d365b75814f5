//! Loops that wait for what other threads do: the reads by which they do so, the functions that they ask, and of what those make their answers.

use super::branches::{comes_to, goes_straight_back};
use super::code::{Code, Place};
use super::found::Found;
use super::handlers::Handlers;
use super::instructions::{Instruction, Instructions, read_at};
use super::opcodes::{Jump, Opcodes};
use super::point::{Action, Operand, Point};
use super::stack;
use super::tested::{Decision, Follow, decides, leaves_a_loop, loop_end};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

/// A function that is called, as far as the code shows which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Called<'a> {
    /// A function or a method with this name.
    Named(&'a str),
    /// What a variable holds, such as an argument.
    Held,
    /// It is made here, perhaps for a function that calls it: the number of the constant that has its code.
    Made(u32),
}

/// The functions on which it hangs what a function does.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Questions<'a> {
    /// A loop goes on until they answer something else.
    pub until: Vec<Called<'a>>,
    /// The function makes its own answer of theirs.
    pub passed_on: Vec<Called<'a>>,
    /// Names of what it gives to others, which may call it.
    pub given: Vec<&'a str>,
}

/// What a function asks of others.
pub fn questions<'a>(opcodes: &Opcodes, code: &Code<'a>) -> Questions<'a> {
    let mut questions = Questions::default();
    let Some(instructions) = Instructions::read(opcodes, code.bytes) else { return questions };
    let all = &instructions.all;
    let function = Function::of(opcodes, code.name, code.names, all);
    // Calls whose results are waited for (true) or answered.
    let mut asked: Vec<(u32, bool)> = Vec::new();
    for (index, instruction) in all.iter().enumerate() {
        if instruction.opcode == opcodes.call {
            let arguments = all[..index].iter().rev().take(instruction.argument as usize);
            let given = arguments.map_while(|load| code.loaded(opcodes, load)).map(|(_, name)| name);
            questions.given.extend(given);
        }
        // Perhaps a property.
        let is_property = instruction.opcode == opcodes.load_attr && instruction.argument & 1 == 0;
        if instruction.opcode != opcodes.call && (!is_property || function.loops.is_empty()) {
            continue;
        }
        match function.use_of(index, Follow::Anything) {
            Some(Use::Waits(jump)) if function.idles(jump) => {
                if is_property {
                    questions.until.extend(code.names.get((instruction.argument >> 1) as usize).map(|name| Called::Named(name)));
                } else {
                    asked.push((index as u32, true));
                }
            }
            Some(Use::Answers) if !is_property => asked.push((index as u32, false)),
            Some(Use::Waits(_) | Use::Answers) | None => {}
        }
    }
    if asked.is_empty() {
        return questions;
    }
    stack::run(opcodes, code, &instructions, |index, producers| {
        let Some((_, is_waiting)) = asked.iter().find(|(call, _)| *call == index) else { return };
        let source = all.get(producers.at(all[index as usize].argument + 2) as usize);
        let list = if *is_waiting { &mut questions.until } else { &mut questions.passed_on };
        list.extend(source.into_iter().flat_map(|source| called(opcodes, code, source)));
        list.extend(function.made(index as usize));
    });
    questions
}

/// What is known of a function by the instruction that loads it.
fn called<'a>(opcodes: &Opcodes, code: &Code<'a>, source: &Instruction) -> Vec<Called<'a>> {
    if opcodes.load_fast_pairs.contains(&source.opcode) {
        let name = code.locals.get((source.argument & 15) as usize);
        return name.map(|name| Called::Named(name)).into_iter().chain([Called::Held]).collect();
    }
    match code.loaded(opcodes, source) {
        Some((Place::Variable, name)) => vec![Called::Named(name), Called::Held],
        Some((_, name)) => vec![Called::Named(name)],
        None => Vec::new(),
    }
}

/// What a function does with a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// A loop goes on until it is another one, by this jump.
    Waits(usize),
    /// The function makes its answer of it.
    Answers,
}

/// The code of a function.
struct Function<'a> {
    opcodes: &'a Opcodes,
    name: &'a str,
    /// As in [`Code`].
    names: &'a [&'a str],
    all: &'a [Instruction],
    /// From the first instruction of each loop to its last one.
    loops: Vec<RangeInclusive<usize>>,
}

/// What a generator expression goes through is chosen by a condition.
const GENERATOR: &str = "<genexpr>";

const LAMBDA: &str = "<lambda>";

/// Functions and methods by which a loop lets others go on.
const PAUSES: &[&str] = &["checkpoint", "join", "pause", "sched_yield", "sleep", "wait"];

/// What a loop may ask or say meanwhile.
const CLOCKS: &[&str] =
    &["debug", "info", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "print", "time", "warning"];

impl<'a> Function<'a> {
    fn of(opcodes: &'a Opcodes, name: &'a str, names: &'a [&'a str], all: &'a [Instruction]) -> Self {
        let goes_back = |instruction: &&Instruction| opcodes.info(instruction.opcode).jump == Jump::Backward;
        let tops: BTreeSet<usize> = all.iter().filter(goes_back).filter_map(|back| back.target).map(|top| top as usize).collect();
        let loops = tops.into_iter().filter_map(|top| Some(top..=loop_end(opcodes, all, top)?)).collect();
        Function { opcodes, name, names, all, loops }
    }

    /// What becomes of the value that an instruction pushes.
    fn use_of(&self, index: usize, follow: Follow) -> Option<Use> {
        let use_of_all = || self.gathered(index).and_then(|all| self.use_of(all, Follow::Calls));
        match decides(self.opcodes, self.all, index, follow) {
            Some(Decision::Answer(_)) => Some(Use::Answers),
            Some(Decision::Jump(jump)) if self.ends_a_loop(jump) => Some(Use::Waits(jump)),
            Some(Decision::Jump(jump)) if self.name == GENERATOR || self.chooses_an_answer(jump) => Some(Use::Answers),
            Some(Decision::Jump(_)) | None => use_of_all(),
        }
    }

    /// The instruction after which what a comprehension has gathered is on the stack, if what is pushed at `index` is gathered there, or decides what is.
    fn gathered(&self, index: usize) -> Option<usize> {
        let (opcodes, all) = (self.opcodes, self.all);
        let around = self.around(index)?;
        let first = &all[*around.start()];
        let gathers = |at: usize| opcodes.gathers.contains(&all[at].opcode);
        if first.opcode != opcodes.for_iter || !(index..=*around.end()).any(gathers) {
            return None;
        }
        // The loop ends, its iterator goes, and its variables get back what they were.
        let ended = first.target? as usize + 1;
        let restores = |at: &usize| {
            let next = &all[*at];
            next.opcode == opcodes.swap || opcodes.stores(next.opcode, next.argument).is_some()
        };
        let result = ended + (ended + 1..all.len()).take_while(restores).count();
        // Handlers that go back to a loop belong to it, and with them what is between.
        (result > index).then_some(result)
    }

    /// Whether a loop that may wait goes on or ends by the jump at `jump`.
    fn ends_a_loop(&self, jump: usize) -> bool {
        let (opcodes, all) = (self.opcodes, self.all);
        let Some(around) = self.around(jump) else { return false };
        // A `for` goes through what there is, unless it lets others go on in each round.
        if all[*around.start()].opcode == opcodes.for_iter
            && !self.callees(around).any(|name| name.is_some_and(|name| PAUSES.contains(&name)))
        {
            return false;
        }
        if leaves_a_loop(opcodes, all, jump).is_some() {
            return true;
        }
        let Some(target) = all[jump].target else { return false };
        let ways = [target as usize, jump + 1];
        let waits = |from: usize| goes_straight_back(opcodes, all, from, jump);
        // `return self.out`
        let comes_back = |from: usize| comes_to(opcodes, all, from, usize::MAX, jump);
        waits(ways[0]) && !comes_back(ways[1]) || waits(ways[1]) && !comes_back(ways[0])
    }

    /// The innermost loop around an instruction.
    fn around(&self, index: usize) -> Option<RangeInclusive<usize>> {
        self.loops.iter().rev().find(|around| around.contains(&index)).cloned()
    }

    /// Whether the loop around a jump does nothing after that but let others go on.
    fn idles(&self, jump: usize) -> bool {
        let Some(around) = self.around(jump) else { return false };
        self.only_pauses(jump + 1..=*around.end())
    }

    /// Whether it is all that the loop around a jump does to let others go on.
    fn only_waits(&self, jump: usize) -> bool {
        let Some(around) = self.around(jump) else { return false };
        let body = &self.all[jump + 1..=*around.end()];
        let is_empty = || body.iter().all(|instruction| self.opcodes.info(instruction.opcode).access.is_none());
        let pauses = || self.callees(around.clone()).any(|name| name.is_some_and(|name| PAUSES.contains(&name)));
        self.idles(jump) && (pauses() || is_empty())
    }

    /// Whether nothing is done in these instructions but to let others go on.
    fn only_pauses(&self, inside: RangeInclusive<usize>) -> bool {
        let may_call = |name: &str| {
            PAUSES.contains(&name) || CLOCKS.contains(&name) || name.starts_with(|first: char| first.is_ascii_uppercase())
        };
        self.callees(inside).all(|name| name.is_some_and(may_call))
    }

    /// The names of functions and methods that are called in these instructions; `None` for each that has none.
    fn callees(&self, inside: RangeInclusive<usize>) -> impl Iterator<Item = Option<&str>> {
        let opcodes = self.opcodes;
        let is_loaded =
            |load: &Instruction| (load.opcode == opcodes.load_attr || load.opcode == opcodes.load_global) && load.argument & 1 == 1;
        inside.filter_map(move |at| {
            let load = self.all.get(at)?;
            let is_pushed = self.all.get(at + 1).is_some_and(|next| next.opcode == opcodes.push_null);
            if !is_loaded(load) && !is_pushed {
                return None;
            }
            let by_name = |shift: u32| Some(self.names.get((load.argument >> shift) as usize).copied());
            if load.opcode == opcodes.load_attr || load.opcode == opcodes.load_global {
                by_name(1)
            } else if load.opcode == opcodes.load_name {
                by_name(0)
            } else {
                Some(None)
            }
        })
    }

    /// Whether one of the ways from the jump at `jump` is to return a constant, or what decided: `if self.done < 3: return False`, `return a == 1 and b == 2`.
    fn chooses_an_answer(&self, jump: usize) -> bool {
        /// The value, and the iterator of a loop that is left.
        const SHORT: usize = 5;
        let returns = |from: usize| {
            let mut way = self.all.iter().skip(from).take(SHORT);
            let end = way.find(|instruction| {
                let info = self.opcodes.info(instruction.opcode);
                info.is_end || info.jump != Jump::None || info.access.is_some() || info.publishes
            });
            end.is_some_and(|end| end.opcode == self.opcodes.return_value)
        };
        returns(jump + 1) || self.all[jump].target.is_some_and(|target| returns(target as usize))
    }

    /// The functions that are made for a call: a generator expression, a lambda.
    fn made<'b>(&self, call: usize) -> impl Iterator<Item = Called<'b>> + use<'b> {
        /// What comes before a call with one argument that is a generator expression over `self.workers.values()`, and for another argument.
        const SHORT: usize = 16;
        let before = &self.all[call.saturating_sub(if self.all[call].argument == 0 { 0 } else { SHORT })..call];
        let made = before
            .windows(2)
            .filter(|pair| pair[0].opcode == self.opcodes.load_const && pair[1].opcode == self.opcodes.make_function);
        made.map(|pair| Called::Made(pair[0].argument)).collect::<Vec<_>>().into_iter()
    }
}

fn is_variable(action: Action) -> bool {
    matches!(action, Action::ReadAttribute | Action::ReadGlobal | Action::ReadCell)
}

/// Whether what is read, or done, decides something.
fn is_look(action: Action) -> bool {
    use Action as A;
    is_variable(action) || matches!(action, A::ReadItem | A::Contains | A::Truth | A::Method | A::Function | A::Iterate)
}

/// Marks the reads by which a loop waits for what others write ([`Point::is_waiting`]), and those of which the function makes its answer
/// ([`Point::is_answering`]), unless it `writes` that itself in one of these instructions.  Adds looks at other containers with which a loop waits.
pub(super) fn mark<'a>(
    opcodes: &Opcodes,
    code: &Code<'a>,
    all: &[Instruction],
    handlers: &Handlers<'_, '_>,
    found: &mut Vec<Found<'a>>,
    writes: impl Fn(&[Found<'a>], &Point<'a>, RangeInclusive<usize>) -> bool,
) {
    let function = Function::of(opcodes, code.name, code.names, all);
    for at in 0..found.len() {
        let Found { point, instruction, .. } = &found[at];
        if !is_look(point.action) {
            continue;
        }
        // A loop that waits until something is taken back waits for its turn instead.
        let is_variable = is_variable(point.action) || point.action == Action::ReadItem;
        let is_told =
            !point.is_polled || if is_variable { point.is_heeded } else { point.action != Action::Truth || point.is_awaited };
        let instruction = *instruction as usize;
        let found_use = if point.action == Action::Iterate {
            let load = instruction.saturating_sub(1);
            function.use_of(twin(opcodes, all, load).map_or(instruction, |load| load + 1), Follow::Calls)
        } else {
            function.use_of(instruction, Follow::Anything)
        };
        let is_item = matches!(point.action, Action::ReadAttribute | Action::ReadItem);
        let tried = if is_item && !function.loops.is_empty() { handlers.tried_again(point.unit) } else { None };
        if tried.is_some_and(|handler| function.only_pauses(handler)) {
            // It is no flag that says something else.
            (found[at].point.is_waiting, found[at].point.is_polled) = (true, true);
            continue;
        }
        match found_use {
            Some(Use::Waits(jump)) if is_told && (is_variable || function.idles(jump)) => {
                let is_waiting = function.around(jump).is_some_and(|inside| !writes(found, point, inside));
                found[at].point.is_drained = is_waiting && !is_variable;
                found[at].point.is_waiting = is_waiting;
            }
            Some(Use::Waits(jump)) if point.action == Action::Truth && function.only_waits(jump) => {
                found[at].point.is_drained = function.around(jump).is_some_and(|inside| !writes(found, point, inside));
            }
            Some(Use::Answers) => found[at].point.is_answering = !writes(found, point, 0..=all.len()),
            Some(Use::Waits(_)) | None => {}
        }
    }
    if function.loops.is_empty() && code.name != LAMBDA {
        return;
    }
    let looks: Vec<Found<'a>> = (0..all.len()).filter_map(|load| function.look(code, load, found)).collect();
    found.extend(looks);
    found.sort_by_key(|found| (found.instruction, found.is_after));
}

impl Function<'_> {
    /// A look at what a loop loads that waits for what comes of it, or a lambda that makes its answer of that: if it is a container, it waits for what is put there
    /// (`while sum(self.counts) < n`, `lambda: sorted(results) == expected`).  Not if it is one of these points that asks the container.
    fn look<'a>(&self, code: &Code<'a>, load: usize, points: &[Found<'a>]) -> Option<Found<'a>> {
        /// From where it is loaded to where it is asked.
        const SOON: u32 = 8;
        let (opcodes, all) = (self.opcodes, self.all);
        let instruction = &all[load];
        let is_callee = [opcodes.load_global, opcodes.load_attr].contains(&instruction.opcode) && instruction.argument & 1 == 1;
        let (_, container) = code.loaded(opcodes, instruction).filter(|_| !is_callee)?;
        let (is_waiting, is_answering) = match self.use_of(twin(opcodes, all, load).unwrap_or(load), Follow::Calls)? {
            Use::Waits(jump) => (self.idles(jump), false),
            Use::Answers => (false, self.name == LAMBDA),
        };
        let asks = |asked: &Found<'_>| {
            let is_soon = (load as u32..=load as u32 + SOON).contains(&asked.instruction);
            is_soon && asked.point.container == Some(container) && !is_variable(asked.point.action)
        };
        if !is_waiting && !is_answering || points.iter().any(asks) {
            return None;
        }
        let point = Point {
            unit: instruction.unit,
            handed: Operand::Stack(1),
            object: 1,
            is_waiting,
            is_answering,
            container: Some(container),
            ..Point::bare(Action::Await)
        };
        Some(Found { instruction: load as u32, is_after: true, point })
    }
}

/// The interpreter goes through a generator expression of `any` or `all` itself, if these names still mean the functions: what is loaded for that is loaded once more
/// for the call that it makes otherwise, which comes to the same.
fn twin(opcodes: &Opcodes, all: &[Instruction], load: usize) -> Option<usize> {
    /// The loop, and the function and the generator of the call.
    const SHORT: usize = 24;
    let is_generated = |call: usize| {
        let is_iterated = opcodes.info(all.get(call - 1)?.opcode).access.is_some_and(|access| access.action == Action::Iterate);
        Some(is_iterated && all.get(call)?.opcode == opcodes.call && all[call].argument == 0)
    };
    let is_inlined = is_generated(load + 2)? && all.get(load + 3)?.opcode == opcodes.for_iter;
    let mut loads = (load + 1..load + SHORT).filter(|at| is_inlined && is_generated(at + 2) == Some(true));
    loads.find(|at| all[*at].opcode == all[load].opcode && all[*at].argument == all[load].argument)
}

/// What the caller does with the result of the call at this code unit, of a function with this name: whether a loop waits for it, or `None` if it does not and does not
/// make its own answer of it either.  The code may have probes.
pub fn waits(opcodes: &Opcodes, bytes: &[u8], (name, names): (&str, &[&str]), unit: u32) -> Option<bool> {
    let (all, call) = read_at(opcodes, bytes, unit)?;
    let function = Function::of(opcodes, name, names, &all);
    match function.use_of(function.result(call), Follow::Anything)? {
        Use::Waits(jump) => Some(function.idles(jump)),
        Use::Answers => Some(false),
    }
}

impl Function<'_> {
    /// The instruction after which the result of a call is on the stack: of a generator that the interpreter goes through for `any` or `all`, what comes after that.
    fn result(&self, call: usize) -> usize {
        let end = self.all[call].target.filter(|_| self.all[call].opcode == self.opcodes.for_iter).map(|end| end as usize);
        // The loop ends, its iterator goes, and there is the answer, from where the code may jump over other answers.
        let Some(answer) = end.map(|end| end + 2).filter(|answer| *answer + 1 < self.all.len()) else { return call };
        let next = &self.all[answer + 1];
        next.target.filter(|_| next.opcode == self.opcodes.jump_forward).map_or(answer, |target| target as usize - 1)
    }
}

/// The number by which an item is known whose key an instruction loads.
pub(super) fn item(opcodes: &Opcodes, code: &Code<'_>, key: &Instruction) -> Option<u64> {
    if key.opcode == opcodes.load_small_int {
        return Some(crate::races::mix(u64::from(key.argument)));
    }
    code.text(opcodes, key)
}
