//! Where things are in the interpreter's structures, and the numbers that it uses there.  Differences between versions are here and
//! nowhere else; [`crate::interpreter::verify`] and the `verify` of each module compare it with what the interpreter does.

use std::mem::offset_of;
use std::sync::OnceLock;

/// The beginning of `_Py_DebugOffsets`.  The parameters are how many numbers a version has where others have none or fewer.
#[repr(C)]
struct DebugOffsets<const PROFILED: usize, const REST: usize, const TYPES: usize, const UNICODE: usize, const GC: usize> {
    /// `cookie`, `version`, `free_threaded`: the same in every version.
    head: Head,
    /// Size, `finalizing`, `interpreters_head`.
    runtime_state: [u64; 3],
    /// Size, `id`, `next`, `threads_head` and others.
    interpreter_state: [u64; 16],
    thread_state: ThreadState<PROFILED, REST>,
    interpreter_frame: InterpreterFrame,
    code_object: CodeObject,
    pyobject: [u64; 2],
    /// `type_object`, `heap_type_object`.
    types: [u64; TYPES],
    tuple_object: [u64; 3],
    list_object: [u64; 3],
    set_object: [u64; 4],
    dict_object: [u64; 3],
    float_object: [u64; 2],
    long_object: [u64; 3],
    /// Size, `ob_size`, `ob_sval`.
    bytes_object: [u64; 3],
    /// Size, `state`, `length`, size of an ASCII string's head and others.
    unicode_object: [u64; UNICODE],
    gc: [u64; GC],
    gen_object: GenObject,
    llist_node: [u64; 2],
    debugger_support: DebuggerSupport,
}

type DebugOffsets314 = DebugOffsets<0, 2, 4, 4, 2>;
type DebugOffsets315 = DebugOffsets<3, 7, 8, 5, 5>;

#[repr(C)]
struct Head {
    cookie: [u8; 8],
    version: u64,
    free_threaded: u64,
}

#[repr(C)]
struct ThreadState<const PROFILED: usize, const REST: usize> {
    size: u64,
    prev: u64,
    next: u64,
    interp: u64,
    current_frame: u64,
    /// `base_frame`, `last_profiled_frame`, `last_profiled_frame_seq`.
    profiled_frame: [u64; PROFILED],
    thread_id: u64,
    native_thread_id: u64,
    /// `datastack_chunk`, `status` and others; `err_stackitem`.
    rest: [u64; REST],
}

#[repr(C)]
struct InterpreterFrame {
    size: u64,
    previous: u64,
    executable: u64,
    instr_ptr: u64,
    localsplus: u64,
    owner: u64,
    stackpointer: u64,
    tlbc_index: u64,
}

#[repr(C)]
struct CodeObject {
    size: u64,
    filename: u64,
    name: u64,
    qualname: u64,
    linetable: u64,
    firstlineno: u64,
    argcount: u64,
    localsplusnames: u64,
    localspluskinds: u64,
    co_code_adaptive: u64,
    co_tlbc: u64,
}

#[repr(C)]
struct GenObject {
    size: u64,
    gi_name: u64,
    gi_iframe: u64,
    gi_frame_state: u64,
}

/// Of PEP 768.
#[repr(C)]
struct DebuggerSupport {
    eval_breaker: u64,
    remote_debugger_support: u64,
    remote_debugging_enabled: u64,
    debugger_pending_call: u64,
    debugger_script_path: u64,
    debugger_script_path_size: u64,
}

/// Where another process of the same kind of interpreter has what PEP 768 is about: offsets in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Door {
    /// In the runtime's state.
    pub(crate) interpreters_head: usize,
    /// In an interpreter's state.
    pub(crate) threads_head: usize,
    /// In a thread's state.
    pub(crate) next_thread: usize,
    pub(crate) native_thread_id: usize,
    pub(crate) eval_breaker: usize,
    pub(crate) pending: usize,
    pub(crate) script: usize,
    /// How many bytes a path may have, with its zero.
    pub(crate) script_size: usize,
}

