//! Names for which loops wait: what is written under them tells that all before it is done, and a loop that has seen it knows of that.
//!
//! A loop may ask a function instead; then it waits for all that the function makes its answer of.  Both are known as soon as code is patched, so that it does
//! not matter whether the write or the loop comes first.  A name is known by its hash, as dictionaries have it.

use crate::engine::races::names;
use ftsan::patcher::{Called, Questions};
use pyo3::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// By the numbers of names, folded, whether a loop waits for what is written there.
static WAITED_FOR: [AtomicU64; NAMES as usize / 64] = [const { AtomicU64::new(0) }; NAMES as usize / 64];
const NAMES: u64 = 1 << 12;

fn name(number: u64) -> (&'static AtomicU64, u64) {
    (&WAITED_FOR[(number % NAMES) as usize / 64], 1 << (number % 64))
}

/// Whether a loop may wait for what is written under this name.
#[inline(always)]
pub(super) fn is_waited_for(number: u64) -> bool {
    let (names, bit) = name(number);
    names.load(Ordering::Relaxed) & bit != 0
}

/// By the numbers of names, folded as there, whether it is no loop that waits, but attributes of that name are taken away as tokens are.
static TAKEN: [AtomicU64; NAMES as usize / 64] = [const { AtomicU64::new(0) }; NAMES as usize / 64];

/// Attributes of this name are taken away by one of several threads: what puts one there hands it over.
pub(super) fn take(number: u64) {
    for names in [&TAKEN, &WAITED_FOR] {
        names[(number % NAMES) as usize / 64].fetch_or(1 << (number % 64), Ordering::Relaxed);
    }
}

/// Whether what is written under this name, of which [`is_waited_for`] is true, tells anybody something: if there was something before, nobody has taken that.
#[cold]
pub(super) fn tells(number: u64, is_new: impl FnOnce() -> bool) -> bool {
    let is_taken = TAKEN[(number % NAMES) as usize / 64].load(Ordering::Relaxed) & 1 << (number % 64) != 0;
    let is_known = || known().as_ref().is_some_and(|names| names.waited_for.contains(&number));
    !is_taken || is_new() || is_known()
}

/// Whether a loop may wait until there is nothing in a container any more.
static IS_DRAINED: AtomicBool = AtomicBool::new(false);

#[inline(always)]
pub(super) fn is_drained() -> bool {
    IS_DRAINED.load(Ordering::Relaxed)
}

/// A loop may wait until there is nothing in a container any more.
pub(super) fn wait_until_drained() {
    IS_DRAINED.store(true, Ordering::Relaxed);
}

/// What is known of names when code is patched.
#[derive(Default)]
struct Names {
    waited_for: HashSet<u64>,
    /// Names of functions that loops ask.
    asked: HashSet<u64>,
    /// Names of what is given to functions that may call it.
    given: HashSet<u64>,
    /// Of a function that of which it makes its answer.
    answers: HashMap<u64, HashSet<Part>>,
}

/// What a function makes its answer of.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// What is read under this name.
    Read(u64),
    /// The answer of a function of this name.
    Answer(u64),
}

static KNOWN: Mutex<Option<Names>> = Mutex::new(None);

fn known() -> MutexGuard<'static, Option<Names>> {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Names {
    fn wait_for(&mut self, number: u64) {
        if self.waited_for.insert(number) {
            let (names, bit) = name(number);
            names.fetch_or(bit, Ordering::Relaxed);
            self.ask(number);
        }
    }

    fn ask(&mut self, function: u64) {
        if self.asked.insert(function) {
            if function == HELD {
                self.given.clone().into_iter().for_each(|given| self.ask(given));
            }
            self.answers.get(&function).cloned().unwrap_or_default().into_iter().for_each(|part| self.wait_for_part(part));
        }
    }

    fn wait_for_part(&mut self, part: Part) {
        match part {
            Part::Read(number) => self.wait_for(number),
            Part::Answer(function) => self.ask(function),
        }
    }
}

/// A loop waits for what is written under this name, or for what a property of this name gives.
pub(crate) fn wait_for(number: u64) {
    known().get_or_insert_default().wait_for(number);
}

/// Of what a variable holds when it is called: a function without a name of its own, or one that is given.
const HELD: u64 = 1;

/// A function, by the numbers under which it may be called.
pub(crate) struct Function(Vec<u64>);

impl Function {
    /// By its names; `arguments` without those that are only named.
    pub(crate) fn of(py: Python<'_>, name: &str, qualified: &str, arguments: i32) -> PyResult<Self> {
        let mut numbers = vec![names::intern(py, name)?.1, names::intern(py, qualified)?.1];
        // A lambda, or a function that another one makes.
        if arguments == 0 && (name != qualified || name == "<lambda>") {
            numbers.push(HELD);
        }
        Ok(Function(numbers))
    }

    /// One that nobody asks.
    pub(crate) fn unnamed() -> Self {
        Function(Vec::new())
    }

    /// It makes its answer of this.
    pub(crate) fn answers(&self, part: Part) {
        let mut known = known();
        let known = known.get_or_insert_default();
        for function in &self.0 {
            known.answers.entry(*function).or_default().insert(part);
            if known.asked.contains(function) {
                known.wait_for_part(part);
            }
        }
    }

    /// It asks others; `made` gives the qualified name of a function that it makes, by the number of its code among the constants.
    pub(crate) fn asks(&self, py: Python<'_>, questions: &Questions<'_>, made: impl Fn(u32) -> Option<String>) -> PyResult<()> {
        let number = |called: &Called<'_>| match called {
            Called::Named(name) => names::intern(py, name).map(|(_, number)| Some(number)),
            Called::Held => Ok(Some(HELD)),
            Called::Made(constant) => made(*constant).map(|name| Ok(names::intern(py, &name)?.1)).transpose(),
        };
        for name in &questions.given {
            let (_, number) = names::intern(py, name)?;
            let mut known = known();
            let known = known.get_or_insert_default();
            if known.given.insert(number) && known.asked.contains(&HELD) {
                known.ask(number);
            }
        }
        for called in &questions.until {
            number(called)?.into_iter().for_each(|function| known().get_or_insert_default().ask(function));
        }
        for called in &questions.passed_on {
            number(called)?.into_iter().for_each(|other| self.answers(Part::Answer(other)));
        }
        Ok(())
    }
}
