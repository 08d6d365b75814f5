//! A process that may not have writable and executable memory is told so, and goes on.  Cannot be built without a devkit.

use ftsan_backend::Refused;
use ftsan_frida::Frida;
use libc::{c_int, c_long, c_ulong, sock_filter, sock_fprog};
use std::io::{self, Write};
use std::mem::offset_of;
use std::process::ExitCode;

type Forbid = unsafe fn() -> c_int;

fn main() -> ExitCode {
    let ways: [(&str, Forbid); 3] = [("PR_SET_MDWE", mdwe), ("a filter of mmap", no_mmap), ("a filter of mprotect", no_mprotect)];
    let mut out = io::stdout();
    let mut failed = false;
    for (name, forbid) in ways {
        // SAFETY: this process has one thread; the child looks and exits.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                let code = match (forbid() == 0).then(Frida::new) {
                    None => 3,
                    Some(Err(Refused::Forbidden(_))) => 0,
                    Some(_) => 1,
                };
                libc::_exit(code);
            }
            let mut status = 0;
            libc::waitpid(child, &raw mut status, 0);
            status
        };
        let verdict = match libc::WIFEXITED(status).then(|| libc::WEXITSTATUS(status)) {
            Some(0) => "ok",
            Some(3) => "FAILED: it cannot be forbidden here",
            Some(_) => "FAILED: not refused",
            None => "FAILED: it crashed",
        };
        failed |= verdict != "ok";
        // Nobody may be reading; the status says it too.
        let _ = writeln!(out, "  forbidden by {name:<21} {verdict}");
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// # Safety
/// None: forbids this process something.
unsafe fn mdwe() -> c_int {
    // SAFETY: as said.
    unsafe { libc::prctl(libc::PR_SET_MDWE, libc::PR_MDWE_REFUSE_EXEC_GAIN as c_ulong, 0, 0, 0) }
}

/// # Safety
/// As [`mdwe`].
unsafe fn no_mmap() -> c_int {
    // SAFETY: as said.
    unsafe { filter(libc::SYS_mmap) }
}

/// # Safety
/// As [`mdwe`].
unsafe fn no_mprotect() -> c_int {
    // SAFETY: as said.
    unsafe { filter(libc::SYS_mprotect) }
}

/// Lets a call whose third argument is writable and executable fail, as systemd's MemoryDenyWriteExecute does.
///
/// # Safety
/// As [`mdwe`].
unsafe fn filter(call: c_long) -> c_int {
    const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
    const EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
    const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K
    const RETURN: u16 = 0x06; // BPF_RET | BPF_K
    let both = (libc::PROT_WRITE | libc::PROT_EXEC) as u32;
    let third = offset_of!(libc::seccomp_data, args) + 2 * size_of::<u64>();
    let step = |code, k, jt, jf| sock_filter { code, jt, jf, k };
    let mut program = [
        step(LOAD, offset_of!(libc::seccomp_data, nr) as u32, 0, 0),
        step(EQUAL, call as u32, 0, 4),
        step(LOAD, third as u32, 0, 0),
        step(AND, both, 0, 0),
        step(EQUAL, both, 0, 1),
        step(RETURN, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32, 0, 0),
        step(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: as said; the kernel copies the program.
    unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as c_ulong, 0, 0, 0);
        libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER as c_ulong, &raw const program)
    }
}
