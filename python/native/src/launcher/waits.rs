//! Which locks the threads of another process wait for and hold, read from outside.
//!
//! A thread that waits for a `PyMutex` or a `PyEvent` is in a futex of its `struct wait_entry` (`Python/parking_lot.c`), which has the address
//! that it waits for.  An RLock knows its thread.  A plain lock does not; but a thread that is in a `with` statement has the lock on the
//! stack of a frame, above its `__exit__`.  Which of them was acquired by `acquire()` is known to nobody.
//!
//! Nothing is stopped: what changes while it is read does not look as expected, and is left out.

use crate::interpreter::{code_fields, line_table, locks, offsets};
use crate::launcher::crash_report::source_line;
use crate::launcher::door::{Interpreter, Memory};
use crate::launcher::tasks;
use ftsan::patcher::handler_of_with;
use ftsan::report::Frame;
use ftsan::triage::crash::{HeldLock, Thread};
use pyo3::exceptions::PyOSError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::collections::BTreeMap;
use std::mem::offset_of;
use std::{fs, io};

/// `struct wait_entry`, `Python/parking_lot.c`, up to the word that its thread waits for: the beginning of a `sem_t`.
#[repr(C)]
struct WaitEntry {
    park_arg: usize,
    address: usize,
    semaphore: u32,
}

/// `ThreadHandle`, `Modules/_threadmodule.c`.
#[repr(C)]
struct ThreadHandle {
    nodes: [usize; 4],
    ident: usize,
    os_handle: usize,
    has_os_handle: i32,
    state: i32,
    mutex: u8,
    is_exiting: u8,
}

/// `PyDescrObject`, `Include/cpython/descrobject.h`.
#[repr(C)]
struct Descriptor {
    header: ffi::PyObject,
    class: usize,
    name: usize,
}

/// How many frames of a thread are looked at, and how many words of the stack of each.
const FRAMES: usize = 1000;
const STACK: usize = 256;

const LOCKS: [&str; 2] = ["_thread.lock", "_thread.RLock"];

/// A thread that is in a `with` statement of a lock.
struct Entered {
    lock: usize,
    at: Vec<Frame>,
}

/// What a process is read with.
struct Reader {
    process: Interpreter,
    /// Where a code object has its table of exceptions.
    exceptions: usize,
    /// Names of types by their addresses.
    types: BTreeMap<usize, String>,
}

/// The threads of a process that runs the same build of the same interpreter: Python frames, what they wait for and hold.
///
/// # Errors
/// It does not, or its memory cannot be read.
pub(crate) fn threads_of(py: Python<'_>, pid: u32) -> PyResult<Vec<Thread>> {
    code_fields::load(py).map_err(PyOSError::new_err)?;
    let mut reader = Reader { process: tasks::interpreter_of(pid)?, exceptions: code_fields::exceptions(), types: BTreeMap::new() };
    Ok(reader.threads(pid)?)
}

impl Reader {
    fn memory(&self) -> &Memory {
        &self.process.memory
    }

    fn threads(&mut self, pid: u32) -> io::Result<Vec<Thread>> {
        let offsets = offsets::get();
        let states = self.process.threads()?;
        let idents: Vec<usize> =
            states.iter().map(|(_, state)| self.memory().word(state + offsets.thread_ident)).collect::<io::Result<_>>()?;
        let mut threads = Vec::new();
        let mut owners = Vec::new();
        for ((native_id, state), ident) in states.iter().zip(&idents) {
            let (python, entered) = self.frames(*state).unwrap_or_default();
            let source = python.first().map_or_else(String::new, source_line);
            let entered = entered.into_iter().filter(|one| self.is_held(one, &python, *ident)).collect::<Vec<_>>();
            let holds = entered.into_iter().map(|one| held(one.lock, one.at)).collect();
            let handle = Some(*ident as u64);
            let mut thread = Thread { native_id: *native_id, python, source, holds, handle, ..Thread::default() };
            if let Some(address) = self.parked(pid, *native_id) {
                if let Some(lock) = self.lock_at(address) {
                    thread.waits_for = Some(lock as u64);
                    owners.extend(self.owner(lock).map(|owner| (lock, owner)));
                } else {
                    thread.waits_for = self.ending(address).filter(|ident| idents.contains(ident)).map(|ident| ident as u64);
                }
            }
            threads.push(thread);
        }
        // It was released in between by one of them.
        let holders = |lock: u64| threads.iter().filter(|thread| thread.holds.iter().any(|held| held.address == lock)).count();
        let doubtful: Vec<u64> =
            threads.iter().flat_map(|thread| &thread.holds).map(|held| held.address).filter(|lock| holders(*lock) > 1).collect();
        for thread in &mut threads {
            thread.holds.retain(|held| !doubtful.contains(&held.address));
        }
        for (lock, owner) in owners {
            if let Some(at) = idents.iter().position(|ident| *ident == owner)
                && !threads[at].holds.iter().any(|held| held.address == lock as u64)
            {
                threads[at].holds.push(held(lock, Vec::new()));
            }
        }
        Ok(threads)
    }

