//! Events of Sentry for a native crash: their stacks, which are fields of JSON, as the lines that gdb would have printed.

use serde_json::Value;
use std::fmt::Write as _;

/// Frames and packages of an event, at most.
const MOST: usize = 1000;

/// The text of an event; `None` if it is none, or not of a native crash.
pub(super) fn as_text(event: &Value) -> Option<String> {
    let exceptions = event.get("exception")?;
    let exceptions = exceptions.get("values").unwrap_or(exceptions).as_array()?;
    let (exception, signal) = exceptions.iter().find_map(|exception| Some((exception, signal_of(exception)?)))?;
    let mut out = format!("Program received signal {signal}, as Sentry has it.\n");
    let threads = event.get("threads").and_then(|threads| threads.get("values").unwrap_or(threads).as_array());
    let threads = threads.map_or(&[][..], Vec::as_slice);
    let died = |thread: &&Value| thread.get("crashed").and_then(Value::as_bool).unwrap_or(false);
    stack(exception, &mut out).or_else(|| stack(threads.iter().find(died)?, &mut out))?;
    for thread in threads.iter().filter(|thread| !died(thread)).take(MOST) {
        let id = thread.get("id").and_then(Value::as_u64).unwrap_or(0);
        let mut text = format!("\nThread 9 (LWP {id}):\n");
        if stack(thread, &mut text).is_some() {
            out.push_str(&text);
        }
    }
    let runtime = event.get("contexts").and_then(|contexts| contexts.get("runtime"));
    if let Some(version) = runtime.filter(|runtime| field(runtime, "name") == "CPython").map(|runtime| field(runtime, "version")) {
        _ = writeln!(out, "\nPython {version}");
    }
    let packages = event.get("modules").and_then(Value::as_object);
    for (name, version) in packages.into_iter().flatten().take(MOST) {
        _ = writeln!(out, "{name}=={}", version.as_str().unwrap_or_default());
    }
    Some(out)
}

fn field<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// By its name or by what the mechanism says of it.
fn signal_of(exception: &Value) -> Option<&str> {
    let of_mechanism = || exception.get("mechanism")?.get("meta")?.get("signal")?.get("name")?.as_str();
    let name = of_mechanism().unwrap_or_else(|| field(exception, "type"));
    match name {
        "EXCEPTION_ACCESS_VIOLATION"
        | "EXCEPTION_ACCESS_VIOLATION_READ"
        | "EXCEPTION_ACCESS_VIOLATION_WRITE"
        | "EXC_BAD_ACCESS" => Some("SIGSEGV"),
        name if name.starts_with("SIG") && name.bytes().all(|letter| letter.is_ascii_uppercase()) => Some(name),
        _ => None,
    }
}

