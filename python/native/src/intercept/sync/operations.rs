//! C methods and functions that hand something over: released before the original is called, or acquired after it.

use crate::engine::channels::{self, Found};
use crate::engine::order::{self, Space, key};
use crate::engine::races::container_sync;
use crate::engine::{children, databases, file_locks, locks};
use crate::intercept::c_method::{self, Hook, Hooked, Method, Row, Table};
use crate::intercept::sync::weakref_callbacks;
use crate::interpreter;
use crate::interpreter::call_arguments::Arguments;
use crate::interpreter::descriptors;
use crate::interpreter::header::{self, IGNORED};
use crate::thread::clock;
use crate::thread::context::here;
use crate::thread::outcome::Outcome;
use ftsan::locks::held::How;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::CStr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a method does to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    /// A lock of `_thread` is acquired, unless the result is false.
    Lock(How),
    /// A lock of `_thread` is released.
    Unlock(How),
    /// The object is about to have something for others.
    Release,
    /// What the object had was taken.
    Acquire,
    /// As `Acquire`, if the result is false.
    AcquireIfFalse,
    /// The end of a thread was waited for, perhaps in vain.
    Join,
    /// As `Join`, where the result says so.
    IsDone,
    /// The ends of all threads that are not daemons were waited for.
    JoinAll,
    /// Threads were counted.
    Count,
    /// Something is written to a descriptor, or it is closed.
    Write(Found),
    /// Something was read from a descriptor.
    Read(Found),
    /// A socket is connected to the address that is the first argument.
    Connect,
    /// A socket sends something to the address that is the last argument.
    SendTo,
    /// A socket was accepted.
    Accept,
    /// Two sockets were made that are connected with each other.
    SocketPair,
    /// Something is about to be put into a container.
    Put,
    /// Something was taken out of a container.
    Take,
    /// Something is put into a container unless it is there already, and whoever has put it there comes before.
    Claim,
    /// What is named is taken out of a container if it is there, and may be put there again by another thread.
    Withdraw,
    /// Anything is taken out of a container.
    TakeAny,
    /// Any other lock, which may be one of several processes, is acquired unless the result is false; it is released by `Release`.
    Gain,
    /// A descriptor is closed.
    Close(Found),
    /// `flock`
    FileLock,
    /// `fcntl`
    FileControl,
    /// `os.open`
    OpenFile,
    /// `open`
    OpenByMode,
    /// The path at this place is made, and must not be there.
    MakePath(usize),
    /// The path that is the first argument is removed, or gets another name.
    RemovePath,
    /// What is under its first argument will be under its second one.
    RenamePath,
    /// A database is opened.
    OpenDatabase,
    /// A statement is executed.
    Statement,
    /// A transaction ends.
    EndTransaction,
    /// A child process is started.
    StartChild,
    /// A child process was waited for, perhaps in vain.
    WaitForChild,
    /// A signal is sent.
    Signal,
    /// The second argument is called when the first one is gone.
    Callback,
}

/// The edges by the names that the table uses.
const NAMES: [(&str, Edge); 46] = [
    ("lock", Edge::Lock(How::Call)),
    ("enter", Edge::Lock(How::With)),
    ("restore", Edge::Lock(How::Wait)),
    ("unlock", Edge::Unlock(How::Call)),
    ("exit", Edge::Unlock(How::With)),
    ("save", Edge::Unlock(How::Wait)),
    ("release", Edge::Release),
    ("acquire", Edge::Acquire),
    ("acquire-if-false", Edge::AcquireIfFalse),
    ("join", Edge::Join),
    ("is-done", Edge::IsDone),
    ("join-all", Edge::JoinAll),
    ("count", Edge::Count),
    ("write", Edge::Write(Found::Argument)),
    ("read", Edge::Read(Found::Argument)),
    ("event-write", Edge::Write(Found::EventArgument)),
    ("event-read", Edge::Read(Found::EventArgument)),
    ("send", Edge::Write(Found::Object)),
    ("receive", Edge::Read(Found::Object)),
    ("connect", Edge::Connect),
    ("send-to", Edge::SendTo),
    ("accept", Edge::Accept),
    ("socketpair", Edge::SocketPair),
    ("put", Edge::Put),
    ("take", Edge::Take),
    ("claim", Edge::Claim),
    ("withdraw", Edge::Withdraw),
    ("take-any", Edge::TakeAny),
    ("gain", Edge::Gain),
    ("close", Edge::Close(Found::Argument)),
    ("close-file", Edge::Close(Found::Object)),
    ("file-lock", Edge::FileLock),
    ("file-control", Edge::FileControl),
    ("open-file", Edge::OpenFile),
    ("open-by-mode", Edge::OpenByMode),
    ("make-path", Edge::MakePath(0)),
    ("make-link", Edge::MakePath(1)),
    ("remove-path", Edge::RemovePath),
    ("rename-path", Edge::RenamePath),
    ("open-database", Edge::OpenDatabase),
    ("statement", Edge::Statement),
    ("end-transaction", Edge::EndTransaction),
    ("start-child", Edge::StartChild),
    ("wait-for-child", Edge::WaitForChild),
    ("signal", Edge::Signal),
    ("callback", Edge::Callback),
];

