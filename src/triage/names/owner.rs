//! Whose code a native frame is: by its file, else by its source file, else by its name.

use super::super::crash::NativeFrame;
use super::lists::{BUNDLED, LONE_MODULES, SYMBOL_OWNERS};
use super::{paths, symbols};

/// Whose code it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// CPython: its executable, its library, or a module that is built into them.
    Interpreter,
    /// An extension module of the standard library, by its name.
    Stdlib(String),
    /// An extension module, by its import name as far as its path tells, or a library that a distribution brings along, by its file; and the distribution
    /// if that is known.
    Extension(String, Option<String>),
    /// Another shared library of the system: libxml2, libpq, libcuda.
    Library(String),
    /// The C library, its threads, the loader, the runtime of C++.
    C,
    /// ftsan.
    Ours,
    /// Nothing tells.
    Unknown,
}

impl Owner {
    /// Neither the interpreter nor a part of CPython, nor what every process has.
    pub fn is_third_party(&self) -> bool {
        matches!(self, Owner::Extension(..) | Owner::Library(_))
    }
}

/// Nobody's that is known, and not the interpreter's or libc's either: the file is not named, and the source file is somebody
/// else's.  Names of functions mean nothing there, as many projects have a `tee_write` or an `element_clear`.
pub fn is_foreign(frame: &NativeFrame) -> bool {
    of(frame) == Owner::Unknown && is_foreign_source(&frame.source)
}

/// A source file in a folder that neither CPython nor libc has.
fn is_foreign_source(source: &str) -> bool {
    // A build in a folder of any name has its sources below these.
    const CPYTHON: [&str; 4] = ["/Objects/", "/Python/", "/Modules/", "/Include/"];
    let path = source.replace('\\', "/");
    // Files of libc have no folder, or are said to be so by the list.
    path.contains('/') && !path.contains("/usr/include/") && !CPYTHON.iter().any(|folder| path.contains(folder))
}

/// Whose code a frame is.
pub fn of(frame: &NativeFrame) -> Owner {
    let module = frame.module.as_str();
    if !frame.import.is_empty() {
        return Owner::Extension(frame.import.clone(), paths::distribution(module).map(str::to_owned));
    }
    if !module.is_empty() && module != "???" {
        // Of a form that has file names only, a name that Cython made says more.
        let alone = paths::base(module) == module && paths::is_extension(module);
        let fuller = |name: &String| alone && name.rsplit('.').next() == Some(paths::stem(module));
        return match symbols::cython_module(&frame.symbol).filter(fuller) {
            Some(_) => of_symbol(symbols::clean(&frame.symbol)),
            None => of_file(module),
        };
    }
    if !frame.source.is_empty()
        && let Some(owner) = of_source(&frame.source)
    {
        return owner;
    }
    let symbol = symbols::clean(&frame.symbol);
    let owner = of_symbol(symbol);
    // `gen_close_block` of a compiler is no generator's; the prefix of the C API is nobody else's.
    let is_of_api = symbol.trim_start_matches('_').starts_with("Py");
    if owner == Owner::Interpreter && !is_of_api && is_foreign_source(&frame.source) { Owner::Unknown } else { owner }
}

fn of_file(module: &str) -> Owner {
    if paths::is_ours(module) {
        return Owner::Ours;
    }
    if paths::is_system(module) {
        return Owner::C;
    }
    if paths::is_interpreter(module) {
        return Owner::Interpreter;
    }
    if paths::is_stdlib_extension(module) && paths::below_site_packages(module).is_none() {
        return Owner::Stdlib(paths::stem(module).to_owned());
    }
    let alone = || LONE_MODULES.find(paths::base(module)).filter(|_| paths::base(module) == module);
    let bundled = BUNDLED.find(paths::base(module)).or_else(|| paths::distribution(module)).or_else(alone);
    let distribution = bundled.map(str::to_owned);
    if paths::is_extension(module) {
        return Owner::Extension(paths::import_name(module), distribution);
    }
    // A library that a distribution brings along has no import name.
    if distribution.is_some() {
        return Owner::Extension(paths::base(module).to_owned(), distribution);
    }
    Owner::Library(paths::base(module).to_owned())
}