impl Door {
    /// `word` reads a word of the beginning of the runtime's state; `None` if that is another kind of interpreter than this one, or not
    /// as expected.
    pub(crate) fn read(word: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        // SAFETY: the symbol exists in every CPython since 3.13 and is never written after start-up.
        let head = unsafe { &*std::ptr::addr_of!(_PyRuntime) };
        let is_same_kind = word(0)? == usize::from_ne_bytes(head.cookie)
            && word(offset_of!(Head, version))? >> 16 == (head.version >> 16) as usize
            && word(offset_of!(Head, free_threaded))? == head.free_threaded as usize;
        match head.version >> 16 {
            0x030E if is_same_kind => Self::of::<0, 2, 4, 4, 2>(word),
            0x030F if is_same_kind => Self::of::<3, 7, 8, 5, 5>(word),
            _ => None,
        }
    }

    fn of<const PROFILED: usize, const REST: usize, const TYPES: usize, const UNICODE: usize, const GC: usize>(
        word: impl Fn(usize) -> Option<usize>,
    ) -> Option<Self> {
        /// `_Py_MAX_SCRIPT_PATH_SIZE`, `Include/cpython/pystate.h`.
        const SCRIPT_SIZE: usize = 512;
        let thread = |field: usize| word(offset_of!(DebugOffsets<PROFILED, REST, TYPES, UNICODE, GC>, thread_state) + field);
        let support = |field: usize| word(offset_of!(DebugOffsets<PROFILED, REST, TYPES, UNICODE, GC>, debugger_support) + field);
        let area = support(offset_of!(DebuggerSupport, remote_debugger_support))?;
        let door = Door {
            interpreters_head: word(
                offset_of!(DebugOffsets<PROFILED, REST, TYPES, UNICODE, GC>, runtime_state) + 2 * size_of::<u64>(),
            )?,
            threads_head: word(
                offset_of!(DebugOffsets<PROFILED, REST, TYPES, UNICODE, GC>, interpreter_state) + 3 * size_of::<u64>(),
            )?,
            next_thread: thread(offset_of!(ThreadState<PROFILED, REST>, next))?,
            native_thread_id: thread(offset_of!(ThreadState<PROFILED, REST>, native_thread_id))?,
            eval_breaker: support(offset_of!(DebuggerSupport, eval_breaker))?,
            pending: area + support(offset_of!(DebuggerSupport, debugger_pending_call))?,
            script: area + support(offset_of!(DebuggerSupport, debugger_script_path))?,
            script_size: support(offset_of!(DebuggerSupport, debugger_script_path_size))?,
        };
        (door.script_size == SCRIPT_SIZE).then_some(door)
    }
}

unsafe extern "C" {
    /// `_PyRuntimeState`, whose first member is `_Py_DebugOffsets`.
    static _PyRuntime: Head;
}

/// The offsets that are used, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offsets {
    pub(crate) runtime_interpreters_head: usize,
    pub(crate) interpreter_size: usize,
    pub(crate) interpreter_threads_head: usize,
    pub(crate) thread_size: usize,
    pub(crate) thread_next: usize,
    pub(crate) thread_interp: usize,
    pub(crate) thread_current_frame: usize,
    pub(crate) thread_ident: usize,
    pub(crate) thread_native_id: usize,
    pub(crate) frame_previous: usize,
    pub(crate) frame_executable: usize,
    pub(crate) frame_instr_ptr: usize,
    pub(crate) frame_localsplus: usize,
    pub(crate) frame_owner: usize,
    pub(crate) frame_stackpointer: usize,
    #[cfg(Py_GIL_DISABLED)]
    pub(crate) frame_tlbc_index: usize,
    #[cfg(Py_GIL_DISABLED)]
    pub(crate) code_tlbc: usize,
    pub(crate) code_adaptive: usize,
    pub(crate) code_linetable: usize,
    pub(crate) code_firstlineno: usize,
    pub(crate) code_filename: usize,
    pub(crate) code_qualname: usize,
    pub(crate) code_localsplusnames: usize,
    pub(crate) code_localspluskinds: usize,
    pub(crate) bytes_size: usize,
    pub(crate) bytes_data: usize,
    pub(crate) unicode_state: usize,
    pub(crate) unicode_length: usize,
    pub(crate) unicode_ascii_data: usize,
    /// The bit of `state` that says so.
    pub(crate) unicode_is_ascii: i32,
    pub(crate) gen_iframe: usize,
    pub(crate) gen_frame_state: usize,
    pub(crate) unpublished: Unpublished,
}

