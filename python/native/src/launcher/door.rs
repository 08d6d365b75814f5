//! The door for debuggers of another process's interpreter (PEP 768), beyond what `sys.remote_exec` does: any thread can be asked, not only
//! the main one, and what was asked can be taken back as long as the thread has not begun.
//!
//! What is written is what `Python/remote_debugging.c` writes.  The offsets are the process's own, which it publishes.

use crate::interpreter::offsets::{self, Door};
use libc::{c_int, c_void, pid_t};
use object::{Object as _, ObjectSection as _, ObjectSegment as _};
use pyo3::ffi;
use std::mem::offset_of;
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// The section that begins with the published offsets.
const SECTION: &str = ".PyRuntime";

/// `_PY_EVAL_PLEASE_STOP_BIT`, `Include/internal/pycore_ceval.h`.
const PLEASE_STOP: usize = 1 << 5;

/// How many threads are looked at.
const MOST: usize = 1 << 14;

/// The memory of another process.
pub(super) struct Memory(pid_t);

impl Memory {
    pub(super) fn read_into(&self, address: usize, into: &mut [u8]) -> io::Result<()> {
        let local = libc::iovec { iov_base: into.as_mut_ptr().cast::<c_void>(), iov_len: into.len() };
        let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: into.len() };
        // SAFETY: the kernel checks the remote side; the local side is as large as said.
        done(unsafe { libc::process_vm_readv(self.0, &raw const local, 1, &raw const remote, 1, 0) }, into.len())
    }

    pub(super) fn word(&self, address: usize) -> io::Result<usize> {
        let mut bytes = [0; size_of::<usize>()];
        self.read_into(address, &mut bytes).map(|()| usize::from_ne_bytes(bytes))
    }

    fn write(&self, address: usize, bytes: &[u8]) -> io::Result<()> {
        let local = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast::<c_void>(), iov_len: bytes.len() };
        let remote = libc::iovec { iov_base: address as *mut c_void, iov_len: bytes.len() };
        // SAFETY: as above; the local side is only read.
        done(unsafe { libc::process_vm_writev(self.0, &raw const local, 1, &raw const remote, 1, 0) }, bytes.len())
    }
}

