//! The C libraries of the suite: one has the functions that are diverted, others call them by name.

use super::means::run;
use libc::{c_int, c_void};
use std::ffi::{CStr, CString, OsStr};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::{env, fs};

/// The kinds of callers: the linker's options and the loader's flag, and so the kinds of slots.
pub(super) const CALLERS: [(&str, &[&str], c_int); 3] = [
    ("callers_lazy", &["-Wl,-z,lazy"], libc::RTLD_LAZY),
    ("callers_now", &["-Wl,-z,relro,-z,now"], libc::RTLD_NOW),
    ("callers_no_plt", &["-fno-plt", "-Wl,-z,relro,-z,now"], libc::RTLD_NOW),
];
/// A copy of the first, for a case to load later.
pub(super) const LATER: &str = "callers_later";

const SHAPES: [&str; 4] = ["LOAD_LEAF", "LOAD_BRANCH", "LOAD_GLOBAL", "LOAD_FRAME"];

/// Builds all of them, with functions for that many rounds of the load test.
pub(super) fn build(directory: &Path, rounds: usize) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", directory.display());
    fs::create_dir_all(directory).map_err(told)?;
    let mut targets = include_str!("targets.c").to_owned();
    let mut callers = include_str!("callers.c").to_owned();
    for round in 0..rounds {
        let shape = SHAPES[round % SHAPES.len()];
        writeln!(targets, "{shape}({round})").map_err(|error| error.to_string())?;
        writeln!(callers, "LOAD({round})").map_err(|error| error.to_string())?;
    }
    let path = |name: &str| directory.join(name);
    fs::write(path("targets.c"), targets).map_err(told)?;
    fs::write(path("callers.c"), callers).map_err(told)?;
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compile = |library: &str, source: &str, more: &[&OsStr]| {
        let (output, source) = (path(&format!("lib{library}.so")), path(source));
        let fixed = ["-O1", "-fPIC", "-shared", "-pthread", "-fexceptions", "-o"].map(OsStr::new);
        let arguments: Vec<&OsStr> = [&fixed[..], &[output.as_os_str(), source.as_os_str()], more].concat();
        run(&compiler, &arguments)
    };
    compile("targets", "targets.c", &[])?;
    let targets = path("libtargets.so");
    for (name, options, _) in CALLERS {
        let more: Vec<&OsStr> = options.iter().map(OsStr::new).chain([targets.as_os_str()]).collect();
        compile(name, "callers.c", &more)?;
    }
    fs::copy(path("libcallers_lazy.so"), path(&format!("lib{LATER}.so"))).map_err(told)?;
    Ok(())
}

/// A loaded library; never unloaded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Library(*mut c_void);

impl Library {
    /// Loads one of those that were built.
    pub(super) fn load(directory: &Path, name: &str, how: c_int) -> Result<Library, String> {
        let path = directory.join(format!("lib{name}.so"));
        let path = CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
        // SAFETY: a path; these libraries have no initialisers.
        let handle = unsafe { libc::dlopen(path.as_ptr(), how) };
        if handle.is_null() { Err(format!("cannot load {path:?}")) } else { Ok(Library(handle)) }
    }

    /// What is in the process, in the order in which the loader looks.
    pub(super) fn everything() -> Library {
        Library(libc::RTLD_DEFAULT)
    }

    /// The address of one of its symbols.
    pub(super) fn address(self, name: &CStr) -> Result<*const c_void, String> {
        // SAFETY: a handle that is never closed, and a name.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if address.is_null() { Err(format!("no symbol {name:?}")) } else { Ok(address) }
    }

    /// One of its functions.
    ///
    /// # Safety
    /// `F` is a function pointer of its type.
    pub(super) unsafe fn function<F: Copy>(self, name: &CStr) -> Result<F, String> {
        const { assert!(size_of::<F>() == size_of::<*const c_void>()) };
        let address = self.address(name)?;
        // SAFETY: the caller's guarantee; the size is that of a pointer.
        Ok(unsafe { std::mem::transmute_copy(&address) })
    }
}
