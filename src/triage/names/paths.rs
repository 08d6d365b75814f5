//! Facts from the path of a binary, library or source file: operating system, interpreter, extension module, distribution.

use super::super::crash::NativeFrame;
use super::lists::{C_LIBRARIES, DISTRIBUTIONS, STDLIB_EXTENSIONS};

/// Last component of a path.
pub fn base(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// "Linux", "macOS", "Windows" or "Android", if the path is of one.
pub fn platform(path: &str) -> Option<&'static str> {
    const TELLING: [(&str, &str); 16] = [
        (".dylib", "macOS"),
        ("-darwin.so", "macOS"),
        ("-macos-", "macOS"),
        ("/usr/lib/system/", "macOS"),
        ("/Users/", "macOS"),
        (".framework/", "macOS"),
        ("-linux-gnu", "Linux"),
        ("-linux-musl", "Linux"),
        ("/libc.so.6", "Linux"),
        ("ld-musl-", "Linux"),
        ("ld-linux-", "Linux"),
        (":\\", "Windows"),
        (".pyd", "Windows"),
        (".dll", "Windows"),
        (".DLL", "Windows"),
        ("com.termux", "Android"),
    ];
    TELLING.iter().find(|(part, _)| path.contains(part)).map(|(_, system)| *system)
}

/// Version of the interpreter that a path belongs to, and whether it is the free-threaded build: `python3.14t`,
/// `cpython-3.14.2+freethreaded-macos`, `loop.cpython-314t-x86_64-linux-gnu.so`.
pub fn python(path: &str) -> Option<(String, bool)> {
    let mut best: Option<(String, bool)> = None;
    for (at, _) in path.match_indices("python") {
        let rest = path.get(at + "python".len()..).unwrap_or("");
        let Some(found) = version_after(rest) else { continue };
        best = Some(match best {
            None => found,
            Some((version, threaded)) => {
                let longer = if found.0.len() > version.len() { found.0 } else { version };
                (longer, threaded || found.1)
            }
        });
    }
    best
}