fn done(count: isize, size: usize) -> io::Result<()> {
    match count {
        -1 => Err(io::Error::last_os_error()),
        count if count == size as isize => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// An interpreter with its door.
pub(crate) struct Interpreter {
    pub(super) memory: Memory,
    door: Door,
    /// Address of the runtime's state.
    runtime: usize,
    /// Address of the main interpreter's state.
    state: usize,
}

impl Interpreter {
    /// The interpreter of a process, which must be of the kind of this one.
    ///
    /// # Errors
    /// It is not, or its memory cannot be read.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let memory = Memory(pid as pid_t);
        let other = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let runtime = section_of(pid, SECTION, is_interpreter)?.ok_or_else(|| other("no interpreter"))?;
        let door =
            Door::read(|offset| memory.word(runtime + offset).ok()).ok_or_else(|| other("an interpreter of another kind"))?;
        let state = memory.word(runtime + door.interpreters_head)?;
        Ok(Interpreter { memory, door, runtime, state })
    }

    /// Whether everything lies where this interpreter has it.
    ///
    /// # Errors
    /// Its memory cannot be read.
    pub(super) fn is_same_build(&self) -> io::Result<bool> {
        let published = offsets::published();
        let mut its = vec![0; published.len()];
        self.memory.read_into(self.runtime, &mut its)?;
        Ok(its == published)
    }

    /// The kernel's ids of its threads, and where they have their state.
    ///
    /// # Errors
    /// Its memory cannot be read, or changes too fast.
    pub(crate) fn threads(&self) -> io::Result<Vec<(u64, usize)>> {
        let mut threads = Vec::new();
        let mut state = self.memory.word(self.state + self.door.threads_head)?;
        while state != 0 && threads.len() < MOST {
            threads.push((self.memory.word(state + self.door.native_thread_id)? as u64, state));
            state = self.memory.word(state + self.door.next_thread)?;
        }
        Ok(threads)
    }

    /// The name of the type of the object at this address.
    ///
    /// # Errors
    /// Its memory cannot be read: there is no object any more.
    pub(super) fn type_of(&self, address: usize) -> io::Result<String> {
        const LONGEST: usize = 256;
        // Of the same kind of interpreter as this one.
        let class = self.memory.word(address + offset_of!(ffi::PyObject, ob_type))?;
        let name = self.memory.word(class + offset_of!(ffi::PyTypeObject, tp_name))?;
        let mut bytes = Vec::new();
        while bytes.len() < LONGEST {
            let mut byte = [0];
            self.memory.read_into(name + bytes.len(), &mut byte)?;
            if byte == [0] {
                break;
            }
            bytes.extend(byte);
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Asks the thread with this state to run a script as soon as it can.
    ///
    /// # Errors
    /// Its memory cannot be written.
    pub(crate) fn ask(&self, thread: usize, script: &[u8]) -> io::Result<()> {
        if script.len() >= self.door.script_size {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        self.memory.write(thread + self.door.script, &[script, b"\0"].concat())?;
        self.memory.write(thread + self.door.pending, &1_i32.to_ne_bytes())?;
        let breaker = thread + self.door.eval_breaker;
        let bits = self.memory.word(breaker)? | PLEASE_STOP;
        self.memory.write(breaker, &bits.to_ne_bytes())
    }

    /// Takes back the script that a thread was asked to run; false if it has begun to, or was not asked.
    ///
    /// # Errors
    /// Its memory cannot be written.
    pub(crate) fn take_back(&self, thread: usize, script: &[u8]) -> io::Result<bool> {
        let pending = thread + self.door.pending;
        let mut asked = vec![0; script.len()];
        self.memory.read_into(thread + self.door.script, &mut asked)?;
        if self.memory.word(pending)? as c_int == 0 || asked != script {
            return Ok(false);
        }
        self.memory.write(pending, &0_i32.to_ne_bytes())?;
        Ok(true)
    }
}

/// Has the system call return in which a thread waits, if it is one that is not started again after a stop: `epoll_wait` (signal(7),
/// "Interruption of system calls and library functions by stop signals").  The interpreter looks around then, and waits again.
///
/// # Errors
/// The thread may not be stopped, by this user or because somebody else does, or does not stop.
pub(crate) fn nudge(native_id: u64) -> io::Result<()> {
    const LONGEST: Duration = Duration::from_millis(200);
    let id = native_id as pid_t;
    let nothing = std::ptr::null_mut::<c_void>();
    let request = |request| {
        // SAFETY: none of the requests reads or writes memory.
        match unsafe { libc::ptrace(request, id, nothing, nothing) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    request(libc::PTRACE_SEIZE)?;
    request(libc::PTRACE_INTERRUPT)?;
    let end = Instant::now() + LONGEST;
    loop {
        // SAFETY: a thread that this one traces; its status is not asked for.
        match unsafe { libc::waitpid(id, std::ptr::null_mut(), libc::__WALL | libc::WNOHANG) } {
            -1 => return Err(io::Error::last_os_error()),
            // In the kernel, uninterruptibly: the trace ends with this process.
            0 if Instant::now() > end => return Err(io::ErrorKind::TimedOut.into()),
            0 => thread::sleep(Duration::from_millis(1)),
            _ => return request(libc::PTRACE_DETACH),
        }
    }
}

/// Whether the interpreter may be in a file of this name.
pub(super) fn is_interpreter(name: &str) -> bool {
    name.contains("python")
}

/// Where a process has the section of a file that is in its memory, `is_file` says of which names: the executable or a shared library.
pub(super) fn section_of(pid: u32, section: &str, is_file: impl Fn(&str) -> bool) -> io::Result<Option<usize>> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let mut seen = Vec::new();
    for line in maps.lines() {
        let mut fields = line.split_ascii_whitespace();
        let (Some(range), Some(offset), Some(path)) = (fields.next(), fields.nth(1), fields.nth(2)) else { continue };
        let start = range.split_once('-').and_then(|(start, _)| usize::from_str_radix(start, 16).ok());
        let is_new = offset.bytes().all(|digit| digit == b'0') && path.starts_with('/') && !seen.contains(&path);
        let (Some(start), true) = (start, is_new) else { continue };
        seen.push(path);
        if path.rsplit('/').next().is_some_and(&is_file)
            && let Some(at) = section_in(&format!("/proc/{pid}/root{path}"), section)
        {
            return Ok(Some(start + at));
        }
    }
    Ok(None)
}

/// From the beginning of a file in memory to the section.
fn section_in(path: &str, section: &str) -> Option<usize> {
    let data = fs::read(path).ok()?;
    let file = object::File::parse(&*data).ok()?;
    let first = file.segments().map(|segment| segment.address()).min()?;
    usize::try_from(file.section_by_name(section)?.address().checked_sub(first & !0xFFF)?).ok()
}