    /// Whether a thread has the lock in whose `with` statement it is: it may have released it there, as waiting for a condition does.
    fn is_held(&mut self, entered: &Entered, python: &[Frame], ident: usize) -> bool {
        if let Some(owner) = self.owner(entered.lock) {
            return owner == ident;
        }
        let mut mutex = [0];
        let is_locked = self.memory().read_into(entered.lock + locks::MUTEX, &mut mutex).is_ok() && mutex[0] & locks::LOCKED != 0;
        let waits = |frame: &Frame| frame.file.ends_with("/threading.py") && frame.function == "Condition.wait";
        is_locked && !python[..python.len() - entered.at.len()].iter().any(waits)
    }

    /// The address that a thread waits for in the interpreter's parking lot.
    fn parked(&self, pid: u32, native_id: u64) -> Option<usize> {
        let futex = || {
            let call = fs::read_to_string(format!("/proc/{pid}/task/{native_id}/syscall")).ok()?;
            let mut words = call.split_ascii_whitespace();
            let is_futex = words.next()?.parse() == Ok(libc::SYS_futex);
            is_futex.then(|| usize::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok())?
        };
        let before = futex()?;
        let entry = before.checked_sub(offset_of!(WaitEntry, semaphore))?;
        let address = self.memory().word(entry + offset_of!(WaitEntry, address)).ok()?;
        (futex() == Some(before)).then_some(address)
    }

    /// The lock whose mutex is here.
    fn lock_at(&mut self, address: usize) -> Option<usize> {
        let object = address.checked_sub(locks::MUTEX)?;
        self.is_lock(object).then_some(object)
    }

    fn is_lock(&mut self, object: usize) -> bool {
        object != 0 && self.type_of(object).is_some_and(|name| LOCKS.contains(&name))
    }

    fn type_of(&mut self, object: usize) -> Option<&str> {
        let class = self.memory().word(object + offset_of!(ffi::PyObject, ob_type)).ok().filter(|class| *class != 0)?;
        if !self.types.contains_key(&class) {
            let name = self.process.type_of(object).ok()?;
            self.types.insert(class, name);
        }
        self.types.get(&class).map(String::as_str)
    }

    /// The identity of the thread that holds a reentrant lock.
    fn owner(&mut self, lock: usize) -> Option<usize> {
        (self.type_of(lock) == Some(LOCKS[1])).then(|| self.memory().word(lock + locks::OWNER).ok())?
    }

    /// The identity of the thread whose end is waited for here.
    fn ending(&self, address: usize) -> Option<usize> {
        let handle = address.checked_sub(offset_of!(ThreadHandle, is_exiting))?;
        let ident = self.memory().word(handle + offset_of!(ThreadHandle, ident)).ok()?;
        let os_handle = self.memory().word(handle + offset_of!(ThreadHandle, os_handle)).ok()?;
        (ident == os_handle && ident != 0).then_some(ident)
    }

