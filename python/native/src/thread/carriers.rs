//! Functions of libraries that call what the program gave away earlier: to a thread, an executor, a timer.  Of each it is known which of its local
//! variables stands for that, so that it can be asked where it was given.
//!
//! May be asked in the middle of any system call: nothing here locks, allocates or needs the thread to be attached.

use crate::interpreter::frames::{Frame, RawFrame};
use crate::thread::{origins, stacks};
use pyo3::ffi;
use pyo3::prelude::*;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How a function has what the program gave to a library.
#[derive(Debug, Clone, Copy)]
enum Carried {
    /// Its first argument was given it where that was noted as born; of this class (address) only, 0 for any.
    Self_(usize),
    /// Its local variable of this number stands for it.
    Variable(u16),
}

impl Carried {
    /// Addresses of classes are even.
    fn pack(self) -> u64 {
        match self {
            Carried::Self_(class) => class as u64,
            Carried::Variable(number) => u64::from(number) << 1 | 1,
        }
    }

    fn unpack(word: u64) -> Self {
        if word & 1 == 0 { Carried::Self_(word as usize) } else { Carried::Variable((word >> 1) as u16) }
    }
}

/// As many as the tables name, and more.
const MOST: usize = 32;
/// A code object (address), and how it carries.
static CARRIERS: [(AtomicUsize, AtomicU64); MOST] = [const { (AtomicUsize::new(0), AtomicU64::new(0)) }; MOST];
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn add(code: &Bound<'_, PyAny>, carried: Carried) {
    let free = COUNT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| (count < MOST).then_some(count + 1));
    if let Ok(free) = free {
        CARRIERS[free].1.store(carried.pack(), Ordering::Relaxed);
        CARRIERS[free].0.store(code.clone().unbind().into_ptr() as usize, Ordering::Release);
    }
}

/// This function calls what was given to its first argument where that was noted as born; to objects of this class only.
pub(crate) fn add_for_self(code: &Bound<'_, PyAny>, class: Option<&Bound<'_, PyAny>>) {
    add(code, Carried::Self_(class.map_or(0, |class| class.clone().unbind().into_ptr() as usize)));
}

/// This function calls what was given where its local variable of this number, which is in no cell, was noted as given.
pub(crate) fn add_for_variable(code: &Bound<'_, PyAny>, variable: u16) {
    add(code, Carried::Variable(variable));
}

fn carried(code: usize) -> Option<Carried> {
    let known = CARRIERS.iter().map(|(carrier, carried)| (carrier.load(Ordering::Acquire), carried));
    let (_, carried) = known.take_while(|(carrier, _)| *carrier != 0).find(|(carrier, _)| *carrier == code)?;
    Some(Carried::unpack(carried.load(Ordering::Relaxed)))
}

/// The stack of the thread that gave away what this frame, of this code object, calls; empty if it calls nothing of the kind.
///
/// # Safety
/// A frame of the calling thread, which runs Python code or is in a call that this made.
pub(crate) unsafe fn given_at(frame: Frame<'_>, code: usize) -> &'static [RawFrame] {
    let object = |index: usize| frame.local(index).map_or(0, |object| object as usize);
    match carried(code) {
        None => &[],
        Some(Carried::Variable(number)) => stacks::get(origins::of_given(object(number.into()))),
        Some(Carried::Self_(class)) => {
            let object = object(0);
            // SAFETY: a local variable is alive, and so is the class.
            let fits = object != 0 && (class == 0 || unsafe { ffi::Py_TYPE(object as *mut ffi::PyObject) } as usize == class);
            if fits { stacks::get(origins::of(object)) } else { &[] }
        }
    }
}