const fn row<const N: usize>() -> Row {
    c_method::row::<Edge, N>()
}

static TABLE: Table<Edge, 192> = Table::new(c_method::rows!(row: 0 1 2 3 4 5 6 7 8 9 10 11));

/// `_ThreadHandle.is_done`, the original.
static IS_DONE: AtomicUsize = AtomicUsize::new(0);

impl Hook for Edge {
    #[inline(always)]
    fn hooked(place: usize) -> &'static Hooked<Self> {
        TABLE.at(place)
    }

    #[inline(always)]
    unsafe fn call(
        &self,
        object: *mut ffi::PyObject,
        arguments: impl Fn() -> Arguments,
        original: impl FnOnce() -> *mut ffi::PyObject,
    ) -> *mut ffi::PyObject {
        // SAFETY: passed on.
        unsafe {
            if before(*self, object, &arguments) == Outcome::Raised {
                return std::ptr::null_mut();
            }
            let result = if matches!(self, Edge::Lock(_) | Edge::Join) {
                let slot = here().slot;
                // A handler of a signal may wait for something else meanwhile.
                let before = slot.wait_for(object as usize);
                let result = original();
                slot.wait_for(before);
                result
            } else {
                original()
            };
            if !result.is_null() {
                after(*self, object, &arguments, result);
            }
            result
        }
    }
}

/// # Safety
/// Attached; `object` is alive and of the type that the edge is about.
#[inline(always)]
unsafe fn before(edge: Edge, object: *mut ffi::PyObject, arguments: impl Fn() -> Arguments) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        match edge {
            Edge::Lock(how) => {
                if how == How::Wait || locks::is_unlimited(arguments()) {
                    return locks::acquiring(object, how);
                }
            }
            Edge::Unlock(how) => {
                if locks::releasing(object, how) == Outcome::Raised {
                    return Outcome::Raised;
                }
                if header::bits(object) & IGNORED != 0 {
                    here().order.leave_ignored();
                }
                order::release(object);
            }
            Edge::Release => order::release(object),
            Edge::Put | Edge::TakeAny => container_sync::put_unless_private(object),
            Edge::Claim => container_sync::put_if(object, arguments().first(), false),
            Edge::Withdraw => container_sync::put_if(object, arguments().first(), true),
            Edge::Write(_)
            | Edge::Close(_)
            | Edge::FileLock
            | Edge::FileControl
            | Edge::RemovePath
            | Edge::RenamePath
            | Edge::Statement
            | Edge::EndTransaction
            | Edge::Connect
            | Edge::SendTo
                if clock::is_alone() => {}
            Edge::Close(found) => {
                let argument = arguments().first();
                channels::write(found, object, argument);
                channels::number(found, object, argument).into_iter().for_each(file_locks::closing);
            }
            Edge::StartChild => children::starting(arguments()),
            Edge::FileLock => file_locks::flock(arguments(), false),
            Edge::FileControl => file_locks::control(arguments(), false),
            Edge::RemovePath => file_locks::removing(arguments().first()),
            Edge::RenamePath => {
                RENAMED.iter().enumerate().for_each(|(place, name)| file_locks::removing(arguments().get(place, name)))
            }
            Edge::Statement => databases::executing(object, arguments().first()),
            Edge::EndTransaction => databases::executing(object, std::ptr::null_mut()),
            Edge::Signal => order::announce(),
            Edge::Write(found) => channels::write(found, object, arguments().first()),
            Edge::Connect => channels::reach(object, arguments().first()),
            Edge::SendTo => channels::reach(object, arguments().last()),
            Edge::Callback => {
                let arguments = arguments();
                if arguments.count == 2 {
                    weakref_callbacks::expect(arguments.last());
                }
            }
            Edge::Acquire
            | Edge::AcquireIfFalse
            | Edge::Take
            | Edge::Gain
            | Edge::OpenFile
            | Edge::OpenByMode
            | Edge::MakePath(_)
            | Edge::OpenDatabase
            | Edge::WaitForChild
            | Edge::Join
            | Edge::IsDone
            | Edge::JoinAll
            | Edge::Count
            | Edge::Read(_)
            | Edge::Accept
            | Edge::SocketPair => {}
        }
    }
    Outcome::Continue
}

/// The arguments of `rename`.
const RENAMED: [&CStr; 2] = [c"src", c"dst"];

