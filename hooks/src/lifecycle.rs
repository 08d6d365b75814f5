//! Switched on or inert; the Python module connects; forks; the end.

use crate::calls::{install, table};
use crate::crash;
use crate::state::process::{self, CHILDREN, DESCRIPTORS};
use crate::state::{python, thread};
use crate::system::{clock, environment};
use ftsan::recording::{Recording, ThreadRecord};
use ftsan_interface::api::{HooksApi, How, PythonApi, VERSION};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// Switches a process on.
const SWITCH: &[u8] = b"FTSAN=1";

static DECIDED: AtomicBool = AtomicBool::new(false);

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

#[used]
#[unsafe(link_section = ".fini_array")]
static END: extern "C" fn() = process::remove;

/// The library is loaded.
extern "C" fn start() {
    // SAFETY: the loader runs constructors one after the other, before any code that could change the environment.
    if unsafe { environment::value(SWITCH) }.is_some_and(|rest| rest.first() == Some(&0)) {
        switch_on();
    }
}

/// Watches this process, unless it runs with more rights than the user who set its environment.
fn switch_on() {
    // SAFETY: getauxval has no preconditions.
    let is_set_id = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    if is_set_id || DECIDED.swap(true, Ordering::AcqRel) || !process::begin(clock::ticks_per_us()) {
        return;
    }
    thread::prepare();
    // The interpreter notes at its start which signals have a handler, and the program can ask: `ftsan_hooks_connect` is called when it has.
    // SAFETY: a name and a zero.
    if unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"Py_Initialize".as_ptr()) }.is_null() {
        crash::handler::install();
    }
    // SAFETY: the handler is a function of this library, which is never unloaded.
    unsafe { libc::pthread_atfork(None, None, Some(after_fork)) };
}

/// In the child of a fork: a recording of its own, with this thread only.
unsafe extern "C" fn after_fork() {
    let Some(old) = process::abandon() else { return };
    DESCRIPTORS.after_fork();
    CHILDREN.after_fork();
    thread::forget();
    process::renew(old);
}

/// The Python module is here; `how` it comes to know us.
///
/// # Safety
/// The module's functions stay callable for good.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn ftsan_hooks_connect(module: &PythonApi, how: How) -> HooksApi {
    let refused =
        HooksApi { version: VERSION, hooks: 0, recording, descriptors: None, pause, resume, thread: thread_record, suspend };
    if module.version != VERSION {
        return refused;
    }
    switch_on();
    if process::recording().is_none() {
        return refused;
    }
    // The one who attaches leaves again: nothing that outlives them.
    if how != How::ATTACHED {
        process::keep();
        crash::handler::install();
    }
    if how != How::PRELOADED {
        install::install(&table::TABLES);
    }
    python::connected(module);
    let hooks = table::TABLES.iter().map(|hooks| hooks.len() as u32).sum();
    HooksApi { hooks, descriptors: Some(&DESCRIPTORS), ..refused }
}

/// The process is left, or somebody has come back: the acts of threads on descriptors meanwhile are not known.
unsafe extern "C" fn suspend(is_suspended: bool) {
    if !is_suspended {
        DESCRIPTORS.after_fork();
    }
    python::suspend(is_suspended);
    install::undo(is_suspended);
}

thread_local! {
    /// How many pauses of the module the thread is in, and the outermost one.
    static PAUSES: Cell<u32> = const { Cell::new(0) };
    static PAUSED: Cell<Option<thread::Paused>> = const { Cell::new(None) };
}

// A thread whose destructors have run is not looked at anyway.
unsafe extern "C" fn pause() {
    let _ = PAUSED.try_with(|paused| {
        let outer = PAUSES.replace(PAUSES.get() + 1);
        if outer == 0 {
            paused.set(Some(thread::Paused::begin()));
        }
    });
}

unsafe extern "C" fn resume() {
    let _ = PAUSED.try_with(|paused| {
        PAUSES.set(PAUSES.get().saturating_sub(1));
        if PAUSES.get() == 0 {
            paused.set(None);
        }
    });
}

unsafe extern "C" fn recording() -> Option<&'static Recording> {
    process::recording()
}

unsafe extern "C" fn thread_record() -> Option<&'static ThreadRecord> {
    thread::current()
}