/// Sentry has the outermost frame first.
fn stack(of: &Value, out: &mut String) -> Option<()> {
    let frames = of.get("stacktrace")?.get("frames")?.as_array()?;
    for (number, frame) in frames.iter().rev().take(MOST).enumerate() {
        let function = Some(field(frame, "function")).filter(|name| !name.is_empty()).unwrap_or("??");
        let address = Some(field(frame, "instruction_addr")).filter(|address| address.starts_with("0x")).unwrap_or("0x0");
        let package = field(frame, "package");
        let source = Some(field(frame, "abs_path")).filter(|path| !path.is_empty()).unwrap_or_else(|| field(frame, "filename"));
        let line = frame.get("lineno").and_then(Value::as_u64).unwrap_or(0);
        let place = match (package, source) {
            ("", "") => String::new(),
            ("", source) => format!(" at {source}:{line}"),
            (package, _) => format!(" from {package}"),
        };
        _ = writeln!(out, "#{number}  {address} in {function} (){place}");
    }
    (!frames.is_empty()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use serde_json::json;

    fn event() -> Value {
        let module = "/v/lib/python3.14t/site-packages/fastlog/_core.cpython-314t-x86_64-linux-gnu.so";
        json!({
            "level": "fatal",
            "contexts": {"runtime": {"name": "CPython", "version": "3.14.7"}},
            "modules": {"fastlog": "1.2"},
            "exception": {"values": [{
                "type": "SIGSEGV", "value": "Segfault",
                "mechanism": {"type": "signalhandler", "meta": {"signal": {"number": 11, "name": "SIGSEGV"}}},
                "stacktrace": {"frames": [
                    {"function": "_PyEval_EvalFrameDefault", "package": "/usr/lib/libpython3.14t.so.1.0", "instruction_addr": "0x7f01"},
                    {"function": "append_line", "package": module, "instruction_addr": "0x7f02"},
                ]},
            }]},
        })
    }

    #[test]
    fn the_innermost_frame_is_the_last_one() {
        let crash = read(&event().to_string()).unwrap().remove(0);
        let symbols: Vec<&str> = crash.threads[0].native.iter().map(|frame| frame.symbol.as_str()).collect();
        assert_eq!((crash.signal.as_str(), &symbols[..]), ("SIGSEGV", &["append_line", "_PyEval_EvalFrameDefault"][..]));
        assert!(crash.packages.contains(&("fastlog".to_owned(), "1.2".to_owned())), "{:?}", crash.packages);
        assert_eq!(crash.python.version, "3.14.7 free-threading build");
    }

    #[test]
    fn an_exception_of_python_is_no_crash() {
        let mut event = event();
        event["exception"]["values"][0] = json!({"type": "ValueError", "value": "no", "stacktrace": {"frames": []}});
        assert!(as_text(&event).is_none());
    }

    #[test]
    fn exceptions_of_windows_and_macos_are_signals() {
        for (kind, expected) in [
            ("EXCEPTION_ACCESS_VIOLATION_READ", Some("SIGSEGV")),
            ("EXC_BAD_ACCESS", Some("SIGSEGV")),
            ("SIGBUS", Some("SIGBUS")),
            ("SIGnal", None),
            ("BUSERROR", None),
        ] {
            assert_eq!(signal_of(&json!({"type": kind})), expected, "{kind}");
        }
    }

    #[test]
    fn the_crashed_thread_has_the_stack_where_the_exception_has_none() {
        let frames = |function: &str| json!({"frames": [{"function": function, "abs_path": "/x/y.c", "lineno": 5}]});
        let mut event = event();
        event["exception"]["values"][0]["stacktrace"] = json!(null);
        event["threads"] = json!({"values": [
            {"id": 1, "stacktrace": frames("other")}, {"id": 2, "crashed": true, "stacktrace": frames("f")}, {"id": 3},
        ]});
        let crash = read(&event.to_string()).unwrap().remove(0);
        let threads: Vec<(&str, &str, u64)> = (crash.threads.iter())
            .map(|thread| (thread.native[0].symbol.as_str(), thread.native[0].source.as_str(), thread.native_id))
            .collect();
        assert_eq!(threads, [("f", "/x/y.c", 0), ("other", "/x/y.c", 1)]);
        event["exception"]["values"][0]["stacktrace"] = frames("g");
        assert_eq!(read(&event.to_string()).unwrap().remove(0).threads.len(), 2, "the crashed one is not told twice");
    }

    #[test]
    fn what_a_frame_has_is_told() {
        let line = |frame: Value| {
            let mut out = String::new();
            stack(&json!({"stacktrace": {"frames": [frame]}}), &mut out).unwrap();
            out
        };
        assert_eq!(line(json!({"function": "f", "instruction_addr": "0x7f", "package": "/a.so"})), "#0  0x7f in f () from /a.so\n");
        assert_eq!(line(json!({"instruction_addr": "7f"})), "#0  0x0 in ?? ()\n");
        assert_eq!(
            line(json!({"function": "f", "abs_path": "/x/y.c", "filename": "y.c", "lineno": 5})),
            "#0  0x0 in f () at /x/y.c:5\n"
        );
        assert_eq!(line(json!({"function": "f", "filename": "y.c"})), "#0  0x0 in f () at y.c:0\n");
        assert!(stack(&json!({"stacktrace": {"frames": []}}), &mut String::new()).is_none());
    }
}
