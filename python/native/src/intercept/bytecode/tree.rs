//! A code object and those among its constants, patched: what the core computes, made into code objects.

use crate::engine::races::values;
use crate::intercept::bytecode::code_data::Fate;
use crate::intercept::bytecode::opcodes;
use crate::interpreter::code_fields::{Code, Parts};
use ftsan::patcher::{self, Arguments, Opcodes, Point, Questions, Rebound, UnitMap};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

/// The decisions that are made outside while a tree of code objects is patched.
pub(crate) trait Decide<'py> {
    /// The fate of a code object; one whose fate is final stays as it is, and so do those that are nested in it.
    fn fate(&mut self, code: &Code<'py>) -> PyResult<Fate<'py>>;

    /// The site of a point of this code object, which is not the patched one.
    fn site(&mut self, code: &Code<'py>, point: &Point<'_>) -> PyResult<Py<PyAny>>;

    /// What the function asks of others; `made` gives the qualified name of a function that it makes, by the number of its code among the constants.
    fn asks<'a>(
        &mut self,
        code: &Code<'py>,
        questions: &dyn Fn() -> Questions<'a>,
        made: &dyn Fn(u32) -> Option<String>,
    ) -> PyResult<()>;

    /// There is nothing to watch in this code object.
    fn has_nothing(&mut self, code: &Code<'py>) -> PyResult<()>;

    /// Takes what was made of a code object, and returns what stands for it from now on.  The map is of code units, the identity if only a
    /// constant was patched.
    fn made(&mut self, code: &Code<'py>, patched: Code<'py>, map: UnitMap) -> PyResult<Bound<'py, PyAny>>;
}

/// Patches a code object and all that are in it.  `None` if there is nothing to watch.
pub(crate) fn patch<'py>(code: &Code<'py>, decide: &mut impl Decide<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = code.object().py();
    let opcodes = opcodes::get(py)?;
    let tree = Tree::read(code, decide)?;
    let mut rebound = Rebound::new(opcodes::imports_are_lazy(py));
    tree.collect(opcodes, &mut rebound);
    tree.patch(opcodes, &rebound, decide)
}

/// A code object's parts, kept alive while the core borrows them.
struct Tree<'py> {
    code: Code<'py>,
    parts: Parts<'py>,
    name: Bound<'py, PyString>,
    names: Bound<'py, PyTuple>,
    variables: Bound<'py, PyTuple>,
    cells: Bound<'py, PyTuple>,
    free: Bound<'py, PyTuple>,
    /// Code objects among the constants.
    nested: Vec<(usize, Nested<'py>)>,
}

