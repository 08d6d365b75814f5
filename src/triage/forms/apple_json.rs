//! Crash reports of macOS as files: `.ips`, two JSON documents one after the other, the first of which may be missing.

use super::super::crash::{Crash, NativeFrame, Thread};
use super::form::{Form, Found};
use super::frames::{self, Stacks, pattern};
use serde_json::Value;

// An object without objects in it, such as a frame or an image.
pattern!(OBJECT, r"\{[^{}]*\}");

/// The form.
pub(super) const FORM: Form = Form {
    name: "macOS .ips",
    looks_like: "JSON with \"faultingThread\", \"threads\" and \"usedImages\"",
    signs: &["\"threads\"", "\"imageOffset\""],
    read,
};

fn read(pasted: &[String]) -> Vec<Found> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(start) = pasted.iter().skip(at).position(|line| unquoted(line).starts_with('{')).map(|found| found + at) {
        at = start + 1;
        let rest: Vec<&str> = pasted.iter().skip(start).map(|line| unquoted(line)).collect();
        // Without this test every line of another text would be tried as JSON.
        if !rest.iter().any(|line| line.contains("\"threads\"") || line.contains("\"usedImages\"")) {
            break;
        }
        let text = rest.join("\n");
        let mut values = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
        while let Some(Ok(value)) = values.next() {
            at = start + text.get(..values.byte_offset()).unwrap_or("").lines().count().max(1);
            if value.get("threads").is_some_and(Value::is_array) {
                out.push(Found { at: start, crash: crash(&value) });
            }
        }
    }
    if out.is_empty() { piece(pasted).into_iter().collect() } else { out }
}

/// A piece of a report, which is no JSON: its frames, in their order.  Without the list of images the files are not known.
fn piece(pasted: &[String]) -> Option<Found> {
    const LONGEST: usize = 1 << 22;
    let at = pasted.iter().position(|line| line.contains("\"imageOffset\""))?;
    // A line that was wrapped may be broken anywhere.
    let mut text: String = pasted.iter().map(|line| unquoted(line)).collect();
    text.truncate((0..=LONGEST.min(text.len())).rev().find(|end| text.is_char_boundary(*end))?);
    let exception =
        OBJECT.find_iter(&text).find(|object| object.as_str().contains("\"exception\"") || object.as_str().contains("\"signal\""));
    let mut crash = Crash::default();
    if let Some(Ok(value)) = exception.map(|object| serde_json::from_str::<Value>(object.as_str())) {
        text_of(&value, &["signal"]).clone_into(&mut crash.signal);
        if crash.signal.is_empty() {
            super::apple_text::signal(text_of(&value, &["type"])).clone_into(&mut crash.signal);
        }
    }
    "macOS".clone_into(&mut crash.python.platform);
    let listed = text.find("\"usedImages\"").and_then(|at| text.get(at..)).unwrap_or("");
    let images: Vec<Value> = OBJECT
        .find_iter(listed)
        .filter(|object| object.as_str().contains("\"uuid\"") || object.as_str().contains("\"path\""))
        .filter_map(|object| serde_json::from_str(object.as_str()).ok())
        .collect();
    let mut stacks = Stacks::default();
    let (mut before, mut number) = (0, 0);
    for object in OBJECT.find_iter(&text).filter(|object| object.as_str().contains("\"imageOffset\"")) {
        let Ok(value) = serde_json::from_str::<Value>(object.as_str()) else { continue };
        let between = text.get(before..object.start()).unwrap_or("");
        before = object.end();
        if stacks.threads.is_empty() {
            // The text before the first bracket may be a thread's head, else the beginning of its frames is lost.
            number = u64::from(!between.contains("\"frames\""));
            stacks.begin(Thread { crashed: triggered(between), ..Thread::default() });
        } else if between.contains("\"frames\"") {
            number = 0;
            stacks.begin(Thread { crashed: triggered(between), ..Thread::default() });
        }
        stacks.push(number, frame(&value, &images));
        number += 1;
    }
    if stacks.threads.is_empty() {
        return None;
    }
    stacks.finish(&mut crash);
    Some(Found { at, crash })
}

/// The head of a thread says that it got the signal.
fn triggered(head: &str) -> bool {
    head.rsplit("\"frames\"").nth(1).unwrap_or(head).split_whitespace().collect::<String>().contains("\"triggered\":true")
}

fn unquoted(line: &str) -> &str {
    line.trim_start_matches(['>', ' '])
}

