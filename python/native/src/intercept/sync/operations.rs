//! C methods and functions that hand something over: released before the original is called, or acquired after it.

use crate::engine::channels::{self, Found};
use crate::engine::order::{self, Space, key};
use crate::engine::races::{container_sync, handed_over};
use crate::engine::{children, databases, file_locks, locks};
use crate::intercept::c_method::{self, Hook, Hooked, Method, Row, Table, Todo};
use crate::intercept::sync::weakref_callbacks;
use crate::interpreter;
use crate::interpreter::call_arguments::Arguments;
use crate::interpreter::descriptors;
use crate::interpreter::header::{self, IGNORED};
use crate::thread::clock;
use crate::thread::context::current_thread;
use crate::thread::outcome::Outcome;
use ftsan::locks::held::How;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::CStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a method does to the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SyncOp {
    /// A lock of `_thread` is acquired, unless the result is false.
    Lock(How),
    /// A lock of `_thread` is released.
    Unlock(How),
    /// The object is about to have something for others.
    Release,
    /// Something that the object had was taken.
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
    /// Something is put into a container unless it is there already, and the thread that has put it there comes before.
    Claim,
    /// The item that is named is taken out of a container if it is there, and may be put there again by another thread.
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
    /// The file under its first argument will be under its second one.
    RenamePath,
    /// There is something under the path that is the first argument.
    FindPath,
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
const NAMES: [(&str, SyncOp); 47] = [
    ("lock", SyncOp::Lock(How::Call)),
    ("enter", SyncOp::Lock(How::With)),
    ("restore", SyncOp::Lock(How::Wait)),
    ("unlock", SyncOp::Unlock(How::Call)),
    ("exit", SyncOp::Unlock(How::With)),
    ("save", SyncOp::Unlock(How::Wait)),
    ("release", SyncOp::Release),
    ("acquire", SyncOp::Acquire),
    ("acquire-if-false", SyncOp::AcquireIfFalse),
    ("join", SyncOp::Join),
    ("is-done", SyncOp::IsDone),
    ("join-all", SyncOp::JoinAll),
    ("count", SyncOp::Count),
    ("write", SyncOp::Write(Found::Argument)),
    ("read", SyncOp::Read(Found::Argument)),
    ("event-write", SyncOp::Write(Found::EventArgument)),
    ("event-read", SyncOp::Read(Found::EventArgument)),
    ("send", SyncOp::Write(Found::Object)),
    ("receive", SyncOp::Read(Found::Object)),
    ("connect", SyncOp::Connect),
    ("send-to", SyncOp::SendTo),
    ("accept", SyncOp::Accept),
    ("socketpair", SyncOp::SocketPair),
    ("put", SyncOp::Put),
    ("take", SyncOp::Take),
    ("claim", SyncOp::Claim),
    ("withdraw", SyncOp::Withdraw),
    ("take-any", SyncOp::TakeAny),
    ("gain", SyncOp::Gain),
    ("close", SyncOp::Close(Found::Argument)),
    ("close-file", SyncOp::Close(Found::Object)),
    ("file-lock", SyncOp::FileLock),
    ("file-control", SyncOp::FileControl),
    ("open-file", SyncOp::OpenFile),
    ("open-by-mode", SyncOp::OpenByMode),
    ("make-path", SyncOp::MakePath(0)),
    ("make-link", SyncOp::MakePath(1)),
    ("remove-path", SyncOp::RemovePath),
    ("rename-path", SyncOp::RenamePath),
    ("find-path", SyncOp::FindPath),
    ("open-database", SyncOp::OpenDatabase),
    ("statement", SyncOp::Statement),
    ("end-transaction", SyncOp::EndTransaction),
    ("start-child", SyncOp::StartChild),
    ("wait-for-child", SyncOp::WaitForChild),
    ("signal", SyncOp::Signal),
    ("callback", SyncOp::Callback),
];

const fn row<const N: usize>() -> Row {
    c_method::row::<SyncOp, N>()
}

static TABLE: Table<SyncOp, 192> = Table::new(c_method::rows!(row: 0 1 2 3 4 5 6 7 8 9 10 11));

/// `_ThreadHandle.is_done`, the original.
static IS_DONE: AtomicUsize = AtomicUsize::new(0);

impl Hook for SyncOp {
    #[inline(always)]
    fn place(number: usize) -> &'static OnceLock<Hooked<Self>> {
        TABLE.place(number)
    }

    /// Of a container that is the thread's own, there is no order to see.  A queue, which has `Release`, is there to be shared.
    #[inline(always)]
    unsafe fn before(&self, object: *mut ffi::PyObject) -> Todo {
        let is_container = matches!(self, SyncOp::Put | SyncOp::Take | SyncOp::Claim | SyncOp::Withdraw | SyncOp::TakeAny);
        // SAFETY: passed on.
        if is_container && unsafe { header::is_plainly_private(object) } { Todo::Original } else { Todo::Around }
    }

    #[inline(always)]
    unsafe fn around(
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
            let result = if matches!(self, SyncOp::Lock(_) | SyncOp::Join) {
                let slot = current_thread().slot;
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
unsafe fn before(edge: SyncOp, object: *mut ffi::PyObject, arguments: impl Fn() -> Arguments) -> Outcome {
    // SAFETY: passed on.
    unsafe {
        match edge {
            SyncOp::Lock(how) => {
                if how == How::Wait || locks::is_unlimited(arguments()) {
                    return locks::acquiring(object, how);
                }
            }
            SyncOp::Unlock(how) => {
                if locks::releasing(object, how) == Outcome::Raised {
                    return Outcome::Raised;
                }
                if header::bits(object) & IGNORED != 0 {
                    current_thread().order.leave_ignored();
                }
                order::release(object);
            }
            SyncOp::Release => {
                handed_over::put_into(object, arguments().first());
                order::release(object);
            }
            SyncOp::Put => {
                handed_over::put_into(object, arguments().first());
                container_sync::put_unless_private(object);
            }
            SyncOp::TakeAny => container_sync::put_unless_private(object),
            SyncOp::Claim => container_sync::put_if(object, arguments().first(), false),
            SyncOp::Withdraw => container_sync::put_if(object, arguments().first(), true),
            SyncOp::Write(_)
            | SyncOp::Close(_)
            | SyncOp::FileLock
            | SyncOp::FileControl
            | SyncOp::RemovePath
            | SyncOp::RenamePath
            | SyncOp::OpenFile
            | SyncOp::OpenByMode
            | SyncOp::Statement
            | SyncOp::EndTransaction
            | SyncOp::Connect
            | SyncOp::SendTo
                if clock::is_at_rest() => {}
            SyncOp::Close(found) => {
                let argument = arguments().first();
                channels::write(found, object, argument);
                channels::number(found, object, argument).into_iter().for_each(file_locks::closing);
            }
            SyncOp::StartChild => children::starting(arguments()),
            SyncOp::FileLock => file_locks::flock(arguments(), false),
            SyncOp::FileControl => file_locks::control(arguments(), false),
            SyncOp::RemovePath => file_locks::removing(arguments().first()),
            SyncOp::RenamePath => {
                RENAMED.iter().enumerate().for_each(|(place, name)| file_locks::removing(arguments().get(place, name)))
            }
            SyncOp::Statement => databases::executing(object, arguments().first()),
            SyncOp::EndTransaction => databases::executing(object, std::ptr::null_mut()),
            SyncOp::Signal => order::announce(),
            SyncOp::Write(found) => channels::write(found, object, arguments().first()),
            SyncOp::Connect => channels::reach(object, arguments().first()),
            SyncOp::SendTo => channels::reach(object, arguments().last()),
            SyncOp::Callback => {
                let arguments = arguments();
                if arguments.count == 2 {
                    weakref_callbacks::expect(arguments.last());
                }
            }
            SyncOp::OpenFile => file_locks::opening(arguments()),
            SyncOp::OpenByMode => file_locks::opening_by_mode(arguments()),
            SyncOp::Acquire
            | SyncOp::AcquireIfFalse
            | SyncOp::Take
            | SyncOp::Gain
            | SyncOp::MakePath(_)
            | SyncOp::FindPath
            | SyncOp::OpenDatabase
            | SyncOp::WaitForChild
            | SyncOp::Join
            | SyncOp::IsDone
            | SyncOp::JoinAll
            | SyncOp::Count
            | SyncOp::Read(_)
            | SyncOp::Accept
            | SyncOp::SocketPair => {}
        }
    }
    Outcome::Continue
}

/// The arguments of `rename`.
const RENAMED: [&CStr; 2] = [c"src", c"dst"];

/// # Safety
/// As [`before`]; `result` is what the original returned, not null.
#[inline(always)]
unsafe fn after(edge: SyncOp, object: *mut ffi::PyObject, arguments: impl Fn() -> Arguments, result: *mut ffi::PyObject) {
    // SAFETY: passed on.
    unsafe {
        match edge {
            SyncOp::Lock(how) if !std::ptr::eq(result, ffi::Py_False()) => {
                order::acquire(object);
                if header::bits(object) & IGNORED != 0 {
                    current_thread().order.enter_ignored();
                }
                locks::acquired(object, how);
            }
            SyncOp::Acquire => order::acquire(object),
            SyncOp::Take | SyncOp::Claim | SyncOp::Withdraw | SyncOp::TakeAny => container_sync::taken_unless_private(object),
            SyncOp::Gain if !std::ptr::eq(result, ffi::Py_False()) => order::acquire(object),
            SyncOp::OpenDatabase => databases::connected(arguments().get(0, c"database"), result),
            SyncOp::FileLock
            | SyncOp::FileControl
            | SyncOp::OpenFile
            | SyncOp::OpenByMode
            | SyncOp::MakePath(_)
            | SyncOp::RenamePath
            | SyncOp::FindPath
            | SyncOp::Statement
            | SyncOp::EndTransaction
            | SyncOp::WaitForChild
                if clock::is_at_rest() => {}
            SyncOp::StartChild => children::started(arguments(), result),
            SyncOp::WaitForChild => children::waited(result),
            SyncOp::FileLock => file_locks::flock(arguments(), true),
            SyncOp::FileControl => file_locks::control(arguments(), true),
            SyncOp::OpenFile => file_locks::opened(arguments()),
            SyncOp::OpenByMode => file_locks::opened_by_mode(arguments()),
            SyncOp::MakePath(place) => file_locks::made(arguments().get(place, if place == 0 { c"path" } else { c"dst" })),
            SyncOp::FindPath => file_locks::made(arguments().get(0, c"path")),
            SyncOp::RenamePath => {
                RENAMED.iter().enumerate().for_each(|(place, name)| file_locks::made(arguments().get(place, name)))
            }
            SyncOp::Statement | SyncOp::EndTransaction => databases::executed(object),
            SyncOp::AcquireIfFalse if std::ptr::eq(result, ffi::Py_False()) => order::acquire(object),
            SyncOp::IsDone if std::ptr::eq(result, ffi::Py_True()) => ended(object),
            SyncOp::Join if is_done(object) => ended(object),
            SyncOp::JoinAll => order::acquire_key(key(Space::ThreadEnds, 0)),
            SyncOp::Count => order::acquire_key(key(Space::ThreadCount, 0)),
            SyncOp::SocketPair => channels::made_pair(result),
            SyncOp::Read(_) | SyncOp::Accept if clock::is_at_rest() => {}
            SyncOp::Read(found) => channels::read(found, object, arguments().first()),
            SyncOp::Accept => channels::accepted(object),
            SyncOp::Lock(_)
            | SyncOp::Unlock(_)
            | SyncOp::AcquireIfFalse
            | SyncOp::Gain
            | SyncOp::Put
            | SyncOp::Close(_)
            | SyncOp::RemovePath
            | SyncOp::Release
            | SyncOp::IsDone
            | SyncOp::Join
            | SyncOp::Write(_)
            | SyncOp::Connect
            | SyncOp::SendTo
            | SyncOp::Signal
            | SyncOp::Callback => {}
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
    if let SyncOp::Write(Found::Object)
    | SyncOp::Read(Found::Object)
    | SyncOp::Close(Found::Object)
    | SyncOp::Connect
    | SyncOp::SendTo
    | SyncOp::Accept = edge
    {
        descriptors::verify(&method.getattr("__objclass__")?)?;
    }
    if let SyncOp::Lock(_) | SyncOp::Unlock(_) = edge
        && !interpreter::locks::is_of_python(&method.getattr("__objclass__")?)?
    {
        return Err(PyValueError::new_err(format!("{edge:?} marks locks of _thread, which this is none of: see gain and release")));
    }
    let (method, _) = Method::of(method)?;
    if edge == SyncOp::IsDone {
        IS_DONE.store(method.original(), Ordering::Relaxed);
    }
    TABLE.install(method, edge)?;
    crate::findings::process::get().count_hook();
    Ok(())
}
