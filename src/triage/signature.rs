//! Names a crash across runs, machines and operating systems: the signal, the innermost native functions and the innermost Python
//! functions, without addresses, line numbers, folders and what compilers append.

use super::crash::{Crash, NativeFrame};
use super::judge::facts::{Facts, is_allocator, is_noise, unqualified};
use super::names::lists::ALLOCATORS;
use super::names::owner::{self, Owner};
use super::names::paths;
use super::names::symbols::clean;

const NATIVE: usize = 4;
const PYTHON: usize = 3;
/// Below every function of a thread.
const OF_THREADING: [&str; 3] = ["run", "_bootstrap_inner", "_bootstrap"];

/// The signature of a crash: `SIGSEGV | uv_timer_start > [loop] | worker`.
pub fn of(crash: &Crash) -> String {
    let facts = Facts::new(crash);
    // Whether libc's allocator finds the damage or dies of it is a matter of chance as well.
    let mut in_libc = facts.native.iter().take_while(|frame| owner::of(frame) == Owner::C);
    let damaged =
        ["SIGABRT", "SIGSEGV"].contains(&crash.signal.as_str()) && in_libc.any(|frame| ALLOCATORS.has(clean(&frame.symbol)));
    let mut native: Vec<String> = Vec::new();
    // Where in an allocator a damaged heap is noticed is a matter of chance; the caller of the allocator says more.
    let inside: usize = facts.failing().take_while(|frame| is_allocator(frame)).count();
    let asked = facts.failing().skip(inside).any(|frame| named(frame).is_some() && !is_noise(frame));
    let inside = if asked { inside } else { 0 };
    if inside > 0 && !damaged {
        native.push("[heap]".to_owned());
    }
    for (at, frame) in facts.failing().enumerate().skip(inside) {
        let Some(name) = named(frame) else { continue };
        // The loop itself counts only where it is what failed.
        if (at == 0 || !is_noise(frame)) && native.last() != Some(&name) && native.len() < NATIVE {
            native.push(name);
        }
    }
    let python = facts.python.iter().map(|frame| unqualified(&frame.function));
    let mut functions: Vec<&str> = python.filter(|name| !OF_THREADING.contains(name)).collect();
    functions.dedup();
    functions.truncate(PYTHON);
    let or_unknown = |text: String| if text.is_empty() { "?".to_owned() } else { text };
    let signal = if damaged && !native.is_empty() { "[heap]" } else { &crash.signal };
    [or_unknown(signal.to_owned()), or_unknown(native.join(" > ")), or_unknown(functions.join(" > "))].join(" | ")
}

/// The signature of a crash that several threads brought about in one object: where one of them dies, and which, is a matter of chance.
/// `[memory] | [shared _pickle.Pickler] | worker`.
pub(super) fn of_shared_object(crash: &Crash, class: &str) -> String {
    let python = crash.threads.iter().find(|thread| thread.crashed).map_or(&[][..], |thread| &thread.python);
    let outermost = python.iter().rev().map(|frame| unqualified(&frame.function));
    let function = outermost.into_iter().find(|name| !OF_THREADING.contains(name)).unwrap_or("?");
    format!("[memory] | [shared {class}] | {function}")
}

