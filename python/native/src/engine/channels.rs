//! Pipes and sockets between threads of this process: a write to one end happens before all that is done after it was read from the
//! other.
//!
//! The ends are known by what the kernel says of a descriptor.  That is asked at each use, unless the injected library has seen it being
//! opened and so knows when it is another one.  Numbers are folded into a few thousand keys, so that a process that makes millions of
//! pipes does not grow; two pipes that share a key are ordered more than they are, which hides and never invents.

use crate::engine::order::{self, Space, key};
use crate::interpreter::descriptors;
use crate::thread::{guard, hooks_link};
use pyo3::ffi;
use std::collections::HashMap;
use std::ffi::c_int;
use std::mem::{MaybeUninit, size_of};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// Where a method has the descriptor that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// In its first argument.
    Argument,
    /// In the object.
    Object,
    /// The method is `eventfd_read` or `eventfd_write`, whose descriptors are all of one inode.
    EventArgument,
}

/// How many keys there are of a kind.
pub(crate) const FOLDED: u64 = 1 << 12;

/// By the inode of a socket that was made with another one, the key of both.  Used attached only, and nothing else is done meanwhile.
static PAIRS: LazyLock<Mutex<HashMap<u64, u64>>> = LazyLock::new(Mutex::default);

fn pairs() -> MutexGuard<'static, HashMap<u64, u64>> {
    PAIRS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// # Safety
/// Attached; the objects are alive, or null.
pub(crate) unsafe fn number(found: Found, object: *mut ffi::PyObject, argument: *mut ffi::PyObject) -> Option<c_int> {
    // SAFETY: passed on.
    let number = unsafe {
        match found {
            Found::Object => i64::from(descriptors::of(object)),
            // Anything else would have to be asked for its fileno, which may be the program's code.
            Found::Argument | Found::EventArgument if !argument.is_null() && ffi::PyLong_CheckExact(argument) != 0 => {
                let mut overflow = 0;
                ffi::PyLong_AsLongAndOverflow(argument, &raw mut overflow)
            }
            Found::Argument | Found::EventArgument => return None,
        }
    };
    c_int::try_from(number).ok().filter(|number| *number >= 0)
}

/// What a descriptor is an end of.
enum Channel {
    /// Both ends have this key, for good.
    Key(u64),
    /// A socket for datagrams that is connected with another one: they may be received by one that is not.
    Connection(u64, End),
    /// A socket that is not.
    Socket,
}

/// What is remembered of a descriptor.
struct Remembered {
    incarnation: AtomicU64,
    /// [`NEITHER`], or the key of a [`Channel::Key`].
    key: AtomicU64,
}

/// A file, a terminal.
const NEITHER: u64 = 1;
const REMEMBERED: usize = 1 << 10;

static LATELY: [Remembered; REMEMBERED] =
    [const { Remembered { incarnation: AtomicU64::new(0), key: AtomicU64::new(0) } }; REMEMBERED];

/// `None` for what is neither a pipe nor a socket.
fn channel(found: Found, number: c_int) -> Option<Channel> {
    if found == Found::EventArgument {
        return Some(Channel::Key(key(Space::EventDescriptor, number as u64)));
    }
    let Some((incarnation, there)) = hooks_link::incarnation(number).zip(LATELY.get(number as usize)) else { return asked(number) };
    if there.incarnation.load(Ordering::Acquire) == incarnation {
        let key = there.key.load(Ordering::Acquire);
        // Changed meanwhile: then the key may be another descriptor's.
        if there.incarnation.load(Ordering::Relaxed) == incarnation {
            return (key != NEITHER).then_some(Channel::Key(key));
        }
    }
    let channel = asked(number);
    let key = match channel {
        Some(Channel::Key(key)) => key,
        // May be connected with something else later.
        Some(Channel::Connection(..) | Channel::Socket) => return channel,
        None => NEITHER,
    };
    there.incarnation.store(0, Ordering::Release);
    there.key.store(key, Ordering::Release);
    there.incarnation.store(incarnation, Ordering::Release);
    channel
}

/// By number of a pipe, the number of those of its child; one more, 0 is none.
static JOINED: [AtomicU16; FOLDED as usize] = [const { AtomicU16::new(0) }; FOLDED as usize];

