//! Asking Python without the program noticing: no imports, no `__class__`, no methods that a subclass may have replaced.

use crate::interpreter::fork_gate;
use crate::interpreter::frames::{DEEPEST, RawFrame};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::CStr;

/// A module that is imported already, without going through the program's import machinery.
pub(crate) fn loaded<'py>(py: Python<'py>, name: &CStr) -> Option<Bound<'py, PyAny>> {
    // SAFETY: attached; gives a new reference or null without an exception that matters here.
    unsafe {
        let name = ffi::PyUnicode_FromString(name.as_ptr());
        let module = ffi::PyImport_GetModule(name);
        ffi::Py_XDECREF(name);
        Bound::from_owned_ptr_or_opt(py, module)
    }
}

/// Calls a method of asyncio's Future or Task (C-accelerated or not) on an instance, whatever a subclass made of it.
pub(crate) fn own_method<'py>(object: &Bound<'py, PyAny>, name: &str) -> Option<Bound<'py, PyAny>> {
    let classes =
        [(c"_asyncio", "Task"), (c"_asyncio", "Future"), (c"asyncio.tasks", "_PyTask"), (c"asyncio.futures", "_PyFuture")];
    classes.into_iter().find_map(|(module, class)| {
        let class = loaded(object.py(), module)?.getattr(class).ok()?;
        let class = class.cast_into::<PyType>().ok()?;
        // Not isinstance, which asks the object for its `__class__`.
        // SAFETY: both are live type objects.
        let is_one = unsafe { ffi::PyType_IsSubtype(object.get_type_ptr(), class.as_type_ptr()) } != 0;
        let call = || class.getattr(name).ok()?.call1((object,)).ok();
        if is_one { fork_gate::without_forks(object.py(), call).flatten() } else { None }
    })
}

/// `module.qualname` of an object's type, without asking the object.
pub(crate) fn type_name(object: &Bound<'_, PyAny>) -> String {
    let class = object.get_type();
    class.fully_qualified_name().map_or_else(|_| "?".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The greenlet that has no parent, which is the main one of its thread.
fn main_greenlet<'py>(greenlet: Bound<'py, PyAny>, parent: &Bound<'py, PyAny>) -> PyResult<usize> {
    let mut greenlet = greenlet;
    loop {
        let next = parent.call_method1("__get__", (&greenlet,))?;
        if next.is_none() {
            return Ok(greenlet.as_ptr() as usize);
        }
        greenlet = next;
    }
}

/// Whether `object` is a greenlet that can be switched to from here, whatever thread it was made in: a greenlet that has not begun
/// belongs to the thread of its parent, which may be set.  greenlet's own rule: both lead to the same main greenlet.
pub(crate) fn is_greenlet_of_this_thread(object: &Bound<'_, PyAny>) -> bool {
    let same = || -> PyResult<bool> {
        let Some(module) = loaded(object.py(), c"greenlet") else { return Ok(false) };
        let class = module.getattr("greenlet")?;
        if !object.is_instance(&class)? {
            return Ok(false);
        }
        let parent = class.getattr("parent")?;
        Ok(main_greenlet(object.clone(), &parent)? == main_greenlet(module.call_method0("getcurrent")?, &parent)?)
    };
    same().unwrap_or(false)
}

/// The frames of the greenlets that wait for the current one to return, innermost first, each greenlet's apart: what called a function
/// that runs in a greenlet (SQLAlchemy's `greenlet_spawn`) is on their stacks.
pub(crate) fn stacks_of_outer_greenlets(py: Python<'_>) -> Vec<Vec<RawFrame>> {
    let mut stacks = Vec::new();
    let mut collect = || -> PyResult<()> {
        let Some(module) = loaded(py, c"greenlet") else { return Ok(()) };
        let class = module.getattr("greenlet")?;
        let (parent, top) = (class.getattr("parent")?, class.getattr("gr_frame")?);
        let mut greenlet = parent.call_method1("__get__", (module.call_method0("getcurrent")?,))?;
        while !greenlet.is_none() {
            let mut frame = top.call_method1("__get__", (&greenlet,))?;
            let mut stack = Vec::new();
            while !frame.is_none() && stack.len() < DEEPEST {
                // Not `f_lasti` and `f_code`, which are what the program sees.
                // SAFETY: attached; a frame object, whose code it keeps.
                let (offset, code) = unsafe {
                    let code = ffi::PyFrame_GetCode(frame.as_ptr().cast());
                    ffi::Py_DECREF(code.cast());
                    (ffi::PyFrame_GetLasti(frame.as_ptr().cast()).max(0) as u32 / 2, code as usize)
                };
                stack.push(RawFrame { code, offset });
                frame = frame.getattr("f_back")?;
            }
            stacks.push(stack);
            greenlet = parent.call_method1("__get__", (&greenlet,))?;
        }
        Ok(())
    };
    let _ = collect();
    stacks
}

/// Names of an object's class and of all its bases, without their modules.  No code of the program runs: asked is the type, not the object.
pub(crate) fn names_of_bases(object: &Bound<'_, PyAny>) -> Vec<String> {
    let classes = object.get_type().mro();
    classes.iter().filter_map(|class| class.cast::<PyType>().ok().map(type_own_name)).collect()
}

/// The name that a type was made with.
fn type_own_name(class: &Bound<'_, PyType>) -> String {
    // SAFETY: attached, a live type; its name lives as long as the type.
    let name = unsafe { std::ffi::CStr::from_ptr((*class.as_type_ptr()).tp_name) };
    let name = name.to_string_lossy();
    name.rsplit('.').next().unwrap_or(&name).to_owned()
}
