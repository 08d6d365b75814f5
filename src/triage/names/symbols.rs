//! Names of native functions: demangled, and without what compilers and debuggers append.

/// A symbol as a person reads it: C++ and Rust demangled, without parameters, hashes and versions.
pub fn readable(symbol: &str) -> String {
    /// A longer one is not demangled: nesting of that kind is an attack, not a function.
    const LONGEST: usize = 4096;
    let symbol = symbol.trim();
    let symbol = symbol.split_once("@@").or_else(|| symbol.split_once("@plt")).map_or(symbol, |(name, _)| name);
    if symbol.len() > LONGEST {
        return symbol.chars().take(LONGEST).collect();
    }
    let bare = symbol.strip_prefix("__Z").map_or(symbol, |_| symbol.get(1..).unwrap_or(symbol));
    // `.constprop.0` and the like are no part of what was mangled.
    let (mangled, _) =
        bare.split_once('.').filter(|(name, _)| name.starts_with("_Z") || name.starts_with("_R")).unwrap_or((bare, ""));
    if let Ok(name) = rustc_demangle::try_demangle(bare) {
        return without_parameters(&format!("{name:#}"));
    }
    if mangled.starts_with("_Z")
        && let Ok(parsed) = cpp_demangle::Symbol::new(mangled)
        && let Ok(name) = parsed.demangle()
    {
        return without_parameters(&name);
    }
    let symbol = without_hash(symbol);
    if symbol.contains("::") || symbol.contains('(') { without_parameters(symbol) } else { symbol.to_owned() }
}

/// A function of Rust without the hash of its build: `f` of `f::h81a9aa16593d72f2`.
fn without_hash(name: &str) -> &str {
    let is_hash = |hash: &&str| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    name.rsplit_once("::h").filter(|(_, hash)| is_hash(hash)).map_or(name, |(name, _)| name)
}

/// A C++ or Rust function without its parameters, template arguments and what follows: `PySide::connect`.
fn without_parameters(name: &str) -> String {
    let name = name.trim();
    let mut out = String::with_capacity(name.len());
    let mut depth = 0_usize;
    let mut before = '\0';
    let mut rest = name;
    while let Some(c) = rest.chars().next() {
        rest = rest.get(c.len_utf8()..).unwrap_or("");
        let last = std::mem::replace(&mut before, c);
        match c {
            // `operator<`, `operator()`, `operator->` are names.
            '<' | '(' | '>' if depth == 0 && out.ends_with("operator") => {
                out.push(c);
                if c == '(' && rest.starts_with(')') {
                    out.push(')');
                    rest = rest.get(1..).unwrap_or("");
                }
            }
            // `Box<dyn Fn() -> T>`: an arrow closes nothing.
            '>' if last == '-' && depth > 0 => {}
            '>' if last == '-' => out.push(c),
            '(' if depth == 0 && rest.starts_with("anonymous namespace)") => {
                out.push_str("(anonymous namespace)");
                rest = rest.get("anonymous namespace)".len()..).unwrap_or("");
            }
            // `<T as Trait>::f` of Rust: its first part is the name.
            '<' if depth == 0 && out.is_empty() => {
                let end = rest.find([' ', '>', '<']).unwrap_or(rest.len());
                out.push_str(rest.get(..end).unwrap_or(""));
                depth = 1;
                rest = rest.get(end..).unwrap_or("");
            }
            '(' if depth == 0 && out.is_empty() => depth += 1,
            '(' if depth == 0 => break,
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            c if depth == 0 => out.push(c),
            _ => {}
        }
    }
    // The return type of a template function.
    let out = out.trim();
    const ANONYMOUS: &str = "(anonymous namespace)";
    let spaced = out.replace(ANONYMOUS, "\u{1}");
    let out = if out.contains("operator") { spaced.as_str() } else { spaced.rsplit(' ').next().unwrap_or(&spaced) };
    let out = out.replace('\u{1}', ANONYMOUS);
    let out = out.trim_start_matches("::").replace("::::", "::");
    if out.is_empty() { name.to_owned() } else { out }
}

/// Name of a symbol without what a compiler or linker appends: `.llvm.123`, `.constprop.0`, `.part.1`, `.cold`, `.lto_priv.0`, `$fin$0`.
pub fn clean(symbol: &str) -> &str {
    let symbol = symbol.split_once(" [clone").map_or(symbol, |(name, _)| name);
    match symbol.split_once(['.', '$']) {
        Some((name, _)) if !name.is_empty() => name,
        _ => symbol,
    }
}