    /// Where a thread is, innermost first, and the locks whose `with` statements it is in.
    fn frames(&mut self, state: usize) -> io::Result<(Vec<Frame>, Vec<Entered>)> {
        let offsets = offsets::get();
        let mut frame = self.memory().word(state + offsets.thread_current_frame)?;
        let (mut python, mut entered, mut entering) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..FRAMES {
            if frame == 0 {
                break;
            }
            let mut owner = [0];
            self.memory().read_into(frame + offsets.frame_owner, &mut owner)?;
            if owner[0] != offsets::OWNED_BY_INTERPRETER {
                let depth = python.len();
                python.extend(tasks::place(&self.process, frame)?);
                if python.len() > depth {
                    self.with_statements(frame, &python[depth], depth, &mut entered, &mut entering)?;
                }
            }
            frame = self.memory().word(frame + offsets.frame_previous)?;
        }
        // Innermost first: the one that is being entered is not held yet.
        for lock in entering {
            if let Some(at) = entered.iter().position(|(held, _, _): &(usize, usize, Frame)| *held == lock) {
                entered.remove(at);
            }
        }
        let whole = |(lock, depth, first): (usize, usize, Frame)| Entered {
            lock,
            at: std::iter::once(first).chain(python[depth + 1..].iter().cloned()).collect(),
        };
        let entered = entered.into_iter().map(whole).collect();
        Ok((python, entered))
    }

    /// Adds the locks that have their `__exit__` below them on the stack of a frame, innermost first, and those that have `__enter__`.
    fn with_statements(
        &mut self,
        frame: usize,
        place: &Frame,
        depth: usize,
        entered: &mut Vec<(usize, usize, Frame)>,
        entering: &mut Vec<usize>,
    ) -> io::Result<()> {
        let offsets = offsets::get();
        let code = self.memory().word(frame + offsets.frame_executable)? & !offsets::STACKREF_TAG;
        let variables = self.memory().word(code + offsets.code_localsplusnames)?;
        let count = self.memory().word(variables + offset_of!(ffi::PyVarObject, ob_size))?;
        let base = frame + offsets.frame_localsplus + count.min(1 << 16) * size_of::<usize>();
        let top = self.memory().word(frame + offsets.frame_stackpointer)?;
        let Some(size) = top.checked_sub(base).filter(|size| *size <= STACK * size_of::<usize>()) else { return Ok(()) };
        let mut bytes = vec![0; size];
        self.memory().read_into(base, &mut bytes)?;
        let words: Vec<usize> =
            bytes.as_chunks().0.iter().map(|word| usize::from_ne_bytes(*word) & !offsets::STACKREF_TAG).collect();
        for (at, pair) in words.windows(2).enumerate().rev() {
            if !self.is_lock(pair[1]) {
                continue;
            }
            match self.method(pair[0]).as_deref() {
                Some("__exit__") => {
                    let line = self.line_of_with(frame, code, at + 2)?.unwrap_or(place.line);
                    entered.push((pair[1], depth, Frame { line, ..place.clone() }));
                }
                Some("__enter__") => entering.push(pair[1]),
                _ => (),
            }
        }
        Ok(())
    }

    /// The name of a method of a type in C.
    fn method(&mut self, object: usize) -> Option<String> {
        if object == 0 || self.type_of(object) != Some("method_descriptor") {
            return None;
        }
        let name = self.memory().word(object + offset_of!(Descriptor, name)).ok()?;
        tasks::text(&self.process, name).ok()
    }

    /// The line of the `with` statement around a frame's instruction that has so much on the stack.
    fn line_of_with(&self, frame: usize, code: usize, depth: usize) -> io::Result<Option<u32>> {
        let Some((unit, first_line, lines)) = tasks::instruction(&self.process, frame, code)? else { return Ok(None) };
        let exceptions = tasks::bytes(&self.process, self.memory().word(code + self.exceptions)?)?;
        let handler = handler_of_with(&exceptions, unit as u32, depth as u32);
        let line = handler.and_then(|handler| line_table::line(&lines, first_line, handler as usize));
        Ok(line.map(|line| line.max(0) as u32))
    }
}

fn held(lock: usize, at: Vec<Frame>) -> HeldLock {
    let source = at.first().map_or_else(String::new, source_line);
    HeldLock { address: lock as u64, at, source }
}
