//! Crashes of other libraries, each with the versions that have it.

use super::super::conditions::Condition::{
    self, Any, Anywhere, Below, Concurrent, From, Function, Loaded, NobodyElse, OnlyExtension, PythonBelow, PythonFrom, Says, Top,
    TopModule, WithoutGil,
};
use super::super::verdict::{Confidence, CrashCause};
use super::row::Known;

const NAMED_REPEAT: Condition = Anywhere(&["numpy._core._multiarray_umath", "numpy"], &["PyArray_Repeat", "npy_fastrepeat*"]);

/// The rows.
pub(super) static ROWS: &[Known] = &[
    Known {
        name: "a MultiDict shared by threads",
        when: &[Concurrent, TopModule(4, &["multidict._multidict"]), Loaded(&["multidict"]), Below("multidict", "7.1.0")],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::High,
        culprit: Some("multidict"),
        issue: Some("multidict#1433"),
        explanation: "multidict declares free-threading support; before 6.9 it has no lock at all, so a reader follows a table that update(), clear() or \
            extend() of another thread has freed (deletions: multidict#1492)",
        next_step: "upgrade multidict to 7.1.0 or later; until then do not share a MultiDict (headers, query) between threads, or lock it",
    },
    Known {
        name: "a NumPy array of objects changed by two threads",
        when: &[
            Concurrent,
            TopModule(4, &["numpy._core._multiarray_umath"]),
            Anywhere(
                &["numpy._core._multiarray_umath", "numpy"],
                &["OBJECT_*", "PyArray_Item_XDECREF", "PyArray_INCREF", "PyArray_XDECREF", "npy_*object*"],
            ),
        ],
        verdict: CrashCause::CrossThreadMisuse,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("numpy#27199"),
        explanation: "NumPy does not lock arrays; an element of an object array that one thread replaces is freed under another one that reads it",
        next_step: "guard arrays that are changed by several threads with a lock",
    },
    Known {
        name: "np.repeat in several threads",
        when: &[
            Concurrent,
            Function(6, &["numpy._core._multiarray_umath", "numpy"], &["PyArray_Repeat", "npy_fastrepeat*"]),
            NAMED_REPEAT,
            Below("numpy", "2.2.3"),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::High,
        culprit: Some("numpy"),
        issue: Some("numpy#28197"),
        explanation: "PyArray_Repeat wrote into the array of counts that threads share",
        next_step: "upgrade numpy to 2.2.3 or later",
    },
    Known {
        name: "ufuncs of NumPy freed twice at exit",
        when: &[
            WithoutGil,
            Function(8, &["numpy._core._multiarray_umath", "numpy"], &["ufunc_dealloc"]),
            Anywhere(&["numpy._core._multiarray_umath", "numpy"], &["ufunc_dealloc"]),
            From("numpy", "2.2.0"),
            Below("numpy", "2.2.1"),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("numpy"),
        issue: Some("numpy#27953"),
        explanation: "NumPy 2.2.0 used a table after it had freed it, on the free-threaded build",
        next_step: "upgrade numpy to 2.2.1 or later",
    },
    Known {
        name: "pyarrow imported first by a thread that has ended",
        when: &[
            Anywhere(&["pyarrow"], &["mi_thread_init*", "_mi_thread_init*", "mi_heap_main", "_mi_theap_default_set"]),
            From("pyarrow", "25.0.0"),
            Below("pyarrow", "25.0.1"),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::High,
        culprit: Some("pyarrow"),
        issue: Some("arrow#50471"),
        explanation: "the mimalloc inside pyarrow keeps a pointer to the heap of the thread that loaded it; when that thread has ended, the first allocation of another \
            one follows it (arrow#50471, arrow#50908), with the GIL or without",
        next_step: "upgrade pyarrow to 25.0.1 or later, or import it (or pandas, which does) on the main thread before others use it",
    },
    Known {
        name: "a font of Pillow used by several threads",
        when: &[Concurrent, TopModule(4, &["PIL._imagingft"]), Below("Pillow", "12.2.0")],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("Pillow"),
        issue: Some("Pillow#9497"),
        explanation: "an FT_Face of FreeType belongs to one thread at a time, and Pillow locks it from 12.2.0 on (Pillow#8454, Pillow#9497)",
        next_step: "upgrade Pillow to 12.2.0 or later, or give each thread its own font",
    },
    Known {
        name: "a cached property of propcache read while another thread evicts it",
        when: &[Concurrent, TopModule(4, &["propcache._helpers_c"]), Below("propcache", "0.5.3")],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("propcache"),
        issue: Some("propcache#297"),
        explanation: "cached_property and under_cached_property read the cached value through a borrowed reference before propcache 0.5.3, so another thread that evicts \
            it frees it under the reader (yarl and aiohttp use them)",
        next_step: "upgrade propcache to 0.5.3 or later",
    },
    Known {
        name: "regex without the GIL",
        when: &[WithoutGil, TopModule(4, &["regex._regex"])],
        verdict: CrashCause::ExtensionAssumesGil,
        confidence: Confidence::Medium,
        culprit: Some("regex"),
        issue: Some("mrab-regex#597"),
        explanation: "patterns of regex keep storage that threads share without a lock, which damages the interpreter's heap",
        next_step: "run with the GIL (PYTHON_GIL=1), upgrade regex, or give each thread its own compiled pattern",
    },
    Known {
        name: "tensors met by the collector",
        when: &[
            WithoutGil,
            Anywhere(&["torch"], &["THPVariable_subclass_traverse", "THPVariable_traverse", "THPVariable_subclass_clear"]),
            Anywhere(&[], &["gc_*", "_PyGC_*", "PyGC_*", "deduce_unreachable*", "_Py_HandlePending"]),
            Below("torch", "2.10"),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("torch"),
        issue: Some("pytorch#169136"),
        explanation: "torch counts references of tensors in a way that the collector of the free-threaded build does not expect",
        next_step: "upgrade torch to 2.10 or later",
    },
    Known {
        name: "tensors allocated by several threads",
        when: &[
            Concurrent,
            Top(4, &["PyType_GenericAlloc", "_PyType_AllocNoTrack"]),
            Loaded(&["torch"]),
            Anywhere(&["torch"], &["THPVariable_*", "torch::*"]),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Low,
        culprit: Some("torch"),
        issue: Some("pytorch#171992"),
        explanation: "torch makes tensors in several threads while others are freed, and the interpreter dies in the allocation (open)",
        next_step: "guard what makes and unbinds tensors with a lock, upgrade torch, or run with the GIL (PYTHON_GIL=1)",
    },
    Known {
        name: "a traceback made by Cython in several threads",
        when: &[
            Concurrent,
            Anywhere(&["*"], &["__Pyx_AddTraceback"]),
            Any(&[
                Top(
                    6,
                    &["PyFrame_New*", "_PyFunction_FromConstructor", "_Py_NewRef", "Py_INCREF", "_Py_DecRefShared", "_Py_Dealloc"],
                ),
                Anywhere(&["*"], &["PyFrame_New*", "__pyx_insert_code_object", "__pyx_find_code_object"]),
            ]),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Low,
        culprit: Some("Cython"),
        issue: Some("cython#6718"),
        explanation: "code that Cython generated keeps code objects for its tracebacks in a cache without a lock (cython#6663, cython#6718): two threads that raise at the \
            same time free each other's",
        next_step: "upgrade the extension to a version that was built with Cython 3.1 or later, and report it there with the output of ftsan triage --markdown",
    },
    Known {
        name: "a Struct of msgspec on CPython 3.13",
        when: &[
            Anywhere(&[], &["set_dict_inline_values", "PyObject_ClearManagedDict", "make_dict_from_instance_attributes"]),
            Loaded(&["msgspec"]),
            NobodyElse(4, &["msgspec"]),
            PythonFrom("3.13"),
            PythonBelow("3.14"),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Medium,
        culprit: Some("msgspec"),
        issue: Some("msgspec#868"),
        explanation: "msgspec allocates objects without initialising the values that CPython 3.13 keeps inside of them, with the GIL or without (msgspec#868, msgspec#910)",
        next_step: "upgrade msgspec, or use CPython 3.14",
    },
    Known {
        name: "an object whose inline values nobody initialised",
        when: &[
            Anywhere(&[], &["set_dict_inline_values"]),
            Anywhere(&[], &["PyObject_ClearManagedDict"]),
            Says(&["cdcdcdcd"]),
            OnlyExtension(&["msgspec"]),
            PythonFrom("3.13"),
            PythonBelow("3.14"),
        ],
        verdict: CrashCause::LibraryBug,
        confidence: Confidence::Low,
        culprit: Some("msgspec"),
        issue: Some("msgspec#868"),
        explanation: "an extension module allocated the object without initialising its inline values, as CPython 3.13 asks for; msgspec's Struct with a second base is the \
            known case (msgspec#868)",
        next_step: "upgrade msgspec, or look which extension module has the type of the object; CPython 3.14 initialises them itself",
    },
    Known {
        name: "xmlsec without the GIL",
        when: &[WithoutGil, TopModule(6, &["xmlsec"])],
        verdict: CrashCause::ExtensionAssumesGil,
        confidence: Confidence::High,
        culprit: Some("xmlsec"),
        issue: Some("python-xmlsec#427"),
        explanation: "xmlsec does not declare free-threading support and crashes with PYTHON_GIL=0",
        next_step: "run with the GIL (leave out PYTHON_GIL=0) until xmlsec supports free threading",
    },
    Known {
        name: "cffi in 3.13t",
        when: &[WithoutGil, TopModule(4, &["_cffi_backend"]), PythonBelow("3.14")],
        verdict: CrashCause::ExtensionAssumesGil,
        confidence: Confidence::Medium,
        culprit: Some("cffi"),
        issue: Some("cffi#126"),
        explanation: "cffi supports the free-threaded build from cffi 2.0 and CPython 3.14 on",
        next_step: "use 3.14t with cffi 2.0 or later",
    },
    Known {
        name: "an extension module built for another interpreter",
        when: &[
            WithoutGil,
            Top(6, &["PyModule_Create*", "_PyModule_Create*", "PyModuleDef_Init", "PyModule_FromDefAndSpec*"]),
            Anywhere(&["*"], &["PyInit_*", "_PyImport_RunModInitFunc", "import_run_extension"]),
        ],
        verdict: CrashCause::ExtensionAssumesGil,
        confidence: Confidence::Medium,
        culprit: None,
        issue: Some("pydantic-core#1555"),
        explanation: "it died while an extension module was created: objects have another layout in the free-threaded build, and this module was compiled \
            for the one with the GIL (pydantic-core before it moved to PyO3 0.23 is an example)",
        next_step: "reinstall the extension with a wheel of this ABI (cp314t), or build it from source with this interpreter",
    },
];