/// A code object among the constants of another.
enum Nested<'py> {
    ToPatch(Tree<'py>),
    Patched(Bound<'py, PyAny>),
}

impl<'py> Tree<'py> {
    fn read(code: &Code<'py>, decide: &mut impl Decide<'py>) -> PyResult<Self> {
        let parts = code.parts()?;
        let mut nested = Vec::new();
        for (index, constant) in parts.constants.iter().enumerate() {
            let Some(code) = Code::of(&constant) else { continue };
            match decide.fate(&code)? {
                Fate::Patched(patched) => nested.push((index, Nested::Patched(patched))),
                Fate::Final => {}
                Fate::Open => nested.push((index, Nested::ToPatch(Tree::read(&code, decide)?))),
            }
        }
        Ok(Tree {
            name: code.name(),
            names: code.names(),
            variables: code.variables()?,
            cells: code.cells()?,
            free: code.free()?,
            code: code.clone(),
            parts,
            nested,
        })
    }

    fn collect(&self, opcodes: &Opcodes, rebound: &mut Rebound) {
        let (names, locals) = (strings(&self.names).collect::<Vec<_>>(), self.locals());
        let bytes = self.parts.bytes.as_bytes();
        rebound.collect(opcodes, bytes, &names, &locals, self.free.len());
        rebound.collect_walks(opcodes, text(&self.name), bytes, &names, &locals);
        let to_patch = self.nested.iter().filter_map(|(index, nested)| match nested {
            Nested::ToPatch(tree) => Some((*index as u32, tree)),
            Nested::Patched(_) => None,
        });
        let functions: Vec<(u32, usize, Vec<&str>)> = to_patch
            .map(|(index, tree)| {
                let by_name = tree.code.keyword_only() as usize;
                (index, by_name, strings(&tree.variables).take(tree.code.arguments() as usize + by_name).collect())
            })
            .collect();
        let functions: Vec<(u32, Arguments<'_>)> =
            functions.iter().map(|(index, by_name, names)| (*index, Arguments { names, by_name: *by_name })).collect();
        rebound.collect_defaults(opcodes, bytes, &names, &locals, &functions);
        for (_, nested) in &self.nested {
            if let Nested::ToPatch(tree) = nested {
                tree.collect(opcodes, rebound);
            }
        }
    }

    /// Names of what `LOAD_FAST` and `LOAD_DEREF` count: an argument that is a cell is counted once.
    fn locals(&self) -> Vec<&str> {
        let mut locals: Vec<&str> = strings(&self.variables).collect();
        let variables = locals.len();
        for cell in strings(&self.cells) {
            if !locals[..variables].contains(&cell) {
                locals.push(cell);
            }
        }
        locals.extend(strings(&self.free));
        locals
    }

    /// The new code object, if it is one.
    fn patch(&self, opcodes: &Opcodes, rebound: &Rebound, decide: &mut impl Decide<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let (py, code, parts) = (self.code.object().py(), &self.code, &self.parts);
        let mut constants = parts.constants.iter().collect::<Vec<_>>();
        let mut is_changed = false;
        for (index, nested) in &self.nested {
            let patched = match nested {
                Nested::Patched(patched) => Some(patched.clone()),
                Nested::ToPatch(tree) => tree.patch(opcodes, rebound, decide)?,
            };
            if let Some(patched) = patched {
                constants[*index] = patched;
                is_changed = true;
            }
        }
        let (names, locals) = (strings(&self.names).collect::<Vec<_>>(), self.locals());
        let tuples: Vec<u32> = parts.constants.iter().map(|constant| length(&constant)).collect();
        let texts: Vec<u64> = parts.constants.iter().map(|constant| number(&constant)).collect();
        let (first_variable, first_cell) = (strings(&self.variables).next(), strings(&self.cells).next());
        let view = patcher::Code {
            bytes: parts.bytes.as_bytes(),
            exceptions: parts.exceptions.as_bytes(),
            lines: parts.lines.as_bytes(),
            tuples: &tuples,
            strings: &texts,
            names: &names,
            locals: &locals,
            // Cells that are arguments come first, in the order of the arguments.
            is_self_a_cell: first_cell.is_some() && first_cell == first_variable,
            arguments: code.arguments() as u32,
            name: text(&self.name),
            is_coroutine: code.flags() & COROUTINE != 0,
            stack_size: parts.stack_size as u32,
        };
        let made = |constant: u32| {
            let nested = Code::of(&parts.constants.get_item(constant as usize).ok()?)?;
            Some(text(&nested.qualname()).to_owned())
        };
        decide.asks(code, &|| patcher::questions(opcodes, &view), &made)?;
        let patched = patcher::patch(opcodes, &view, rebound);
        if patched.is_none() && !is_changed {
            return decide.has_nothing(code).map(|()| None);
        }
        let mut map = UnitMap::default();
        let mut new = code.parts()?;
        if let Some(patched) = patched {
            for point in &patched.points {
                constants.push(decide.site(code, point)?.into_bound(py));
            }
            new.bytes = PyBytes::new(py, &patched.code.bytes);
            new.exceptions = PyBytes::new(py, &patched.code.exceptions);
            new.lines = PyBytes::new(py, &patched.code.lines);
            new.stack_size = patched.stack_size as i32;
            map = patched.code.map;
        }
        new.constants = PyTuple::new(py, constants)?;
        decide.made(code, code.with(&new)?, map).map(Some)
    }
}

const COROUTINE: i32 = ffi::CO_COROUTINE | ffi::CO_ASYNC_GENERATOR;

/// Of a tuple; what is none has 0.
fn length(constant: &Bound<'_, PyAny>) -> u32 {
    constant.cast_exact::<PyTuple>().map_or(0, |tuple| tuple.len() as u32)
}

/// Of a string; what is none has 0.
fn number(constant: &Bound<'_, PyAny>) -> u64 {
    // SAFETY: alive.
    constant.cast_exact::<PyString>().map_or(0, |string| unsafe { values::key(string.as_ptr()) })
}

fn strings<'a>(tuple: &'a Bound<'_, PyTuple>) -> impl Iterator<Item = &'a str> {
    tuple.as_slice().iter().map(|item| item.cast::<PyString>().map_or("", |string| text(string)))
}

/// No name that a program writes has surrogates; one that has them is not known by it.
fn text<'a>(string: &'a Bound<'_, PyString>) -> &'a str {
    string.to_str().unwrap_or_default()
}
