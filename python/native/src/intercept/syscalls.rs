//! System calls, as the injected library sees them: what it suspects is judged, and what it asks for in a crash is written.

use crate::evidence::{crash_stacks, deferred, descriptor};
use crate::thread::{hooks_link, perturb, positions};
use ftsan::descriptors::{Control, FdKind, Mark, Registered, Suspicion};
use ftsan::recording::operation::Operation;
use libc::c_int;
use std::fs;

/// Connects to the library: see [`hooks_link::connect`].
///
/// # Errors
/// As there, or the stacks of a dying process could not be read here; one line.
pub(crate) fn connect(path: &str, is_attached: bool) -> Result<(u32, bool), String> {
    crash_stacks::verify()?;
    deferred::begin();
    let hold_up = perturb::is_on().then_some(perturb::before_system_call as hooks_link::HoldUp);
    hooks_link::connect(path, is_attached, positions::positions, suspect, crash_stacks::crashed, hold_up)
}

/// Learns what descriptors are open: what each is, and which epoll instance it is registered with.  The thread that did so is not known.
pub(crate) fn learn_open() {
    let Some(descriptors) = hooks_link::descriptors() else { return };
    let _paused = hooks_link::Paused::begin();
    let number = |name: &str| name.parse::<c_int>().ok();
    let entries = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let open: Vec<(c_int, FdKind)> = entries
        .filter_map(|entry| {
            let (fd, target) = (number(entry.file_name().to_str()?)?, fs::read_link(entry.path()).ok()?);
            Some((fd, kind_of(fd, &target.to_string_lossy())))
        })
        .collect();
    for (fd, kind) in &open {
        descriptors.opened(*fd, *kind, Mark::default());
    }
    for (epoll, _) in open.iter().filter(|(_, kind)| *kind == FdKind::Epoll) {
        // "tfd:        5 events:       19 data: ..." (Documentation/filesystems/proc.rst)
        for line in fs::read_to_string(format!("/proc/self/fdinfo/{epoll}")).unwrap_or_default().lines() {
            let mut words = line.split_ascii_whitespace();
            if let (Some("tfd:"), Some(fd), Some("events:"), Some(events)) =
                (words.next(), words.next(), words.next(), words.next())
                && let (Some(fd), Ok(events)) = (number(fd), u32::from_str_radix(events, 16))
            {
                let is_one_shot = events & libc::EPOLLONESHOT as u32 != 0;
                descriptors.controlled(*epoll, fd, Control::Add, Registered::Done, Mark::default(), is_one_shot);
            }
        }
    }
}

/// What an open descriptor is, by what the kernel calls it.
fn kind_of(fd: c_int, name: &str) -> FdKind {
    match name {
        "anon_inode:[eventpoll]" => FdKind::Epoll,
        name if name.starts_with("anon_inode:") => FdKind::Event,
        name if name.starts_with("pipe:") => FdKind::Pipe,
        name if name.starts_with("socket:") && is_stream(fd) => FdKind::StreamSocket,
        name if name.starts_with("socket:") => FdKind::Socket,
        _ => FdKind::File,
    }
}

fn is_stream(socket: c_int) -> bool {
    let (mut kind, mut size): (c_int, libc::socklen_t) = (0, size_of::<c_int>() as libc::socklen_t);
    // SAFETY: an integer of that size; whatever has the number by now.
    let got = unsafe { libc::getsockopt(socket, libc::SOL_SOCKET, libc::SO_TYPE, (&raw mut kind).cast(), &raw mut size) };
    got == 0 && kind == libc::SOCK_STREAM
}

/// May be called in any thread, attached or not, in the middle of a system call.
unsafe extern "C" fn suspect(suspicion: &Suspicion, operation: u32, fd: c_int, mark: Mark) {
    descriptor::suspect(suspicion, Operation(operation), fd, mark);
}
