//! A code object, as it is handed in.

/// A code object.
#[derive(Debug, Clone, Copy)]
pub struct Code<'a> {
    /// `co_code`: without specialised or instrumented instructions.
    pub bytes: &'a [u8],
    /// `co_exceptiontable`
    pub exceptions: &'a [u8],
    /// `co_linetable`
    pub lines: &'a [u8],
    /// Of each constant the length, if it is a tuple, else 0.
    pub tuples: &'a [u32],
    /// Of each constant a number that equal strings share, if it is a string, else 0.
    pub strings: &'a [u64],
    /// `co_names`
    pub names: &'a [&'a str],
    /// Names of arguments, variables, cells and free variables, as `LOAD_FAST` and `LOAD_DEREF` count them.
    pub locals: &'a [&'a str],
    /// `co_cellvars` has the first argument.
    pub is_self_a_cell: bool,
    /// `co_argcount`
    pub arguments: u32,
    /// `co_name`
    pub name: &'a str,
    /// Runs as a coroutine or asynchronous generator.
    pub is_coroutine: bool,
    /// `co_stacksize`
    pub stack_size: u32,
}