/// These descriptors, as far as they are pipes, count as one from now on, which has this number.
pub(crate) fn join_pipes(descriptors: impl Iterator<Item = c_int>) -> Option<u16> {
    let mut first = None;
    for pipe in descriptors.filter_map(pipe) {
        let first = *first.get_or_insert(pipe);
        JOINED[usize::from(pipe)].store(first + 1, Ordering::Relaxed);
    }
    first
}

fn pipe(descriptor: c_int) -> Option<u16> {
    status(descriptor).filter(|status| status.st_mode & libc::S_IFMT == libc::S_IFIFO).map(|status| (status.st_ino % FOLDED) as u16)
}

/// What the kernel says of a descriptor.
fn status(descriptor: c_int) -> Option<libc::stat> {
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: written by the call if it succeeds.
    unsafe { (libc::fstat(descriptor, status.as_mut_ptr()) == 0).then(|| status.assume_init()) }
}

/// The kernel knows.
fn asked(number: c_int) -> Option<Channel> {
    let status = status(number)?;
    match status.st_mode & libc::S_IFMT {
        libc::S_IFIFO => {
            let pipe = status.st_ino % FOLDED;
            let joined = JOINED[pipe as usize].load(Ordering::Relaxed).checked_sub(1);
            Some(Channel::Key(key(Space::Pipe, joined.map_or(pipe, u64::from))))
        }
        libc::S_IFSOCK => {
            let pair = pairs().get(&status.st_ino).copied();
            Some(pair.map(Channel::Key).or_else(|| connection(number)).unwrap_or(Channel::Socket))
        }
        _ => None,
    }
}

/// One end of a connection, as its other end sees it too: the port, or a hash of the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct End(u64);

impl End {
    /// Beyond all ports, but for the socket without a name, which is 0.
    fn of_path(path: &[u8]) -> End {
        let path = path.strip_suffix(b"\0").unwrap_or(path);
        let hash = path.iter().fold(0, |hash: u64, byte| ftsan::races::mix(hash << 8 ^ u64::from(*byte)));
        End(if path.is_empty() { 0 } else { hash | 1 << 16 })
    }

    /// Of an address as Python has it.
    ///
    /// # Safety
    /// Attached; `address` is alive.
    unsafe fn of_address(address: *mut ffi::PyObject) -> Option<Self> {
        // SAFETY: passed on; exact types run no code of the program.
        unsafe {
            if ffi::PyTuple_CheckExact(address) != 0 && ffi::PyTuple_GET_SIZE(address) > 1 {
                let port = ffi::PyTuple_GET_ITEM(address, 1);
                let mut overflow = 0;
                let port = (ffi::PyLong_CheckExact(port) != 0).then(|| ffi::PyLong_AsLongAndOverflow(port, &raw mut overflow))?;
                return u64::try_from(port).ok().map(End);
            }
            if ffi::PyBytes_CheckExact(address) != 0 {
                let path = ffi::PyBytes_AsString(address).cast::<u8>();
                return Some(End::of_path(std::slice::from_raw_parts(path, ffi::PyBytes_Size(address) as usize)));
            }
            let mut length = 0;
            if ffi::PyUnicode_CheckExact(address) == 0 {
                return None;
            }
            let path = ffi::PyUnicode_AsUTF8AndSize(address, &raw mut length).cast::<u8>();
            if path.is_null() {
                ffi::PyErr_Clear();
                return None;
            }
            Some(End::of_path(std::slice::from_raw_parts(path, length as usize)))
        }
    }

    fn key(self) -> u64 {
        key(Space::Address, self.0 % FOLDED)
    }
}

type AskName = unsafe extern "C" fn(c_int, *mut libc::sockaddr, *mut libc::socklen_t) -> c_int;

/// The name of a socket or of its peer.
fn name(number: c_int, ask: AskName) -> Option<End> {
    let mut storage = MaybeUninit::<libc::sockaddr_storage>::zeroed();
    let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
    // SAFETY: a zeroed address with room for any, of which the call writes at most the given length.
    unsafe {
        if ask(number, storage.as_mut_ptr().cast(), &raw mut length) != 0 {
            return None;
        }
        let storage = storage.assume_init();
        let address = (&raw const storage).cast::<u8>();
        match c_int::from(storage.ss_family) {
            // Not the address: one end may see as IPv4 what the other one sees as IPv6.
            libc::AF_INET => Some(End(u64::from(u16::from_be((*address.cast::<libc::sockaddr_in>()).sin_port)))),
            libc::AF_INET6 => Some(End(u64::from(u16::from_be((*address.cast::<libc::sockaddr_in6>()).sin6_port)))),
            libc::AF_UNIX => {
                let path = std::slice::from_raw_parts(address, length as usize).get(size_of::<libc::sa_family_t>()..);
                Some(End::of_path(path.unwrap_or_default()))
            }
            _ => None,
        }
    }
}