/// The module that a function which Cython wrote is of, as its name says it: `uvloop.loop` of
/// `__pyx_f_6uvloop_4loop_11TimerHandle__run`.
pub fn cython_module(symbol: &str) -> Option<String> {
    // Functions of these are compiled into each module that uses them.
    const INLINED: [&str; 5] = ["numpy", "cpython", "libc", "libcpp", "View"];
    let rest = symbol.trim_start_matches('_').strip_prefix("pyx_")?;
    let mut rest = rest.get(rest.find(|c: char| c.is_ascii_digit())?..)?;
    let mut parts: Vec<&str> = Vec::new();
    // Each name stands behind its length; that of a class begins with a capital letter, that of a function has a number of another meaning.
    while let Some(end) = rest.find(|c: char| !c.is_ascii_digit()).filter(|end| *end > 0) {
        let length: usize = rest.get(..end)?.parse().ok()?;
        let (Some(name), Some(after)) = (rest.get(end..end.checked_add(length)?), rest.get(end + length..)) else { break };
        let Some(after) = after.strip_prefix('_') else { break };
        if name.trim_start_matches('_').starts_with(|c: char| c.is_ascii_uppercase()) {
            break;
        }
        parts.push(name);
        rest = after;
    }
    parts.first().filter(|first| !INLINED.contains(first))?;
    Some(parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_demangled_and_shortened() {
        for (symbol, name) in [
            ("_ZN6PySide22qobjectConnectCallbackEP7QObjectPKcP7_objectN2Qt14ConnectionTypeE", "PySide::qobjectConnectCallback"),
            ("__ZN5arrow6Buffer4FreeEv", "arrow::Buffer::Free"),
            ("_ZN11ftsan_hooks5crash7handler17h0123456789abcdefE", "ftsan_hooks::crash::handler"),
            ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
            ("_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector::push_back"),
            ("void at::parallel_for<int>(long, long)", "at::parallel_for"),
            ("std::function<void (int)>::operator()(int) const", "std::function::operator()"),
            ("(anonymous namespace)::run(int)", "(anonymous namespace)::run"),
            ("<tokio::runtime::Handle as core::ops::Drop>::drop", "tokio::runtime::Handle::drop"),
            ("<polars_arrow::array::PrimitiveArray<u32>>::try_new", "polars_arrow::array::PrimitiveArray::try_new"),
            ("__pyx_f_7asyncpg_write", "__pyx_f_7asyncpg_write"),
            ("memcpy@@GLIBC_2.14", "memcpy"),
            ("_Z", "_Z"),
            ("", ""),
        ] {
            assert_eq!(readable(symbol), name, "{symbol}");
        }
    }

    #[test]
    fn symbols_lose_what_compilers_append() {
        assert_eq!(clean("method_vectorcall.llvm.2242813384965064185"), "method_vectorcall");
        assert_eq!(clean("gen_send_ex2.constprop.0"), "gen_send_ex2");
        assert_eq!(clean("slot_tp_init.lto_priv.0"), "slot_tp_init");
        assert_eq!(clean("f [clone .cold]"), "f");
        assert_eq!(clean(".hidden"), ".hidden");
    }

    #[test]
    fn the_hash_of_a_build_is_no_part_of_a_name() {
        assert_eq!(readable("fastlog::append::h81a9aa16593d72f2"), "fastlog::append");
        assert_eq!(readable("fastlog::hash::h81a9"), "fastlog::hash::h81a9");
        assert_eq!(
            readable("std::panicking::default_hook::{{closure}}::hb6b08cd6a6fb20b7"),
            "std::panicking::default_hook::{{closure}}"
        );
    }

    #[test]
    fn names_of_cython_tell_the_module() {
        for (symbol, module) in [
            ("__pyx_f_6uvloop_4loop_11TimerHandle__run", Some("uvloop.loop")),
            ("__pyx_pw_6uvloop_4loop_4Loop_25run_forever", Some("uvloop.loop")),
            ("___pyx_f_7fastlog_4core_append", Some("fastlog.core")),
            ("__pyx_pw_7fastlog_3flush", Some("fastlog")),
            ("__pyx_f_4lxml_5tests_9_testlock_6RWLock_unlock_write", Some("lxml.tests._testlock")),
            ("__pyx_f_5numpy_PyArray_MultiIterNew2", None),
            ("__pyx_pymod_exec_loop", None),
            ("__pyx_f_99999999999999999999_x", None),
            ("__pyx_f_3", None),
            ("PyObject_Call", None),
        ] {
            assert_eq!(cython_module(symbol).as_deref(), module, "{symbol}");
        }
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_and_not_demangled() {
        let long = format!("_ZN{}", "1a".repeat(2047));
        assert_eq!(readable(&format!("{long}E@@V1")).len(), 4096);
        assert_eq!(readable(&"f(".repeat(2048)), "f", "that long and no longer");
        assert_eq!(readable(&"f(".repeat(2049)).len(), 4096);
    }

    #[test]
    fn operators_and_what_stands_in_brackets_are_told_apart() {
        for (name, bare) in [
            ("A::operator<(B const&)", "A::operator<"),
            ("A::operator()(int)", "A::operator()"),
            ("A::operator->()", "A::operator->"),
            ("A::operator(", "A::operator("),
            ("a::b[abi:cxx11](int)", "a::b"),
            ("(anonymous namespace)::A<(anonymous namespace)::B>::f()", "(anonymous namespace)::A::f"),
            ("(x)::f(int)", "f"),
            ("<<A as B>::C as D>::f", "f"),
            ("a<(1)>::f", "a::f"),
            ("f<a->b>::g()", "f::g"),
            ("core::ptr::drop_in_place<alloc::boxed::Box<dyn Fn() -> u32>>::run", "core::ptr::drop_in_place::run"),
        ] {
            assert_eq!(without_parameters(name), bare, "{name}");
        }
    }

    #[test]
    fn what_is_no_hash_stays() {
        assert_eq!(without_hash("f::h81a9aa16593d72fg"), "f::h81a9aa16593d72fg");
        assert_eq!(without_hash("f::h81a9aa16593d72f22"), "f::h81a9aa16593d72f22");
        assert_eq!(readable("__ZN1a1bEv"), "a::b");
        assert_eq!(readable("_ZN1a1bEv.constprop.0"), "a::b");
        assert_eq!(readable("memcpy@plt"), "memcpy");
    }
}
