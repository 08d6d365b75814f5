//! The fields of code objects as the interpreter has them, whatever the program is shown; and new code objects made of fields.
//!
//! Where a field is, the member descriptors of the type say, which are asked before any of them is replaced.

use crate::interpreter::offsets;
use pyo3::exceptions::PyValueError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple, PyType};
use std::ffi::c_int;
use std::sync::OnceLock;

#[derive(Debug)]
struct Fields {
    arguments: usize,
    positional_only: usize,
    keyword_only: usize,
    locals: usize,
    version: usize,
    flags: usize,
    first_line: usize,
    stack_size: usize,
    constants: usize,
    names: usize,
    filename: usize,
    name: usize,
    qualname: usize,
    lines: usize,
    exceptions: usize,
    traceback_offset: usize,
    traceback_frame: usize,
}

static FIELDS: OnceLock<Fields> = OnceLock::new();

/// The last constant of a code object, borrowed; null for none.
///
/// # Safety
/// A live code object; [`load`] has succeeded.
pub(crate) unsafe fn last_constant(code: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; the field is a tuple, which nobody changes.
    unsafe {
        let constants = code.cast::<u8>().add(fields().constants).cast::<*mut ffi::PyObject>().read();
        match ffi::PyTuple_GET_SIZE(constants) {
            0 => std::ptr::null_mut(),
            count => ffi::PyTuple_GET_ITEM(constants, count - 1),
        }
    }
}

