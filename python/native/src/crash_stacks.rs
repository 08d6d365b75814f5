//! What the threads of a dying process are doing, in Python code.

pub(crate) unsafe extern "C" fn crashed(_note: unsafe extern "C" fn(bytes: *const u8, len: usize)) {}