fn connection(number: c_int) -> Option<Channel> {
    let (here, there) = (name(number, libc::getsockname)?, name(number, libc::getpeername)?);
    let both = ftsan::races::mix(ftsan::races::mix(here.min(there).0) ^ here.max(there).0);
    let key = key(Space::Connection, both % FOLDED);
    Some(if is_datagram(number) { Channel::Connection(key, there) } else { Channel::Key(key) })
}

fn is_datagram(number: c_int) -> bool {
    let (mut kind, mut length) = (0, size_of::<c_int>() as libc::socklen_t);
    // SAFETY: an integer, and its size.
    let asked = unsafe { libc::getsockopt(number, libc::SOL_SOCKET, libc::SO_TYPE, (&raw mut kind).cast(), &raw mut length) };
    asked == 0 && kind == libc::SOCK_DGRAM
}

/// Something is about to be written.
///
/// # Safety
/// Attached; the objects are alive, or null.
#[cold]
pub(crate) unsafe fn write(found: Found, object: *mut ffi::PyObject, argument: *mut ffi::PyObject) {
    guard::catch_panic((), || {
        // SAFETY: passed on.
        let Some(number) = (unsafe { number(found, object, argument) }) else { return };
        match channel(found, number) {
            Some(Channel::Key(key)) => order::release_key(key),
            Some(Channel::Connection(key, peer)) => {
                order::release_key(key);
                order::release_key(peer.key());
            }
            Some(Channel::Socket) | None => {}
        }
    });
}

/// Something was read.
///
/// # Safety
/// As [`write`].
#[cold]
pub(crate) unsafe fn read(found: Found, object: *mut ffi::PyObject, argument: *mut ffi::PyObject) {
    guard::catch_panic((), || {
        // SAFETY: passed on.
        let Some(number) = (unsafe { number(found, object, argument) }) else { return };
        match channel(found, number) {
            Some(Channel::Key(key)) => order::acquire_key(key),
            Some(Channel::Connection(key, _)) => {
                order::acquire_key(key);
                acquire_own(number);
            }
            Some(Channel::Socket) => acquire_own(number),
            None => {}
        }
    });
}

/// What was sent to the address of this socket.
fn acquire_own(number: c_int) {
    if let Some(own) = name(number, libc::getsockname) {
        order::acquire_key(own.key());
    }
}

/// A socket is about to be connected with this address, or to send something there.
///
/// # Safety
/// As [`write`].
#[cold]
pub(crate) unsafe fn reach(object: *mut ffi::PyObject, address: *mut ffi::PyObject) {
    guard::catch_panic((), || {
        // SAFETY: passed on.
        match unsafe { End::of_address(address) } {
            Some(end) => order::release_key(end.key()),
            // SAFETY: passed on.
            None => unsafe { write(Found::Object, object, address) },
        }
    });
}

/// A listening socket has accepted a connection.
///
/// # Safety
/// Attached; a live socket.
#[cold]
pub(crate) unsafe fn accepted(listener: *mut ffi::PyObject) {
    guard::catch_panic((), || {
        // SAFETY: passed on.
        if let Some(number) = unsafe { number(Found::Object, listener, std::ptr::null_mut()) } {
            acquire_own(number);
        }
    });
}

/// Two sockets were made that are connected with each other, and have no names.
///
/// # Safety
/// Attached; a live tuple of sockets.
#[cold]
pub(crate) unsafe fn made_pair(sockets: *mut ffi::PyObject) {
    guard::catch_panic((), || {
        let inode = |place| {
            let mut status = MaybeUninit::<libc::stat>::uninit();
            // SAFETY: passed on; written by the call if it succeeds.
            unsafe {
                let socket = ffi::PyTuple_GetItem(sockets, place);
                let asked = libc::fstat(descriptors::of(socket), status.as_mut_ptr());
                (asked == 0).then(|| status.assume_init().st_ino)
            }
        };
        if let (Some(one), Some(other)) = (inode(0), inode(1)) {
            let key = key(Space::SocketPair, one.min(other) % FOLDED);
            pairs().extend([(one, key), (other, key)]);
        }
    });
}