fn text_of<'v>(value: &'v Value, path: &[&str]) -> &'v str {
    let mut value = value;
    for key in path {
        match value.get(key) {
            Some(inner) => value = inner,
            None => return "",
        }
    }
    value.as_str().unwrap_or("")
}

fn crash(report: &Value) -> Crash {
    let exception = text_of(report, &["exception", "type"]);
    let signal = text_of(report, &["exception", "signal"]);
    let subtype = text_of(report, &["exception", "subtype"]);
    let mut crash = Crash { signal: signal.to_owned(), ..Crash::default() };
    if signal.is_empty() {
        super::apple_text::signal(exception).clone_into(&mut crash.signal);
    }
    crash.address = subtype.split_once(" at ").map(|(_, address)| frames::hex(address.split_whitespace().next().unwrap_or("")));
    text_of(report, &["procPath"]).clone_into(&mut crash.python.executable);
    "macOS".clone_into(&mut crash.python.platform);
    crash.message = said(report);
    let images = report.get("usedImages").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let faulting = report.get("faultingThread").and_then(Value::as_u64);
    let mut stacks = Stacks::default();
    let threads = report.get("threads").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (number, thread) in (0_u64..).zip(threads) {
        let name =
            [text_of(thread, &["name"]), text_of(thread, &["queue"])].into_iter().find(|name| !name.is_empty()).unwrap_or("");
        stacks.begin(Thread {
            name: name.to_owned(),
            native_id: thread.get("id").and_then(Value::as_u64).unwrap_or(0),
            crashed: thread.get("triggered").and_then(Value::as_bool).unwrap_or(false) || faulting == Some(number),
            ..Thread::default()
        });
        let list = thread.get("frames").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (number, one) in (0_u64..).zip(list) {
            stacks.push(number, frame(one, images));
        }
    }
    stacks.finish(&mut crash);
    crash
}

fn frame(frame: &Value, images: &[Value]) -> NativeFrame {
    let number = |key: &str| frame.get(key).and_then(Value::as_u64);
    let image = number("imageIndex").and_then(|index| images.get(usize::try_from(index).ok()?));
    let module = image.map_or("", |image| {
        let path = text_of(image, &["path"]);
        if path.is_empty() { text_of(image, &["name"]) } else { path }
    });
    let offset = number("symbolLocation").or_else(|| number("imageOffset")).unwrap_or(0);
    frames::native(module, text_of(frame, &["symbol"]), offset, text_of(frame, &["sourceFile"]))
}

