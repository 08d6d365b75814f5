//! Built-in iterators: which types there are, and where an iterator has the container that it walks over.
//!
//! Where that is, is found out: an iterator over a known container is made and looked through for its address.

use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
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

/// Pairs of a container, or `None`, and an iterator.
const SAMPLES: &CStr = c"(lambda l, d, s, b, q, o: [
    (l, iter(l)), (l, reversed(l)), (d, iter(d)), (d, iter(d.values())), (d, iter(d.items())),
    (d, reversed(d)), (d, reversed(d.values())), (d, reversed(d.items())), (s, iter(s)), (b, iter(b)),
    (q, iter(q)), (q, reversed(q)), (o, iter(o)),
    *[(None, i) for i in (
        enumerate([]), zip([]), map(str, []), filter(None, []), reversed('ab'), iter(range(1)), iter(range(2**70)), iter(()), iter('a'),
        iter('\\u0100'), iter(b''), (i for i in ()), itertools.islice([], 1), itertools.chain([]), itertools.cycle([]),
        itertools.accumulate([]), itertools.batched([], 1), itertools.groupby([]), itertools.starmap(str, []),
        itertools.takewhile(str, []), itertools.dropwhile(str, []), itertools.filterfalse(str, []), itertools.compress([], []),
        itertools.pairwise([]), itertools.product([]), itertools.permutations([]), itertools.combinations([], 0),
        itertools.combinations_with_replacement([], 0), itertools.zip_longest([]), itertools.tee([])[0])],
])([1], {1: 1}, {1}, bytearray(1), deque([1]), OrderedDict({1: 1}))";

/// A table by the addresses of the types, of which each is at the first free place from where its address says.
static KNOWN: OnceLock<[Option<Iterators>; PLACES]> = OnceLock::new();
const PLACES: usize = 256;

/// Where to look for a type, in this order.
fn places(class: usize) -> impl Iterator<Item = usize> {
    // Types are some hundred bytes long each, and aligned.
    let first = (class >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (usize::BITS - PLACES.trailing_zeros());
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
    let known = KNOWN.get()?;
    for place in places(class as usize) {
        match &known[place] {
            Some(found) if found.class == class as usize => return Some(found),
            Some(_) => {}
            None => break,
        }
    }
    // SAFETY: passed on; a type keeps its name alive.
    (unsafe { CStr::from_ptr((*class).tp_name) } == c"array.arrayiterator").then_some(&ARRAY)
}

/// Finds out where each type has its container.  Gives all the types.
pub(crate) fn learn(py: Python<'_>) -> PyResult<Vec<(Bound<'_, PyType>, &'static Iterators)>> {
    let globals = pyo3::types::PyDict::new(py);
    let collections = py.import("_collections")?;
    for (name, value) in [
        ("deque", collections.getattr("deque")?),
        ("OrderedDict", collections.getattr("OrderedDict")?),
        ("itertools", py.import("itertools")?.into_any()),
    ] {
        globals.set_item(name, value)?;
    }
    let samples: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)> = py.eval(SAMPLES, Some(&globals), None)?.extract()?;
    let mut known: Vec<Iterators> = Vec::new();
    for (container, iterator) in &samples {
        let class = iterator.get_type();
        let address = class.as_ptr() as usize;
        if known.iter().any(|known| known.class == address) {
            continue;
        }
        let place = if container.is_none() { Some(0) } else { place_of(iterator, container) };
        let container = place.ok_or_else(|| PyRuntimeError::new_err(format!("{}: no container in it", class)))?;
        known.push(Iterators { class: address, container, is_inlined: address == &raw mut ffi::PyListIter_Type as usize });
    }
    let known = KNOWN.get_or_init(|| {
        let mut table = [const { None }; PLACES];
        for kind in known {
            if let Some(place) = places(kind.class).find(|place| table[*place].is_none()) {
                table[place] = Some(kind);
            }
        }
        table
    });
    let mut found: Vec<(Bound<'_, PyType>, &'static Iterators)> = Vec::new();
    for (_, iterator) in &samples {
        let class = iterator.get_type();
        if let Some(known) = known.iter().flatten().find(|known| known.class == class.as_ptr() as usize)
            && !found.iter().any(|(found, _)| found.is(&class))
        {
            found.push((class, known));
        }
    }
    Ok(found)
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