/// # Safety
/// As [`before`]; `result` is what the original returned, not null.
#[inline(always)]
unsafe fn after(edge: Edge, object: *mut ffi::PyObject, arguments: impl Fn() -> Arguments, result: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        match edge {
            Edge::Lock(how) if !std::ptr::eq(result, ffi::Py_False()) => {
                order::acquire(object);
                if header::bits(object) & IGNORED != 0 {
                    here().order.enter_ignored();
                }
                locks::acquired(object, how);
            }
            Edge::Acquire => order::acquire(object),
            Edge::Take | Edge::Claim | Edge::Withdraw | Edge::TakeAny => container_sync::taken_unless_private(object),
            Edge::Gain if !std::ptr::eq(result, ffi::Py_False()) => order::acquire(object),
            Edge::OpenDatabase => databases::connected(arguments().get(0, c"database"), result),
            Edge::FileLock
            | Edge::FileControl
            | Edge::OpenFile
            | Edge::OpenByMode
            | Edge::MakePath(_)
            | Edge::RenamePath
            | Edge::Statement
            | Edge::EndTransaction
            | Edge::WaitForChild
                if clock::is_alone() => {}
            Edge::StartChild => children::started(arguments(), result),
            Edge::WaitForChild => children::waited(result),
            Edge::FileLock => file_locks::flock(arguments(), true),
            Edge::FileControl => file_locks::control(arguments(), true),
            Edge::OpenFile => file_locks::opened(arguments()),
            Edge::OpenByMode => file_locks::opened_by_mode(arguments()),
            Edge::MakePath(place) => file_locks::made(arguments().get(place, if place == 0 { c"path" } else { c"dst" })),
            Edge::RenamePath => RENAMED.iter().enumerate().for_each(|(place, name)| file_locks::made(arguments().get(place, name))),
            Edge::Statement | Edge::EndTransaction => databases::executed(object),
            Edge::AcquireIfFalse if std::ptr::eq(result, ffi::Py_False()) => order::acquire(object),
            Edge::IsDone if std::ptr::eq(result, ffi::Py_True()) => ended(object),
            Edge::Join if is_done(object) => ended(object),
            Edge::JoinAll => order::acquire_key(key(Space::ThreadEnds, 0)),
            Edge::Count => order::acquire_key(key(Space::ThreadCount, 0)),
            Edge::SocketPair => channels::made_pair(result),
            Edge::Read(_) | Edge::Accept if clock::is_alone() => {}
            Edge::Read(found) => channels::read(found, object, arguments().first()),
            Edge::Accept => channels::accepted(object),
            Edge::Lock(_)
            | Edge::Unlock(_)
            | Edge::AcquireIfFalse
            | Edge::Gain
            | Edge::Put
            | Edge::Close(_)
            | Edge::RemovePath
            | Edge::Release
            | Edge::IsDone
            | Edge::Join
            | Edge::Write(_)
            | Edge::Connect
            | Edge::SendTo
            | Edge::Signal
            | Edge::Callback => {}
        }
    }
}

/// The thread of this handle has ended.  One that was started before we looked has not released anything.
///
/// # Safety
/// Attached; a live `_ThreadHandle`.
unsafe fn ended(handle: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe { if order::has_clock(handle) { order::acquire(handle) } else { order::acquire_all() } }
}

/// # Safety
/// As [`ended`].
unsafe fn is_done(handle: *mut ffi::PyObject) -> bool {
    // SAFETY: the original method, which takes no arguments.
    unsafe {
        let original = std::mem::transmute::<usize, Option<ffi::PyCFunction>>(IS_DONE.load(Ordering::Relaxed));
        let result = original.map_or(std::ptr::null_mut(), |original| original(handle, std::ptr::null_mut()));
        if result.is_null() {
            ffi::PyErr_Clear();
            return false;
        }
        // True and False are immortal.
        std::ptr::eq(result, ffi::Py_True())
    }
}

/// Makes a method of an extension type or a function of an extension module an edge.
pub(crate) fn install(method: &Bound<'_, PyAny>, edge: &str) -> PyResult<()> {
    let known = NAMES.iter().find(|(name, _)| *name == edge);
    let edge = known.ok_or_else(|| PyValueError::new_err(format!("unknown edge {edge}")))?.1;
    if let Edge::Write(Found::Object)
    | Edge::Read(Found::Object)
    | Edge::Close(Found::Object)
    | Edge::Connect
    | Edge::SendTo
    | Edge::Accept = edge
    {
        descriptors::verify(&method.getattr("__objclass__")?)?;
    }
    if let Edge::Lock(_) | Edge::Unlock(_) = edge
        && !interpreter::locks::is_of_python(&method.getattr("__objclass__")?)?
    {
        return Err(PyValueError::new_err(format!("{edge:?} marks locks of _thread, which this is none of: see gain and release")));
    }
    let (method, _) = Method::of(method)?;
    if edge == Edge::IsDone {
        IS_DONE.store(method.original(), Ordering::Relaxed);
    }
    TABLE.install(method, edge)?;
    crate::findings::process::get().count_hook();
    Ok(())
}