/// What libraries and the kernel said of the end.
fn said(report: &Value) -> String {
    let mut lines = Vec::new();
    if let Some(asi) = report.get("asi").and_then(Value::as_object) {
        let texts = asi.values().filter_map(Value::as_array).flatten().filter_map(Value::as_str);
        lines.extend(texts.flat_map(str::lines).filter(|line| *line != "abort() called").map(str::to_owned));
    }
    let indicator = text_of(report, &["termination", "indicator"]);
    let reason = report.get("termination").and_then(|termination| termination.get("reasons")).and_then(Value::as_array);
    lines.extend(reason.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
    if indicator.contains("fork") {
        lines.push(indicator.to_owned());
    }
    lines.truncate(6);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_report_are_read() {
        let text = "6,\"imageIndex\":410},{\"imageOffset\":283160,\"symbol\":\"f\",\"symbolLocation\":112,\"imageIndex\":1},{\"imageOffset\":7,\"imageIndex\":0}]},{\"i\n\
                    d\":137211,\"triggered\":true,\"frames\":[{\"imageOffset\":28480,\"symbol\":\"kevent\",\"symbolLocation\":8,\"imageIndex\":0},{\"imageOff";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.threads.len(), crash.threads[0].native[0].symbol.as_str()), (2, "kevent"));
        assert!(crash.threads[0].crashed && !crash.threads[0].top_cut && crash.threads[1].top_cut);
        assert!(read(&["{\"imageOffset\"".to_owned()]).is_empty());
    }

    #[test]
    fn a_report_with_its_head_is_read() {
        let text = "{\"app_name\":\"Python\",\"bug_type\":\"309\"}\n{\"exception\":{\"type\":\"EXC_BAD_ACCESS\",\"signal\":\"SIGSEGV\",\
                    \"subtype\":\"KERN_INVALID_ADDRESS at 0x0000000000000008\"},\n\"faultingThread\":1,\"threads\":[{\"id\":1,\"frames\":[]},\
                    {\"id\":2,\"name\":\"w\",\"frames\":[{\"imageOffset\":7,\"symbol\":\"f\",\"symbolLocation\":3,\"imageIndex\":0}]}],\
                    \"usedImages\":[{\"path\":\"/x/lib.so\",\"name\":\"lib.so\"}],\"asi\":{\"libsystem_c.dylib\":[\"abort() called\"]}}";
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let crash = read(&lines).remove(0).crash;
        assert_eq!((crash.signal.as_str(), crash.address, crash.message.as_str()), ("SIGSEGV", Some(8), ""));
        assert_eq!(crash.threads.len(), 1);
        assert_eq!((crash.threads[0].name.as_str(), crash.threads[0].native[0].module.as_str()), ("w", "/x/lib.so"));
    }

    fn one(text: &str) -> Crash {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        read(&lines).remove(0).crash
    }

    #[test]
    fn a_report_is_found_below_other_text() {
        let report = "{\"faultingThread\":0,\"threads\":[{\"frames\":[{\"imageOffset\":7,\"symbol\":\"f\"}]}]}";
        let lines: Vec<String> = ["see below", "{ not json", "text", report, "text", report].map(str::to_owned).into();
        assert_eq!(read(&lines).iter().map(|found| found.at).collect::<Vec<_>>(), [3, 5]);
    }

    #[test]
    fn the_thread_that_crashed_is_the_one_that_triggered_it() {
        let threads = |head: &str, second: &str| {
            let frames = |symbol: &str| format!("\"frames\":[{{\"imageOffset\":7,\"symbol\":\"{symbol}\"}}]");
            let text = format!("{{{head}\"threads\":[{{{}}},{{\"id\":2,{second}{}}}]}}", frames("abort"), frames("f"));
            one(&text).threads.into_iter().map(|thread| (thread.native_id, thread.crashed)).collect::<Vec<_>>()
        };
        assert_eq!(threads("", "\"triggered\":true,"), [(2, true), (0, false)]);
        assert_eq!(threads("\"faultingThread\":1,", ""), [(2, true), (0, false)]);
        assert_eq!(threads("", ""), [(0, true), (2, false)], "else the one that aborts");
    }

    #[test]
    fn what_was_said_is_kept() {
        let message = one("{\"threads\":[],\"asi\":{\"libsystem_c.dylib\":[\"abort() called\",\"one\\ntwo\"]},\
             \"termination\":{\"reasons\":[\"three\"],\"indicator\":\"crashed on child side of fork\"}}")
        .message;
        assert_eq!(message, "one\ntwo\nthree\ncrashed on child side of fork");
    }

    #[test]
    fn a_piece_tells_its_signal_files_and_threads() {
        let frame = "{\"imageOffset\":7,\"symbol\":\"f\",\"imageIndex\":0}";
        let piece = |exception: &str, image: &str| {
            one(&format!(
                "\"exception\":{exception},\"threads\":[{{\"id\":1,\"frames\":[{{\"imageOffset\":8,\"symbol\":\"abort\"}}]}},\
                 {{\"triggered\":true,\"frames\":[{frame}]}}],\"usedImages\":[{image}],"
            ))
        };
        let by_signal = piece("{\"type\":\"EXC_CRASH\",\"signal\":\"SIGBUS\"}", "{\"uuid\":\"1\",\"path\":\"/x/lib.so\"}");
        assert_eq!((by_signal.signal.as_str(), by_signal.threads.len()), ("SIGBUS", 2));
        let thread = &by_signal.threads[0];
        assert_eq!((thread.native[0].symbol.as_str(), thread.native[0].module.as_str()), ("f", "/x/lib.so"));
        let by_type = piece("{\"exception\":1,\"type\":\"EXC_BREAKPOINT\"}", "{\"path\":\"/x/lib.so\"}");
        assert_eq!((by_type.signal.as_str(), by_type.threads[0].native[0].module.as_str()), ("SIGTRAP", "/x/lib.so"));
        assert_eq!(piece("{\"a\":1}", "{\"uuid\":\"1\",\"name\":\"lib.so\"}").threads[0].native[0].module, "lib.so");
    }

    #[test]
    fn the_first_thread_of_a_piece_may_have_triggered_it() {
        let frame = |symbol: &str| format!("{{\"imageOffset\":7,\"symbol\":\"{symbol}\"}}");
        let crash = one(&format!(
            "\"threads\":[{{\"triggered\":true,\"frames\":[{}]}},{{\"id\":2,\"frames\":[{}]}},",
            frame("f"),
            frame("abort")
        ));
        assert_eq!((crash.threads[0].crashed, crash.threads[0].native[0].symbol.as_str()), (true, "f"));
    }
}