/// Debuggers show the path that the compiler was given.
fn of_source(source: &str) -> Option<Owner> {
    const CPYTHON: [&str; 6] = ["Objects/", "Python/", "Modules/", "Include/", "Parser/", "Programs/"];
    const C: [&str; 13] = [
        "sysdeps/",
        "nptl/",
        "stdlib/",
        "malloc/",
        "assert/",
        "csu/",
        "elf/",
        "string/",
        "signal/",
        "libio/",
        "sanitizer_common/",
        "compiler-rt/",
        "libsanitizer/",
    ];
    let path = source.trim_start_matches("./").trim_start_matches("../").replace('\\', "/");
    if path.contains("/libftsan") || path.contains("hooks/src/crash") {
        return Some(Owner::Ours);
    }
    if let Some((module, _)) = path.split_once(".so.p/") {
        let file = format!("{module}.so");
        let name =
            format!("{}{}", file.get(..file.len() - paths::base(&file).len()).unwrap_or("").replace('/', "."), paths::stem(&file));
        return Some(Owner::Extension(name, None));
    }
    if paths::below_site_packages(&path).is_some() {
        return Some(Owner::Extension(paths::import_name(&path), paths::distribution(&path).map(str::to_owned)));
    }
    if CPYTHON.iter().any(|folder| path.starts_with(folder)) {
        return Some(stdlib_source(&path).unwrap_or(Owner::Interpreter));
    }
    let folders = ["/cpython", "/Python-3", "/python3", "/pythonsrc", "/usr/src/python/"];
    if folders.iter().any(|folder| path.to_ascii_lowercase().contains(&folder.to_ascii_lowercase()))
        && CPYTHON.iter().any(|folder| path.contains(&format!("/{folder}")))
    {
        return Some(stdlib_source(&path).unwrap_or(Owner::Interpreter));
    }
    // A relative path into glibc; projects have folders of such names, too, so only at the beginning, or of names that they do not have.
    const GLIBC: [&str; 7] =
        ["nptl/", "sysdeps/", "csu/libc-", "malloc/malloc.c", "malloc/arena.c", "posix/libc_fatal.c", "debug/fortify_fail.c"];
    if GLIBC.iter().any(|file| path.starts_with(file)) || path.contains("/../sysdeps/unix/") {
        return Some(Owner::C);
    }
    if source.starts_with('.') && C.iter().any(|folder| path.starts_with(folder)) || path.contains("/glibc") {
        return Some(Owner::C);
    }
    ["/llvm", "/gcc-", "compiler-rt/lib", "libsanitizer/"].iter().any(|part| path.contains(part)).then_some(Owner::C)
}

/// `Modules/_json.c`, `Modules/_sqlite/cursor.c`: an extension module of the standard library, where it is one on the usual platforms.
fn stdlib_source(path: &str) -> Option<Owner> {
    let (_, rest) = path.rsplit_once("Modules/")?;
    let first = rest.split('/').next()?;
    let name = match first {
        "_sqlite" => "_sqlite3",
        "_ctypes" => "_ctypes",
        "_ssl" | "_ssl.c" => "_ssl",
        "arraymodule.c" => "array",
        "socketmodule.c" => "_socket",
        "_elementtree.c" => "_elementtree",
        "_json.c" => "_json",
        "_pickle.c" => "_pickle",
        "_struct.c" => "_struct",
        "_csv.c" => "_csv",
        "_asynciomodule.c" => "_asyncio",
        "_lsprof.c" | "rotatingtree.c" => "_lsprof",
        "pyexpat.c" | "expat" => "pyexpat",
        "_decimal" => "_decimal",
        "readline.c" => "readline",
        "_zoneinfo.c" => "_zoneinfo",
        "selectmodule.c" => "select",
        "mmapmodule.c" => "mmap",
        "zlibmodule.c" => "zlib",
        "_queuemodule.c" => "_queue",
        "_randommodule.c" => "_random",
        "_interpretersmodule.c" => "_interpreters",
        _ => return None,
    };
    Some(Owner::Stdlib(name.to_owned()))
}

