//! Built-in iterators: which types there are, and where an iterator has the container that it walks over.
//!
//! Where that is, is found out: an iterator over a known container is made and looked through for its address.

use ftsan::races;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyType};
use std::ffi::CStr;
use std::sync::OnceLock;

/// A type of iterators.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Iterators {
    class: usize,
    /// Where its container is, in words from the beginning of the object; 0 if it has none.
    container: usize,
    /// Steps are not seen: loops do not call its `tp_iternext` once they are specialised (`FOR_ITER_LIST`), or it is not hooked.
    pub(crate) is_inlined: bool,
}

impl Iterators {
    /// What `iterator`, of this type, walks over, borrowed; null for nothing, or if it is exhausted.
    ///
    /// # Safety
    /// Attached; a live iterator of this type.  If other threads may advance it, the container may be gone: its memory is still there, because
    /// memory of objects is given back only when all threads have passed a safe point (`page_use_qsbr`, Objects/obmalloc.c).
    #[inline(always)]
    pub(crate) unsafe fn container(&self, iterator: *mut ffi::PyObject) -> *mut ffi::PyObject {
        if self.container == 0 {
            return std::ptr::null_mut();
        }
        // SAFETY: within the object, where `learn` has found a reference in another one of the type.
        unsafe { iterator.cast::<*mut ffi::PyObject>().add(self.container).read_volatile() }
    }
}

/// By the module that has the types, which is `m`: pairs of a container, or `None`, and an iterator.
const SAMPLES: [(&str, &CStr); 3] = [
    (
        "builtins",
        c"(lambda l, d, s, b: [
    (l, iter(l)), (l, reversed(l)), (d, iter(d)), (d, iter(d.values())), (d, iter(d.items())),
    (d, reversed(d)), (d, reversed(d.values())), (d, reversed(d.items())), (s, iter(s)), (b, iter(b)),
    *[(None, i) for i in (
        enumerate([]), zip([]), map(str, []), filter(None, []), reversed('ab'), iter(range(1)), iter(range(2**70)), iter(()), iter('a'),
        iter('\\u0100'), iter(b''), (i for i in ()))],
])([1], {1: 1}, {1}, bytearray(1))",
    ),
    (
        "_collections",
        c"(lambda q, o: [(q, iter(q)), (q, reversed(q)), (o, iter(o))])(m.deque([1]), m.OrderedDict({1: 1}))",
    ),
    (
        "itertools",
        c"[(None, i) for i in (
    m.islice([], 1), m.chain([]), m.cycle([]), m.accumulate([]), m.batched([], 1), m.groupby([]), m.starmap(str, []),
    m.takewhile(str, []), m.dropwhile(str, []), m.filterfalse(str, []), m.compress([], []), m.pairwise([]), m.product([]),
    m.permutations([]), m.combinations([], 0), m.combinations_with_replacement([], 0), m.zip_longest([]), m.tee([])[0])]",
    ),
];

/// A table by the addresses of the types, of which each is at the first free place from where its address says.
static KNOWN: [OnceLock<Iterators>; PLACES] = [const { OnceLock::new() }; PLACES];
const PLACES: usize = 256;

/// Where to look for a type, in this order.
fn places(class: usize) -> impl Iterator<Item = usize> {
    // Types are some hundred bytes long each, and aligned.
    let first = races::place(class as u64 >> 4, PLACES);
    (first..first + PLACES).map(|place| place % PLACES)
}

/// Of `array.array`, a module that not every program has: told by its name.  The index comes before the array (`arrayiterobject`,
/// Modules/arraymodule.c).
static ARRAY: Iterators = Iterators { class: 0, container: size_of::<ffi::PyObject>() / WORD + 1, is_inlined: true };
const WORD: usize = size_of::<usize>();

/// What is known of a type of iterators.
///
/// # Safety
/// A live type.
#[inline]
pub(crate) unsafe fn of_class(class: *mut ffi::PyTypeObject) -> Option<&'static Iterators> {
    for place in places(class as usize) {
        match KNOWN[place].get() {
            Some(found) if found.class == class as usize => return Some(found),
            Some(_) => {}
            None => break,
        }
    }
    // SAFETY: passed on; a type keeps its name alive.
    (unsafe { CStr::from_ptr((*class).tp_name) } == c"array.arrayiterator").then_some(&ARRAY)
}

/// Modules that have types of iterators.
pub(crate) fn modules() -> impl Iterator<Item = &'static str> {
    SAMPLES.iter().map(|(module, _)| *module)
}

/// Finds out where each type of a module has its container.  Gives the types that were not known before.
pub(crate) fn learn<'py>(module: &Bound<'py, PyModule>) -> PyResult<Vec<(Bound<'py, PyType>, &'static Iterators)>> {
    let py = module.py();
    let name = module.name()?;
    let (_, code) = SAMPLES
        .iter()
        .find(|(known, _)| name == *known)
        .ok_or_else(|| PyRuntimeError::new_err(format!("{name}: no iterators of it are known")))?;
    let globals = PyDict::new(py);
    globals.set_item("m", module)?;
    let samples: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)> = py.eval(code, Some(&globals), None)?.extract()?;
    let mut found = Vec::new();
    for (container, iterator) in &samples {
        let class = iterator.get_type();
        let address = class.as_ptr() as usize;
        let place = if container.is_none() { Some(0) } else { place_of(iterator, container) };
        let container = place.ok_or_else(|| PyRuntimeError::new_err(format!("{class}: no container in it")))?;
        let kind = Iterators { class: address, container, is_inlined: address == &raw mut ffi::PyListIter_Type as usize };
        if let Some(known) = add(kind)? {
            found.push((class, known));
        }
    }
    Ok(found)
}

/// Puts a type into the table; `None` if it is in it.
fn add(kind: Iterators) -> PyResult<Option<&'static Iterators>> {
    for place in places(kind.class) {
        if KNOWN[place].set(kind).is_ok() {
            return Ok(KNOWN[place].get());
        }
        if KNOWN[place].get().is_some_and(|known| known.class == kind.class) {
            return Ok(None);
        }
    }
    Err(PyRuntimeError::new_err("more types of iterators than places"))
}

/// Where in an iterator its container is.
fn place_of(iterator: &Bound<'_, PyAny>, container: &Bound<'_, PyAny>) -> Option<usize> {
    // SAFETY: a type object.
    let size = unsafe { (*iterator.get_type().as_type_ptr()).tp_basicsize } as usize;
    let header = size_of::<ffi::PyObject>() / WORD;
    // SAFETY: within the object.
    let word = |at: usize| unsafe { iterator.as_ptr().cast::<usize>().add(at).read() };
    (header..size / WORD).find(|at| word(*at) == container.as_ptr() as usize)
}