/// Numbers that differ between versions and are not published.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unpublished {
    /// `FRAME_CREATED`, `Include/internal/pycore_frame.h`.
    pub(crate) created: i8,
    /// `FRAME_SUSPENDED`: in a `yield`.
    pub(crate) suspended: i8,
    /// `FRAME_SUSPENDED_YIELD_FROM`: awaiting.
    pub(crate) awaiting: i8,
    /// `FRAME_EXECUTING`.
    pub(crate) executing: i8,
    /// How deep in its stack an awaiting frame has what it awaits (`_PyGen_yf` and `gen_close`, `Objects/genobject.c`).
    pub(crate) awaited_depth: usize,
}

const UNPUBLISHED_314: Unpublished = Unpublished { created: -3, suspended: -2, awaiting: -1, executing: 0, awaited_depth: 1 };
/// Above what is awaited lies the position in it, if it is a list or a tuple, else null.
const UNPUBLISHED_315: Unpublished = Unpublished { created: 0, suspended: 1, awaiting: 2, executing: 4, awaited_depth: 2 };

/// `enum _frameowner`, `Include/internal/pycore_interpframe_structs.h`: a frame on a thread's own stack, that of no generator.
pub(crate) const OWNED_BY_THREAD: u8 = 0;

/// The same: that of a coroutine or generator.
pub(crate) const OWNED_BY_GENERATOR: u8 = 1;

/// The same: an entry frame, pushed where C calls Python.
pub(crate) const OWNED_BY_INTERPRETER: u8 = 3;

/// `Py_TAG_REFCNT`, `Include/internal/pycore_stackref.h`: the lowest bit says that the reference is not counted.
pub(crate) const STACKREF_TAG: usize = 1;

/// The bit that `Py_INT_TAG` (a tagged integer) and `PyStackRef_ERROR` have, same file, and no object has; nothing but the tag, or 0, is null.
pub(crate) const STACKREF_NO_OBJECT: usize = 2;

static OFFSETS: OnceLock<Offsets> = OnceLock::new();

/// The offsets.  [`load`] has succeeded before anything is hooked.
#[inline]
pub(crate) fn get() -> &'static Offsets {
    loaded().expect("loaded before anything is hooked")
}

/// The same, `None` before [`load`].
#[inline(always)]
pub(crate) fn loaded() -> Option<&'static Offsets> {
    OFFSETS.get()
}

/// Address of the runtime's state.
pub(crate) fn runtime() -> usize {
    std::ptr::addr_of!(_PyRuntime) as usize
}

/// What this interpreter publishes of its layout, as bytes.
pub(crate) fn published() -> &'static [u8] {
    #[cfg(not(Py_3_15))]
    const SIZE: usize = size_of::<DebugOffsets314>();
    #[cfg(Py_3_15)]
    const SIZE: usize = size_of::<DebugOffsets315>();
    // SAFETY: the symbol exists in every CPython since 3.13, begins with the offsets, and these are never written after start-up.
    unsafe { std::slice::from_raw_parts(std::ptr::addr_of!(_PyRuntime).cast::<u8>(), SIZE) }
}

/// The bit of a string's state that is set for ASCII, and for nothing else of the same width.
fn ascii_bit(state: usize) -> i32 {
    let state_of = |text: &std::ffi::CStr| {
        // SAFETY: attached; a new string, whose state is an integer.
        unsafe {
            let string = pyo3::ffi::PyUnicode_FromString(text.as_ptr());
            let bits = string.cast::<u8>().add(state).cast::<i32>().read();
            pyo3::ffi::Py_DECREF(string);
            bits
        }
    };
    state_of(c"ftsan-a") & !state_of(c"ftsan-\u{e9}")
}