fn of_symbol(symbol: &str) -> Owner {
    if let Some(module) = symbols::cython_module(symbol) {
        let (top, last) = (module.split('.').next().unwrap_or(&module), module.rsplit('.').next().unwrap_or(&module));
        let distribution = BUNDLED.find(&format!("{last}.so")).or((top != module).then_some(top)).map(str::to_owned);
        return Owner::Extension(module.clone(), distribution);
    }
    let Some(owner) = SYMBOL_OWNERS.find(symbol) else { return Owner::Unknown };
    match owner {
        "interpreter" => Owner::Interpreter,
        "?" => {
            let name = symbol.strip_prefix("PyInit_").unwrap_or("");
            if name.is_empty() { Owner::Unknown } else { Owner::Extension(name.to_owned(), None) }
        }
        library if library.starts_with("lib") => Owner::Library(library.to_owned()),
        distribution => Owner::Extension(distribution.to_owned(), Some(distribution.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(module: &str, source: &str, symbol: &str) -> Owner {
        of(&NativeFrame {
            module: module.to_owned(),
            source: source.to_owned(),
            symbol: symbol.to_owned(),
            ..NativeFrame::default()
        })
    }

    #[test]
    fn files_tell_whose_they_are() {
        let extension = |name: &str, distribution: Option<&str>| Owner::Extension(name.to_owned(), distribution.map(str::to_owned));
        let library = |name: &str| Owner::Library(name.to_owned());
        for (module, expected) in [
            ("/v/site-packages/_cffi_backend.cpython-314t-darwin.so", extension("_cffi_backend", Some("cffi"))),
            ("/usr/local/lib/libpython3.14t.so.1.0", Owner::Interpreter),
            ("python3.14t", Owner::Interpreter),
            ("Python", Owner::Interpreter),
            ("C:\\Python314\\python314t.dll", Owner::Interpreter),
            ("/v/site-packages/pyarrow/libarrow.so.2500", extension("libarrow.so.2500", Some("pyarrow"))),
            ("libarrow.2500.dylib", extension("libarrow.2500.dylib", Some("pyarrow"))),
            ("/v/site-packages/PySide6/libpyside6.abi3.so.6.10", extension("libpyside6.abi3.so.6.10", Some("PySide6"))),
            ("/v/site-packages/numpy.libs/libgfortran-1.so.5", extension("libgfortran-1.so.5", Some("numpy"))),
            ("C:\\v\\Lib\\site-packages\\lxml\\etree.cp314-win_amd64.pyd", extension("lxml.etree", Some("lxml"))),
            ("/usr/lib/libxml2.so.2", library("libxml2.so.2")),
            ("/usr/lib/libpq.so.5", library("libpq.so.5")),
            ("/usr/lib/libcuda.so.1", library("libcuda.so.1")),
            ("/usr/lib/system/libcopyfile.dylib", library("libcopyfile.dylib")),
            ("/usr/lib/system/libsystem_c.dylib", Owner::C),
            ("/lib/x86_64-linux-gnu/libc.so.6", Owner::C),
            ("/usr/lib/python3.14t/lib-dynload/_json.cpython-314t-x86_64-linux-gnu.so", Owner::Stdlib("_json".to_owned())),
            ("/v/site-packages/ftsan/libftsan_hooks.so", Owner::Ours),
            ("/home/u/proj/build/fast.cpython-314t-x86_64-linux-gnu.so", extension("fast", None)),
        ] {
            assert_eq!(owner(module, "", "f"), expected, "{module}");
        }
    }

    #[test]
    fn sources_and_names_tell_where_files_do_not() {
        assert_eq!(owner("", "Objects/mimalloc/page.c", "f"), Owner::Interpreter);
        assert_eq!(owner("", "/raid/u/cpython/./Modules/_threadmodule.c", "f"), Owner::Interpreter);
        assert_eq!(owner("", "./Modules/_json.c", "f"), Owner::Stdlib("_json".to_owned()));
        assert_eq!(owner("", "../sysdeps/posix/raise.c", "f"), Owner::C);
        let built = "skimage/graph/_mcp.cpython-313t-x86_64-linux-gnu.so.p/_mcp.c";
        assert_eq!(owner("", built, "f"), Owner::Extension("skimage.graph._mcp".to_owned(), None));
        assert_eq!(owner("", "", "PyArray_Repeat"), Owner::Extension("numpy".to_owned(), Some("numpy".to_owned())));
        assert_eq!(owner("", "", "_PyEval_Vector"), Owner::Interpreter);
        assert_eq!(owner("", "", "strange"), Owner::Unknown);
    }

    #[test]
    fn a_source_of_somebody_else_is_foreign_if_nothing_else_tells() {
        let foreign = |module: &str, source: &str, symbol: &str| {
            let (module, source, symbol) = (module.to_owned(), source.to_owned(), symbol.to_owned());
            is_foreign(&NativeFrame { module, source, symbol, ..NativeFrame::default() })
        };
        for source in ["libavformat/tee.c", "../jit/src/gen.c", "src\\layout\\element.c", "/home/u/proj/src/tee.c"] {
            assert!(foreign("", source, "tee_write_packet"), "{source}");
        }
        for source in
            ["", "tee.c", "./Modules/itertoolsmodule.c", "/opt/build/Modules/itertoolsmodule.c", "/usr/include/c++/14/vector"]
        {
            assert!(!foreign("", source, "tee_next"), "{source}");
        }
        assert!(!foreign("/usr/lib/libpython3.14t.so", "libavformat/tee.c", "tee_next"), "the file tells");
        assert!(!foreign("", "numpy/repeat.c", "PyArray_Repeat"), "the name tells");
        assert!(foreign("", "../jit/src/gen.c", "gen_close_block") && !foreign("", "../jit/src/gen.c", "_PyGen_Finalize"));
    }

    #[test]
    fn a_name_that_cython_made_says_more_than_a_file_without_folders() {
        let extension = |name: &str, distribution: Option<&str>| Owner::Extension(name.to_owned(), distribution.map(str::to_owned));
        let quoting = "__pyx_f_4yarl_8_quoting_do_quote";
        assert_eq!(owner("_quoting.cpython-314t-darwin.so", "", quoting), extension("yarl._quoting", Some("yarl")));
        assert_eq!(owner("_other.cpython-314t-darwin.so", "", quoting), extension("_other", None), "inlined into another one");
        let folder = "/v/site-packages/other/_quoting.cpython-314t-darwin.so";
        assert_eq!(owner(folder, "", quoting), extension("other._quoting", Some("other")), "a path says it all");
        assert_eq!(owner("", "", quoting), extension("yarl._quoting", Some("yarl")));
        assert_eq!(owner("", "", "__pyx_f_5alone_f"), extension("alone", None), "a module may be in no package");
    }

    #[test]
    fn a_module_of_a_telling_name_is_of_its_distribution_where_no_folder_is_shown() {
        let extension = |name: &str, distribution: Option<&str>| Owner::Extension(name.to_owned(), distribution.map(str::to_owned));
        assert_eq!(owner("etree.cpython-314-darwin.so", "", ""), extension("etree", Some("lxml")));
        assert_eq!(owner("/home/u/etree.cpython-314-darwin.so", "", ""), extension("etree", None));
    }

    #[test]
    fn a_source_is_of_cpython_or_of_libc_only_below_their_own_folders() {
        for (source, expected) in [
            ("/home/u/cpython/Objects/dictobject.c", Owner::Interpreter),
            ("/build/Python-3.14.0/Python/ceval.c", Owner::Interpreter),
            ("/usr/src/python/Objects/dictobject.c", Owner::Interpreter),
            ("/home/u/python-projects/src/Objects/sprite.c", Owner::Unknown),
            ("/home/u/cpython/tools/x.c", Owner::Unknown),
            ("/home/u/game/Objects/dictobject.c", Owner::Unknown),
            ("./stdlib/abort.c", Owner::C),
            ("stdlib/abort.c", Owner::Unknown),
            ("nptl/pthread_kill.c", Owner::C),
            ("misc/../sysdeps/unix/sysv/linux/x86_64/clone3.S", Owner::C),
            ("./app/x.c", Owner::Unknown),
            ("/build/glibc-2.39/nptl/x.c", Owner::C),
            ("/src/libsanitizer/asan.cpp", Owner::C),
            ("/home/u/src/libftsan/lib.rs", Owner::Ours),
            ("hooks/src/crash/mod.rs", Owner::Ours),
        ] {
            assert_eq!(owner("", source, "f"), expected, "{source}");
        }
    }

    #[test]
    fn names_of_functions_tell_of_libraries_and_distributions() {
        assert_eq!(owner("", "", "uv_run"), Owner::Library("libuv".to_owned()), "many bring it along");
        assert_eq!(owner("", "", "npy_sort"), Owner::Extension("numpy".to_owned(), Some("numpy".to_owned())));
        assert_eq!(owner("", "", "PyInit__core"), Owner::Extension("_core".to_owned(), None));
    }

    #[test]
    fn a_file_of_modules_is_the_module_that_it_is_built_into() {
        for (path, name) in [
            ("_sqlite/cursor.c", "_sqlite3"),
            ("_ctypes/callproc.c", "_ctypes"),
            ("_ssl.c", "_ssl"),
            ("_ssl/cert.c", "_ssl"),
            ("arraymodule.c", "array"),
            ("socketmodule.c", "_socket"),
            ("_elementtree.c", "_elementtree"),
            ("_json.c", "_json"),
            ("_pickle.c", "_pickle"),
            ("_struct.c", "_struct"),
            ("_csv.c", "_csv"),
            ("_asynciomodule.c", "_asyncio"),
            ("_lsprof.c", "_lsprof"),
            ("rotatingtree.c", "_lsprof"),
            ("pyexpat.c", "pyexpat"),
            ("expat/xmlparse.c", "pyexpat"),
            ("_decimal/libmpdec/io.c", "_decimal"),
            ("readline.c", "readline"),
            ("_zoneinfo.c", "_zoneinfo"),
            ("selectmodule.c", "select"),
            ("mmapmodule.c", "mmap"),
            ("zlibmodule.c", "zlib"),
            ("_queuemodule.c", "_queue"),
            ("_randommodule.c", "_random"),
            ("_interpretersmodule.c", "_interpreters"),
        ] {
            assert_eq!(stdlib_source(&format!("/src/cpython/Modules/{path}")), Some(Owner::Stdlib(name.to_owned())), "{path}");
        }
        let inside = ["Modules/gcmodule.c", "Modules/_io/bufferedio.c", "Objects/dictobject.c"];
        assert_eq!(inside.map(stdlib_source), [const { None }; 3], "the interpreter itself");
    }
}