/// Whether a file belongs to a build with the GIL: a library of it, or an extension module whose tag says so.  A folder proves nothing: some
/// distributions share it.
pub fn is_of_a_gil_build(path: &str) -> bool {
    let name = base(path);
    let tag = |start: &str| {
        let rest = name.split_once(start).map_or("", |(_, rest)| rest);
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        digits >= 2 && rest.get(digits..).is_some_and(|rest| rest.starts_with('-'))
    };
    let library = name.strip_prefix("libpython3.").map_or("", |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    tag(".cpython-") || tag(".cp") || library.starts_with('.') || name.starts_with("libpython2.")
}

fn version_after(rest: &str) -> Option<(String, bool)> {
    let rest = rest.strip_prefix('-').unwrap_or(rest);
    let number: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let tail = rest.get(number.len()..).unwrap_or("");
    let threaded = tail.starts_with('t') || tail.starts_with("+freethreaded");
    let number = number.trim_end_matches('.');
    if let Some(minor) = number.strip_prefix("3.") {
        return minor.starts_with(|c: char| c.is_ascii_digit()).then(|| (number.to_owned(), threaded));
    }
    // The tag of an extension module: cpython-314t.
    let minor = number.strip_prefix('3')?;
    let of_a_library = minor.len() == 1 && tail.starts_with("dll");
    ((minor.len() == 2 || of_a_library) && !minor.contains('.')).then(|| (format!("3.{minor}"), threaded))
}

/// Whether a file is the interpreter: its executable or its library.
pub fn is_interpreter(module: &str) -> bool {
    let name = base(module);
    let executable = |name: &str| {
        // python, python3.14t, python.exe, python314t.dll, python39.dll
        let rest = name.strip_prefix("python").or_else(|| name.strip_prefix("Python")).unwrap_or("x");
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let flags = rest.trim_start_matches(['t', 'd', 'w', '_']);
        [rest, flags].iter().any(|rest| matches!(*rest, "" | "exe" | ".exe" | "dll" | ".dll" | "-intel64" | "-dbg"))
    };
    const LIBRARIES: [&str; 5] = ["libpython3", "libpython2", "libpython.", "libpypy", "org.python.python"];
    !is_extension(module) && (executable(name) || LIBRARIES.iter().any(|start| name.starts_with(start)) || name == "wpython")
}

/// Whether a file is a library of the C or C++ language, of threads or the loader.
pub fn is_system(module: &str) -> bool {
    C_LIBRARIES.has(base(module))
}

/// Whether a file is an extension module.
pub fn is_extension(module: &str) -> bool {
    let name = base(module);
    let tagged = name.contains(".cpython-") || name.contains(".abi3") || name.contains(".pypy");
    name.ends_with(".pyd")
        || (name.ends_with(".so") && (tagged || module.contains("/lib-dynload/")))
        || (name.ends_with(".so") && !name.starts_with("lib") && (module.contains("-packages/") || name == module))
}

/// Whether a file is an extension module of CPython itself.
pub fn is_stdlib_extension(module: &str) -> bool {
    let known = STDLIB_EXTENSIONS.has(stem(module));
    let folder = module.strip_suffix(base(module)).unwrap_or("");
    let may_be = folder.is_empty() || folder.ends_with("\\DLLs\\") || folder.contains("/build/lib.");
    known && may_be || folder.ends_with("/lib-dynload/")
}

/// Whether a file is ftsan's own.
pub fn is_ours(module: &str) -> bool {
    let name = base(module);
    name.starts_with("libftsan_hooks") || (name.starts_with("_native.") && module.contains("/ftsan/"))
}

/// Whether a file belongs to the standard library.
pub fn is_stdlib(path: &str) -> bool {
    below_site_packages(path).is_none()
        && (path.contains("/lib/python3")
            || path.contains("/lib64/python3")
            || path.contains("/lib-dynload/")
            || path.contains("\\Lib\\")
            || path.contains("/Lib/")
            || path.starts_with('<'))
}

/// Whether a source file is the program's own: in no installed package, not in the standard library.
pub fn is_programs_own(file: &str) -> bool {
    !file.is_empty() && below_site_packages(file).is_none() && !is_stdlib(file)
}

/// Whether a library could be an extension module whose file has no tag; only its symbols or the interpreter tell.
pub fn may_be_extension(module: &str) -> bool {
    let name = base(module);
    name.strip_suffix(".so").is_some_and(|stem| !stem.contains('.') && !stem.starts_with("lib"))
        && !is_extension(module)
        && !is_ours(module)
}

/// File name without suffixes: `_multidict` of `_multidict.cpython-314t-x86_64-linux-gnu.so`.
pub fn stem(module: &str) -> &str {
    let name = base(module);
    name.split('.').next().unwrap_or(name)
}

/// Import name that a file has below `site-packages`; elsewhere its own name is all that is certain, whatever folder it lies in.
pub fn import_name(module: &str) -> String {
    let inside = below_site_packages(module).unwrap_or_else(|| base(module));
    let folder = inside.rfind(['/', '\\']).map_or("", |at| inside.get(..=at).unwrap_or(""));
    format!("{}{}", folder.replace(['/', '\\'], "."), stem(inside))
}

/// The part of a path below the innermost `site-packages` or `dist-packages`.
pub fn below_site_packages(path: &str) -> Option<&str> {
    const FOLDERS: [&str; 2] = ["-packages/", "-packages\\"];
    FOLDERS.iter().find_map(|folder| path.rfind(folder).and_then(|at| path.get(at + folder.len()..)))
}

/// The distribution that a package is installed with, by the name that it is imported by.
pub fn installed_as(import: &str) -> &str {
    DISTRIBUTIONS.find(import).unwrap_or(import)
}

/// The distribution that a file under `site-packages` is of, by the name of its top package: `numpy` of `numpy.libs/libgfortran.so` too.
pub fn distribution(path: &str) -> Option<&str> {
    let top = below_site_packages(path)?.split(['/', '\\']).next()?;
    // `ConsensusCore-1.0.1-py2.7.egg`
    let name = if top.ends_with(".egg") { top.split('-').next().unwrap_or(top) } else { top.split('.').next().unwrap_or(top) };
    (!name.is_empty()).then(|| installed_as(name))
}

/// Whether the file of a frame is the extension module of that import name (`uvloop.loop`, `uvloop0221/uvloop/loop.cpython-...`), or in the
/// package of that name.  Of a form that has file names only, the name of the file decides.
pub fn is_module(frame: &NativeFrame, import: &str) -> bool {
    let path = frame.module.replace('\\', "/");
    if !frame.import.is_empty() {
        return frame.import == import || frame.import.starts_with(&format!("{import}."));
    }
    if !is_extension(&path) {
        return is_module_source(&frame.source, import);
    }
    let own = import_name(&path);
    if below_site_packages(&path).is_some() {
        return own == import || own.starts_with(&format!("{import}."));
    }
    let packages: Vec<&str> = import.split('.').collect();
    let Some((last, packages)) = packages.split_last() else { return false };
    let folders: Vec<&str> = path.split('/').collect();
    if stem(&path) != *last {
        return false;
    }
    match folders.split_last() {
        // All that this form has is the name of the file.
        None | Some((_, [])) => true,
        Some((_, folders)) => folders.ends_with(packages) && (!STDLIB_EXTENSIONS.has(import) || is_stdlib_extension(&path)),
    }
}

/// The folder that meson keeps the objects of an extension module in names it: `skimage/graph/_mcp.cpython-313t-....so.p/_mcp.c`.
fn is_module_source(source: &str, import: &str) -> bool {
    source.split_once(".so.p/").is_some_and(|(module, _)| {
        let own = format!("{}{}", module.get(..module.len() - base(module).len()).unwrap_or("").replace('/', "."), stem(module));
        own == import || own.ends_with(&format!(".{import}"))
    })
}

/// Compares versions by their numbers; the text that follows a number ("rc2", "+local") is not looked at.
pub fn is_below(version: &str, limit: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let text = text.trim().trim_start_matches(|c: char| !c.is_ascii_digit());
        let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        digits.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(version) < numbers(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_the_interpreter() {
        let told = |path: &str| python(path).map(|(version, threaded)| format!("{version}{}", if threaded { "t" } else { "" }));
        assert_eq!(told("/usr/local/lib/python3.14t/threading.py").as_deref(), Some("3.14t"));
        assert_eq!(told("/usr/bin/python3.13").as_deref(), Some("3.13"));
        assert_eq!(told("/x/cpython-3.14.2+freethreaded-macos/lib/libpython3.14t.dylib").as_deref(), Some("3.14.2t"));
        assert_eq!(told("uvloop/loop.cpython-314t-x86_64-linux-gnu.so").as_deref(), Some("3.14t"));
        assert_eq!(told("/home/python/app.py"), None);
        assert_eq!(told("/opt/python2.7/x"), None);
        assert_eq!(told("python39.dll").as_deref(), Some("3.9"));
        assert_eq!(told("python3.dll"), None, "the library of the stable ABI is of any version");
        assert_eq!(told("/opt/python39/app.py"), None, "a folder may be called so");
        assert_eq!(told("/x/python3.13/lib/python3.14/a.py").as_deref(), Some("3.13"), "the first one of two that are as exact");
        assert_eq!(told("/x/python3.14t/lib/python3.14.2/a.py").as_deref(), Some("3.14.2t"), "one says the build, one the version");
        assert_eq!(told("/x/python3.14.2/lib/python3.14t/a.py").as_deref(), Some("3.14.2t"), "in either order");
        for path in ["python39.dll", "python314t.dll", "python3.14td", "org.python.python", "libpython2.7.so.1.0", "libpypy3-c.so"]
        {
            assert!(is_interpreter(path), "{path}");
        }
        for path in ["python39x.dll", "pythonnet.dll", "python_snappy.so", "org.python.other"] {
            assert!(!is_interpreter(path), "{path}");
        }
    }

    #[test]
    fn paths_tell_the_platform() {
        for (path, system) in [
            ("/usr/lib/libobjc.A.dylib", Some("macOS")),
            ("a.cpython-314-darwin.so", Some("macOS")),
            ("/Users/u/a.py", Some("macOS")),
            ("/lib/x86_64-linux-gnu/libm.so.6", Some("Linux")),
            ("/lib/ld-musl-x86_64.so.1", Some("Linux")),
            ("C:\\app\\a.py", Some("Windows")),
            ("KERNEL32.DLL", Some("Windows")),
            ("/data/data/com.termux/files/a.py", Some("Android")),
            ("/app/a.py", None),
        ] {
            assert_eq!(platform(path), system, "{path}");
        }
    }

    #[test]
    fn an_extension_module_has_a_tag_or_lies_where_modules_do() {
        for path in [
            "/home/u/a.cpython-314-darwin.so",
            "/home/u/liba.abi3.so",
            "C:\\v\\a.pyd",
            "/usr/lib/python3.14/lib-dynload/liba.so",
            "/v/site-packages/a/b.so",
            "b.so",
        ] {
            assert!(is_extension(path), "{path}");
        }
        for path in ["/home/u/b.so", "/v/site-packages/a/libb.so", "libb.so", "/v/site-packages/a/b.py", "liba.abi3.so.6", "b"] {
            assert!(!is_extension(path), "{path}");
        }
    }

    #[test]
    fn a_module_of_cpython_lies_where_its_modules_do() {
        for path in [
            "_json.cpython-314-x86_64-linux-gnu.so",
            "C:\\Python314\\DLLs\\_json.pyd",
            "/src/cpython/build/lib.linux-x86_64-3.14/_json.cpython-314-x86_64-linux-gnu.so",
            "/usr/lib/python3.14/lib-dynload/strange.so",
        ] {
            assert!(is_stdlib_extension(path), "{path}");
        }
        for path in ["/home/u/_json.so", "strange.so", "C:\\Python314\\DLLs\\strange.pyd"] {
            assert!(!is_stdlib_extension(path), "{path}");
        }
    }

    #[test]
    fn files_that_are_ours_or_the_programs_own() {
        assert!(is_ours("/v/site-packages/ftsan/libftsan_hooks.so") && is_ours("/v/ftsan/_native.abi3.so"));
        assert!(!is_ours("/v/other/_native.abi3.so") && !is_ours("/v/ftsan/other.so"));
        assert!(is_programs_own("/app/a.py"));
        for file in ["", "/v/site-packages/a/b.py", "/usr/lib/python3.14/threading.py", "<frozen runpy>"] {
            assert!(!is_programs_own(file), "{file}");
        }
    }

    #[test]
    fn a_library_without_tag_and_lib_may_be_a_module() {
        assert!(may_be_extension("/app/fastlog/_core.so"));
        for path in [
            "/app/liba.so",
            "/app/a.1.so",
            "/app/a.so.1",
            "/app/a",
            "/v/site-packages/a/b.so",
            "/app/a.cpython-314-darwin.so",
            "/src/ftsan/_native.so",
        ] {
            assert!(!may_be_extension(path), "{path}");
        }
    }

    #[test]
    fn a_module_is_of_its_packages_and_of_no_other_that_begins_so() {
        let by_import = NativeFrame { import: "fastlog._core".to_owned(), ..NativeFrame::default() };
        let module = "/v/site-packages/fastlog/_core.cpython-314-darwin.so".to_owned();
        let by_path = NativeFrame { module, ..NativeFrame::default() };
        let source = "fastlog/_core.cpython-314-x86_64-linux-gnu.so.p/_core.c".to_owned();
        let by_source = NativeFrame { source, ..NativeFrame::default() };
        for frame in [&by_import, &by_path] {
            assert!(is_module(frame, "fastlog._core") && is_module(frame, "fastlog"), "{frame:?}");
        }
        assert!(is_module(&by_source, "fastlog._core") && is_module(&by_source, "_core"));
        for frame in [&by_import, &by_path, &by_source] {
            for other in ["fast", "fastlog._co", "fastlog._core.x", "other._core", "log._core"] {
                assert!(!is_module(frame, other), "{other}: {frame:?}");
            }
        }
        assert!(!is_module(&NativeFrame { source: "fastlog/_core.c".to_owned(), ..NativeFrame::default() }, "fastlog._core"));
    }

    #[test]
    fn libraries_and_tags_tell_a_build_with_the_gil() {
        for path in ["/lib64/libpython3.14.so.1.0", "x/a.cpython-313-x86_64-linux-gnu.so", "a.cp314-win_amd64.pyd"] {
            assert!(is_of_a_gil_build(path), "{path}");
        }
        for path in [
            "/lib64/libpython3.14t.so.1.0",
            "x/a.cpython-313t-darwin.so",
            "a.cp314t-win_amd64.pyd",
            "/usr/lib/python3.13/a.py",
            "a.abi3.so",
        ] {
            assert!(!is_of_a_gil_build(path), "{path}");
        }
    }

    #[test]
    fn extensions_have_import_names() {
        assert_eq!(import_name("pkgs/uvloop0221/uvloop/loop.cpython-314t-x86_64-linux-gnu.so"), "loop");
        let frame = |module: &str| NativeFrame { module: module.to_owned(), ..NativeFrame::default() };
        assert!(is_module(&frame("pkgs/uvloop0221/uvloop/loop.cpython-314t-x86_64-linux-gnu.so"), "uvloop.loop"));
        assert!(is_module(&frame("_multidict.cpython-314t-darwin.so"), "multidict._multidict"));
        assert!(!is_module(&frame("/v/site-packages/other/_multidict.cpython-314t-darwin.so"), "multidict._multidict"));
        assert!(!is_module(&frame("/src/other/loop.cpython-314t-darwin.so"), "uvloop.loop"));
        assert!(is_module(&frame("/usr/lib/python3.14t/lib-dynload/_json.cpython-314t-darwin.so"), "_json"));
        assert!(!is_module(&frame("/v/site-packages/_json.cpython-314t-darwin.so"), "json"));
        assert!(!is_module(&frame("/home/u/build/_json.cpython-314t-darwin.so"), "_json"));
        assert_eq!(import_name("/v/lib/python3.14t/site-packages/a/b/c.cpython-314t-darwin.so"), "a.b.c");
        assert_eq!(import_name("/v/lib/python3.14/site-packages/_cffi_backend.cpython-314-darwin.so"), "_cffi_backend");
        assert_eq!(import_name("/usr/lib/python3.14t/lib-dynload/_sqlite3.cpython-314t-x86_64-linux-gnu.so"), "_sqlite3");
        assert_eq!(distribution("/v/site-packages/asyncpg/protocol/protocol.so"), Some("asyncpg"));
        assert_eq!(distribution("/usr/lib/python2.7/site-packages/Con-1.0.1-py2.7.egg/_Con.so"), Some("Con"));
        assert_eq!(import_name(""), "");
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(is_below("3.5.2", "3.5.3") && is_below("3.3", "3.5.3") && is_below("3.14.2 free-threading build", "3.15"));
        assert!(!is_below("v3.15", "3.14") && is_below("v3.13", "3.14"), "letters before the numbers are none of them");
        assert!(!is_below("3.5.3", "3.5.3") && !is_below("3.10.0", "3.5.3") && !is_below("3.15.0rc2", "3.15"));
    }
}