/// Reads the published offsets and checks that they are of an interpreter we know.
pub(crate) fn load() -> Result<(), String> {
    // Layouts change until the first release candidate.
    const FIRST_CANDIDATE_315: u64 = 0x030F_00C1;
    let published = std::ptr::addr_of!(_PyRuntime);
    // SAFETY: the symbol exists in every CPython since 3.13 and is never written after start-up.
    let head = unsafe { &*published };
    if &head.cookie != b"xdebugpy" {
        return Err("_PyRuntime does not start with the debug offsets".to_owned());
    }
    if (head.free_threaded == 1) != cfg!(Py_GIL_DISABLED) {
        let other = if cfg!(Py_GIL_DISABLED) { "this interpreter was built with" } else { "this interpreter was built without" };
        return Err(format!("{other} the GIL, and ftsan for the other kind"));
    }
    // SAFETY: as above, and the struct is that of this version.
    let offsets = unsafe {
        match (head.version >> 16, head.version) {
            (0x030E, _) => read(&*published.cast::<DebugOffsets314>(), UNPUBLISHED_314)?,
            (0x030F, FIRST_CANDIDATE_315..) => read(&*published.cast::<DebugOffsets315>(), UNPUBLISHED_315)?,
            (_, version) => return Err(format!("the layout of CPython {version:#x} is not known (those of 3.14 and 3.15 are)")),
        }
    };
    let _ = OFFSETS.set(offsets);
    Ok(())
}

fn read<const PROFILED: usize, const REST: usize, const TYPES: usize, const UNICODE: usize, const GC: usize>(
    published: &DebugOffsets<PROFILED, REST, TYPES, UNICODE, GC>,
    unpublished: Unpublished,
) -> Result<Offsets, String> {
    let offset = |value: u64| usize::try_from(value).map_err(|_| "an offset does not fit".to_owned());
    Ok(Offsets {
        runtime_interpreters_head: offset(published.runtime_state[2])?,
        interpreter_size: offset(published.interpreter_state[0])?,
        interpreter_threads_head: offset(published.interpreter_state[3])?,
        thread_next: offset(published.thread_state.next)?,
        thread_interp: offset(published.thread_state.interp)?,
        thread_size: offset(published.thread_state.size)?,
        thread_ident: offset(published.thread_state.thread_id)?,
        thread_native_id: offset(published.thread_state.native_thread_id)?,
        thread_current_frame: offset(published.thread_state.current_frame)?,
        frame_previous: offset(published.interpreter_frame.previous)?,
        frame_executable: offset(published.interpreter_frame.executable)?,
        frame_instr_ptr: offset(published.interpreter_frame.instr_ptr)?,
        frame_localsplus: offset(published.interpreter_frame.localsplus)?,
        frame_owner: offset(published.interpreter_frame.owner)?,
        frame_stackpointer: offset(published.interpreter_frame.stackpointer)?,
        #[cfg(Py_GIL_DISABLED)]
        frame_tlbc_index: offset(published.interpreter_frame.tlbc_index)?,
        #[cfg(Py_GIL_DISABLED)]
        code_tlbc: offset(published.code_object.co_tlbc)?,
        code_adaptive: offset(published.code_object.co_code_adaptive)?,
        code_linetable: offset(published.code_object.linetable)?,
        code_firstlineno: offset(published.code_object.firstlineno)?,
        code_filename: offset(published.code_object.filename)?,
        code_qualname: offset(published.code_object.qualname)?,
        code_localsplusnames: offset(published.code_object.localsplusnames)?,
        code_localspluskinds: offset(published.code_object.localspluskinds)?,
        bytes_size: offset(published.bytes_object[1])?,
        bytes_data: offset(published.bytes_object[2])?,
        unicode_state: offset(published.unicode_object[1])?,
        unicode_length: offset(published.unicode_object[2])?,
        unicode_ascii_data: offset(published.unicode_object[3])?,
        unicode_is_ascii: ascii_bit(offset(published.unicode_object[1])?),
        gen_iframe: offset(published.gen_object.gi_iframe)?,
        gen_frame_state: offset(published.gen_object.gi_frame_state)?,
        unpublished,
    })
}