/// A symbol, or the extension module of a frame that has none.
fn named(frame: &NativeFrame) -> Option<String> {
    let symbol = clean(&frame.symbol);
    if symbol.is_empty() {
        let is_extension = paths::is_extension(&frame.module) || !frame.import.is_empty();
        return is_extension.then(|| format!("[{}]", paths::stem(&frame.module)));
    }
    Some(symbol.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::read;

    fn dump(module: &str, suffix: &str, base: u64, signal_frame: &str) -> Crash {
        read(&format!(
            "Fatal Python error: Bus error\n\nStack (most recent call first):\n  File \"/x/app.py\", line {base} in send\n\n\
             Current thread's C stack trace (most recent call first):\n\
             \x20 Binary file \"{module}\", at _Py_DumpStack+0x2e [{base:#x}]\n{signal_frame}\
             \x20 Binary file \"{module}\", at sock_call_ex{suffix}+0x74 [{base:#x}]\n\
             \x20 Binary file \"{module}\", at _PyEval_EvalFrameDefault+0x74 [{base:#x}]\n\
             \x20 Binary file \"{module}\", at sock_send+0x{base:x} [{base:#x}]\n"
        ))
        .unwrap()
        .remove(0)
    }

    #[test]
    fn the_same_crash_has_the_same_signature_everywhere() {
        let linux =
            dump("/usr/bin/python3.14t", "", 0x55c0, "  Binary file \"/lib/x86_64-linux-gnu/libc.so.6\", at +0x3c050 [0x1]\n");
        let trampoline = "  Binary file \"/usr/lib/system/libsystem_platform.dylib\", at _sigtramp+0x38 [0x1]\n";
        let mac = dump("/Users/u/lib/libpython3.14t.dylib", ".llvm.123", 0x1028, trampoline);
        assert_eq!(of(&linux), "SIGBUS | sock_call_ex > sock_send | send");
        assert_eq!(of(&linux), of(&mac));
    }

    #[test]
    fn where_an_allocator_dies_does_not_matter() {
        let of_tops = |tops: &[&str]| {
            let native = tops.iter().chain(&["PyList_New", "f"]).map(|symbol| NativeFrame::named("/usr/bin/python3.14t", symbol));
            let thread = crate::triage::crash::Thread { crashed: true, native: native.collect(), ..Default::default() };
            of(&Crash { signal: "SIGSEGV".to_owned(), threads: vec![thread], ..Crash::default() })
        };
        for tops in [
            &["__tls_get_addr", "_PyMem_MiMalloc"][..],
            &["_PyMem_MiMalloc"],
            &["_mi_heap_delayed_free_partial", "_mi_malloc_generic"],
            &["_mi_malloc_generic", "gc_alloc", "_PyObject_GC_New"],
        ] {
            assert_eq!(of_tops(tops), "SIGSEGV | [heap] > PyList_New > f | ?");
        }
    }

    #[test]
    fn neither_does_under_which_name_libc_shows_it() {
        let frame = NativeFrame::named;
        let of_tops = |signal: &str, tops: &[&str]| {
            let native = tops.iter().map(|symbol| frame("/lib/x86_64-linux-gnu/libc.so.6", symbol));
            let native = native.chain([frame("/x/_core.cpython-314t-x86_64-linux-gnu.so", "append_line")]).collect();
            let thread = crate::triage::crash::Thread { crashed: true, native, ..Default::default() };
            of(&Crash { signal: signal.to_owned(), threads: vec![thread], ..Crash::default() })
        };
        for (signal, tops) in [
            ("SIGSEGV", &["", "realloc"][..]),
            ("SIGSEGV", &["_int_realloc", "__libc_realloc"]),
            ("SIGABRT", &["gsignal", "abort", "", "__libc_realloc"]),
        ] {
            assert_eq!(of_tops(signal, tops), "[heap] | append_line | ?", "{tops:?}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        assert_eq!(of(&Crash::default()), "? | ? | ?");
    }

    #[test]
    fn the_heap_is_damaged_by_a_signal_that_memory_brings_about() {
        let of_signal = |signal: &str, top: &str| {
            let frame = NativeFrame::named;
            let native = vec![frame("/lib/libc.so.6", top), frame("/x/_core.cpython-314t-x86_64-linux-gnu.so", "append_line")];
            let thread = crate::triage::crash::Thread { crashed: true, native, ..Default::default() };
            of(&Crash { signal: signal.to_owned(), threads: vec![thread], ..Crash::default() })
        };
        assert_eq!(of_signal("SIGSEGV", "_int_free"), "[heap] | append_line | ?");
        assert_eq!(of_signal("SIGTRAP", "_int_free"), "SIGTRAP | append_line | ?");
        assert_eq!(of_signal("SIGSEGV", "memcpy"), "SIGSEGV | memcpy > append_line | ?");
    }
}
