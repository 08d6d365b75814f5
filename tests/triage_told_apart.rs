//! Crashes that look like another one: each was once taken for it.  Texts are as short as they can be and still show it.

use ftsan::triage::verdict::{Confidence, CrashCause, Verdict};
use ftsan::triage::{questions, read};

/// The verdict of the only crash of a text.
fn judged(text: &str) -> Verdict {
    let crashes = read(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(crashes.len(), 1, "{text}");
    questions::of(&crashes[0])
}

/// The issue that a text is taken for.
fn issue(text: &str) -> Option<String> {
    judged(text).known_issue
}

/// gdb's stack of a thread of a free-threaded CPython 3.14.
fn gdb(frames: &str) -> String {
    format!("Python 3.14.3 free-threading build\nThread 9 \"w\" received signal SIGSEGV, Segmentation fault.\n{frames}\n")
}

#[test]
fn a_function_in_a_source_of_somebody_else_is_no_function_of_cpython() {
    for frame in [
        "#0  tee_write_packet (avf=0x7f) at libavformat/tee.c:529",
        "#0  array_dealloc (self=0x7f) at ../numpy/_core/src/multiarray/arrayobject.c:421",
        "#0  encoder_listencode_dict (s=0x2) at simplejson/_speedups.c:3108",
        "#0  profiler_sample_stack (p=0x0) at src/sampler/profiler.c:210",
        "#0  element_measure (e=0x0) at ../src/layout/element.c:210",
        "#0  gen_close_block (g=0x0) at ../jit/src/gen.c:88",
    ] {
        let verdict = judged(&gdb(frame));
        assert_eq!((verdict.verdict, verdict.known_issue.as_deref()), (CrashCause::LibraryBug, None), "{frame}");
        assert!(verdict.evidence[0].contains("which is neither CPython's nor libc's"), "{:?}", verdict.evidence);
    }
    let asan = "Python 3.14.3 free-threading build\n==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x50 at pc 0x7f bp 0x7f sp 0x7f\n\
        READ of size 8 at 0x50 thread T3\n    #0 0x7f1c0a10b1c1 in array_dealloc /home/u/numpy/numpy/_core/src/multiarray/arrayobject.c:421\n";
    assert_eq!(issue(asan), None);
    // CPython's own sources are told by their folders, wherever they were built.
    let tee = |source: &str| issue(&gdb(&format!("#0  tee_next (to=0x7f) at {source}:529")));
    for source in ["./Modules/itertoolsmodule.c", "/home/u/py314/Modules/itertoolsmodule.c", "itertoolsmodule.c"] {
        assert_eq!(tee(source).as_deref(), Some("gh-153062"), "{source}");
    }
    assert_eq!(judged(&gdb("#0  tee_next (to=0x7f) at ./Modules/itertoolsmodule.c:529")).confidence, Confidence::High);
}