unsafe extern "C" {
    // Include/cpython/code.h
    fn PyCode_GetCode(code: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyCode_GetVarnames(code: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyCode_GetCellvars(code: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyCode_GetFreevars(code: *mut ffi::PyObject) -> *mut ffi::PyObject;
    fn PyUnstable_Code_NewWithPosOnlyArgs(
        arguments: c_int,
        positional_only: c_int,
        keyword_only: c_int,
        locals: c_int,
        stack_size: c_int,
        flags: c_int,
        bytes: *mut ffi::PyObject,
        constants: *mut ffi::PyObject,
        names: *mut ffi::PyObject,
        variables: *mut ffi::PyObject,
        free: *mut ffi::PyObject,
        cells: *mut ffi::PyObject,
        filename: *mut ffi::PyObject,
        name: *mut ffi::PyObject,
        qualname: *mut ffi::PyObject,
        first_line: c_int,
        lines: *mut ffi::PyObject,
        exceptions: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
}

/// From `co_nlocals` to `co_version`: there are two ints in between (`Include/cpython/code.h`); `functions::have_versions` checks it.
const VERSION_AFTER: usize = 3 * size_of::<c_int>();

/// `Py_T_INT` and `_Py_T_OBJECT`, `Include/descrobject.h`.
const INT: c_int = 1;
const OBJECT: c_int = 6;

fn offset_of(class: &Bound<'_, PyType>, name: &str, kind: c_int) -> Result<usize, String> {
    let descriptor = class.getattr("__dict__").and_then(|members| members.get_item(name)).map_err(|_| format!("no {name}"))?;
    // SAFETY: checked to be a member descriptor before it is used as one.
    unsafe {
        if !std::ptr::eq(ffi::Py_TYPE(descriptor.as_ptr()), &raw mut ffi::PyMemberDescr_Type) {
            return Err(format!("{name} is no member"));
        }
        let member = (*descriptor.as_ptr().cast::<ffi::PyMemberDescrObject>()).d_member;
        if (*member).type_code != kind {
            return Err(format!("{name} is of another type"));
        }
        usize::try_from((*member).offset).map_err(|_| format!("{name} has no place"))
    }
}

/// Finds the fields; to be called before any descriptor is replaced.
pub(crate) fn load(py: Python<'_>) -> Result<(), String> {
    if FIELDS.get().is_some() {
        return Ok(());
    }
    offsets::load()?;
    // SAFETY: attached; static types.
    let class = |class: *mut ffi::PyTypeObject| unsafe { PyType::from_borrowed_type_ptr(py, class) };
    let (code, traceback) = (&class(&raw mut ffi::PyCode_Type), &class(&raw mut ffi::PyTraceBack_Type));
    let [int, object] = [INT, OBJECT].map(|kind| move |name: &str| offset_of(code, name, kind));
    let fields = Fields {
        arguments: int("co_argcount")?,
        positional_only: int("co_posonlyargcount")?,
        keyword_only: int("co_kwonlyargcount")?,
        locals: int("co_nlocals")?,
        version: int("co_nlocals")? + VERSION_AFTER,
        flags: int("co_flags")?,
        first_line: int("co_firstlineno")?,
        stack_size: int("co_stacksize")?,
        constants: object("co_consts")?,
        names: object("co_names")?,
        filename: object("co_filename")?,
        name: object("co_name")?,
        qualname: object("co_qualname")?,
        lines: object("co_linetable")?,
        exceptions: object("co_exceptiontable")?,
        traceback_offset: offset_of(traceback, "tb_lasti", INT)?,
        traceback_frame: offset_of(traceback, "tb_frame", OBJECT)?,
    };
    let _ = FIELDS.set(fields);
    Ok(())
}

fn fields() -> &'static Fields {
    FIELDS.get().expect("loaded before anything is patched")
}

/// Where a code object has its names, if that has been looked up.
pub(crate) fn names() -> Option<usize> {
    FIELDS.get().map(|fields| fields.names)
}

/// Where a code object has its table of exceptions.
pub(crate) fn exceptions() -> usize {
    fields().exceptions
}

/// The field `tb_lasti` of a traceback.
///
/// # Safety
/// A live traceback.
pub(crate) unsafe fn traceback_offset(traceback: *mut ffi::PyObject) -> *mut c_int {
    // SAFETY: passed on; the offset is that of an int.
    unsafe { traceback.cast::<u8>().add(fields().traceback_offset).cast() }
}

/// The code object of a traceback's frame, as a new reference.
///
/// # Safety
/// A live traceback, attached.
pub(crate) unsafe fn traceback_code(traceback: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: passed on; a traceback has a frame for as long as it lives.
    unsafe {
        let frame = traceback.cast::<u8>().add(fields().traceback_frame).cast::<*mut ffi::PyFrameObject>().read();
        ffi::PyFrame_GetCode(frame).cast()
    }
}

/// A code object as the interpreter runs it.
#[derive(Debug, Clone)]
pub(crate) struct Code<'py>(Bound<'py, PyAny>);

impl<'py> Code<'py> {
    /// `None` if the object is no code object.
    pub(crate) fn of(object: &Bound<'py, PyAny>) -> Option<Self> {
        // SAFETY: attached (there is a Bound).
        (unsafe { ffi::PyCode_Check(object.as_ptr()) } != 0).then(|| Code(object.clone()))
    }

    pub(crate) fn object(&self) -> &Bound<'py, PyAny> {
        &self.0
    }

    fn int(&self, offset: usize) -> c_int {
        // SAFETY: an int of a live code object; these fields never change.
        unsafe { self.0.as_ptr().cast::<u8>().add(offset).cast::<c_int>().read() }
    }

    fn field<T: pyo3::PyTypeInfo>(&self, offset: usize) -> Bound<'py, T> {
        // SAFETY: an object of a live code object, of the type that `_PyCode_Validate` insists on; these fields never change.
        unsafe {
            let field = self.0.as_ptr().cast::<u8>().add(offset).cast::<*mut ffi::PyObject>().read();
            Bound::from_borrowed_ptr(self.0.py(), field).cast_into_unchecked()
        }
    }

    fn asked<T>(&self, function: unsafe extern "C" fn(*mut ffi::PyObject) -> *mut ffi::PyObject) -> PyResult<Bound<'py, T>> {
        // SAFETY: asks a live code object; the three and `PyCode_GetCode` give a new reference of their type.
        unsafe {
            let answer = Bound::from_owned_ptr_or_err(self.0.py(), function(self.0.as_ptr()))?;
            Ok(answer.cast_into_unchecked())
        }
    }

    /// Without specialised and instrumented instructions.
    pub(crate) fn bytes(&self) -> PyResult<Bound<'py, PyBytes>> {
        self.asked(PyCode_GetCode)
    }

    pub(crate) fn constants(&self) -> Bound<'py, PyTuple> {
        self.field(fields().constants)
    }

    pub(crate) fn lines(&self) -> Bound<'py, PyBytes> {
        self.field(fields().lines)
    }

    pub(crate) fn exceptions(&self) -> Bound<'py, PyBytes> {
        self.field(fields().exceptions)
    }

    pub(crate) fn filename(&self) -> Bound<'py, PyString> {
        self.field(fields().filename)
    }

    pub(crate) fn qualname(&self) -> Bound<'py, PyString> {
        self.field(fields().qualname)
    }

    pub(crate) fn name(&self) -> Bound<'py, PyString> {
        self.field(fields().name)
    }

    pub(crate) fn names(&self) -> Bound<'py, PyTuple> {
        self.field(fields().names)
    }

    pub(crate) fn variables(&self) -> PyResult<Bound<'py, PyTuple>> {
        self.asked(PyCode_GetVarnames)
    }

    /// All variables of the function, in the order of their places in a frame.
    pub(crate) fn locals(&self) -> Bound<'py, PyTuple> {
        self.field(offsets::get().code_localsplusnames)
    }

    pub(crate) fn cells(&self) -> PyResult<Bound<'py, PyTuple>> {
        self.asked(PyCode_GetCellvars)
    }

    pub(crate) fn free(&self) -> PyResult<Bound<'py, PyTuple>> {
        self.asked(PyCode_GetFreevars)
    }

    pub(crate) fn arguments(&self) -> c_int {
        self.int(fields().arguments)
    }

    /// How many arguments, beside these, are given by name only.
    pub(crate) fn keyword_only(&self) -> c_int {
        self.int(fields().keyword_only)
    }

    /// The version of the functions that are made of it, if `functions::have_versions`.
    pub(crate) fn version(&self) -> u32 {
        self.int(fields().version).cast_unsigned()
    }

    pub(crate) fn flags(&self) -> c_int {
        self.int(fields().flags)
    }

    pub(crate) fn stack_size(&self) -> c_int {
        self.int(fields().stack_size)
    }

    /// Address of the code units that are in the code object: those that the main thread runs, and of which copies for others are made.
    pub(crate) fn units(&self) -> usize {
        self.0.as_ptr() as usize + offsets::get().code_adaptive
    }

    /// The parts of this code object that a patched one may have others of.
    pub(crate) fn parts(&self) -> PyResult<Parts<'py>> {
        Ok(Parts {
            bytes: self.bytes()?,
            constants: self.constants(),
            lines: self.lines(),
            exceptions: self.exceptions(),
            stack_size: self.stack_size(),
        })
    }

    /// A new code object: this one with other parts.  Unlike `replace` it raises no audit event.
    ///
    /// # Errors
    /// The interpreter does not take it, or its variables would be in other places.
    pub(crate) fn with(&self, parts: &Parts<'py>) -> PyResult<Code<'py>> {
        let (py, fields) = (self.0.py(), fields());
        let (variables, cells, free) = (self.variables()?, self.cells()?, self.free()?);
        // SAFETY: every argument is of the type that is asked for and alive; gives a new reference.
        let made = unsafe {
            let made = PyUnstable_Code_NewWithPosOnlyArgs(
                self.arguments(),
                self.int(fields.positional_only),
                self.int(fields.keyword_only),
                self.int(fields.locals),
                parts.stack_size,
                self.flags(),
                parts.bytes.as_ptr(),
                parts.constants.as_ptr(),
                self.names().as_ptr(),
                variables.as_ptr(),
                free.as_ptr(),
                cells.as_ptr(),
                self.filename().as_ptr(),
                self.name().as_ptr(),
                self.qualname().as_ptr(),
                self.int(fields.first_line),
                parts.lines.as_ptr(),
                parts.exceptions.as_ptr(),
            );
            Code(Bound::from_owned_ptr_or_err(py, made)?)
        };
        made.take_kinds_of(self)?;
        Ok(made)
    }

    /// Gives a new code object the kinds of variables of the one that it was made like, because the constructor does not know which of them
    /// are arguments (`CO_FAST_ARG`, `Include/internal/pycore_code.h`).
    fn take_kinds_of(&self, like: &Code<'py>) -> PyResult<()> {
        let offsets = offsets::get();
        let (ours, theirs) = (self.kinds(), like.kinds());
        let same = |(one, other): (&u8, &u8)| (one ^ other) & !FAST_ARGUMENT == 0;
        let fits = ours.as_bytes().len() == theirs.as_bytes().len() && ours.as_bytes().iter().zip(theirs.as_bytes()).all(same);
        if !fits || !self.locals().eq(like.locals())? {
            return Err(PyValueError::new_err("its variables would be in other places"));
        }
        // SAFETY: a field of a code object that nobody else has yet; it gives up its reference and gets another one.
        unsafe {
            let field = self.0.as_ptr().cast::<u8>().add(offsets.code_localspluskinds).cast::<*mut ffi::PyObject>();
            field.write(theirs.into_ptr());
            ffi::Py_DECREF(ours.as_ptr());
        }
        Ok(())
    }

    fn kinds(&self) -> Bound<'py, PyBytes> {
        self.field(offsets::get().code_localspluskinds)
    }
}

/// `CO_FAST_ARG`, `Include/internal/pycore_code.h`.
const FAST_ARGUMENT: u8 = 0x0e;

/// What differs between a code object and its patched version.
#[derive(Debug)]
pub(crate) struct Parts<'py> {
    pub(crate) bytes: Bound<'py, PyBytes>,
    pub(crate) constants: Bound<'py, PyTuple>,
    pub(crate) lines: Bound<'py, PyBytes>,
    pub(crate) exceptions: Bound<'py, PyBytes>,
    pub(crate) stack_size: c_int,
}
