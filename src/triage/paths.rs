//! What the path of a binary, library or source file tells: operating system, interpreter, extension module, distribution.

use super::crash::NativeFrame;

/// Last component of a path.
pub fn base(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// "Linux" or "macOS", if the path is of one.
pub fn platform(path: &str) -> Option<&'static str> {
    const TELLING: [(&str, &str); 11] = [
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
    (minor.len() == 2 && !minor.contains('.')).then(|| (format!("3.{minor}"), threaded))
}

/// Whether a file is the interpreter: its executable or its library.
pub fn is_interpreter(module: &str) -> bool {
    let name = base(module);
    !is_extension(module) && (name.starts_with("python") || name.starts_with("libpython") || name == "Python")
}

/// Whether a file is the C library, its threads or the loader.
pub fn is_system(module: &str) -> bool {
    const SYSTEM: [&str; 12] = [
        "libc.so",
        "libc-",
        "libpthread",
        "libm.so",
        "ld-linux",
        "ld-musl",
        "libsystem_",
        "libdyld",
        "dyld",
        "linux-vdso",
        "libc++",
        "libstdc++",
    ];
    let name = base(module);
    module.contains("/usr/lib/system/") || SYSTEM.iter().any(|part| name.starts_with(part))
}

/// Whether a file is an extension module.
pub fn is_extension(module: &str) -> bool {
    let name = base(module);
    (name.ends_with(".so") && (name.contains(".cpython-") || name.contains(".abi3") || module.contains("/lib-dynload/")))
        || (name.ends_with(".so") && module.contains("-packages/"))
}

/// Whether a file belongs to the standard library.
pub fn is_stdlib(path: &str) -> bool {
    !path.contains("-packages/") && (path.contains("/lib/python3") || path.contains("/lib-dynload/") || path.starts_with('<'))
}

/// Whether a source file is the program's own: in no installed package, not in the standard library.
pub fn is_programs_own(file: &str) -> bool {
    !file.is_empty() && !file.contains("-packages/") && !is_stdlib(file)
}

/// File name without suffixes: `_multidict` of `_multidict.cpython-314t-x86_64-linux-gnu.so`.
pub fn stem(module: &str) -> &str {
    let name = base(module);
    name.split('.').next().unwrap_or(name)
}

/// Import name that a file has below `site-packages`, or below its package's folder if the name of that is all that is known.
pub fn import_name(module: &str) -> String {
    let inside = below_site_packages(module).unwrap_or_else(|| {
        let mut parts = module.rsplitn(3, '/');
        let (file, folder) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let start = module.len() - file.len() - if folder.is_empty() { 0 } else { folder.len() + 1 };
        if folder == "lib-dynload" { file } else { module.get(start..).unwrap_or(file) }
    });
    let folder = inside.rfind('/').map_or("", |at| inside.get(..=at).unwrap_or(""));
    format!("{}{}", folder.replace('/', "."), stem(inside))
}

/// The part of a path below the innermost `site-packages` or `dist-packages`.
pub fn below_site_packages(path: &str) -> Option<&str> {
    const FOLDER: &str = "-packages/";
    path.rfind(FOLDER).and_then(|at| path.get(at + FOLDER.len()..))
}

/// The distribution that a file under `site-packages` is of, by the name of its top package.
pub fn distribution(path: &str) -> Option<&str> {
    let top = below_site_packages(path)?.split('/').next()?;
    let name = top.split('.').next().unwrap_or(top);
    (!name.is_empty()).then_some(name)
}

/// Whether the file of a frame is the extension module of that import name (`uvloop.loop`, `uvloop0221/uvloop/loop.cpython-...`).
pub fn is_module(frame: &NativeFrame, import: &str) -> bool {
    is_extension(&frame.module) && {
        let own = import_name(&frame.module);
        own == import || own.starts_with(&format!("{import}.")) || import.ends_with(&format!(".{own}"))
    }
}

/// Compares versions by their numbers; what follows a number ("rc2", "+local") is not looked at.
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
    }

    #[test]
    fn extensions_have_import_names() {
        assert_eq!(import_name("pkgs/uvloop0221/uvloop/loop.cpython-314t-x86_64-linux-gnu.so"), "uvloop.loop");
        assert_eq!(import_name("/v/lib/python3.14t/site-packages/a/b/c.cpython-314t-darwin.so"), "a.b.c");
        assert_eq!(import_name("/v/lib/python3.14/site-packages/_cffi_backend.cpython-314-darwin.so"), "_cffi_backend");
        assert_eq!(import_name("/usr/lib/python3.14t/lib-dynload/_sqlite3.cpython-314t-x86_64-linux-gnu.so"), "_sqlite3");
        assert_eq!(distribution("/v/site-packages/asyncpg/protocol/protocol.so"), Some("asyncpg"));
        assert_eq!(import_name(""), "");
    }

    #[test]
    fn versions_are_compared_by_number() {
        assert!(is_below("3.5.2", "3.5.3") && is_below("3.3", "3.5.3") && is_below("3.14.2 free-threading build", "3.15"));
        assert!(!is_below("3.5.3", "3.5.3") && !is_below("3.10.0", "3.5.3") && !is_below("3.15.0rc2", "3.15"));
    }
}
