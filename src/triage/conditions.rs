//! Conditions of the table of known crashes: what may be asked of a crash, and what shows the answer.

use super::facts::{Facts, clean, is_noise, unqualified};
use super::paths;
use Condition::{
    Also, Any, Anywhere, Below, Interpreter, Loaded, Module, NoPythonFrame, NotLoopThread, OlderThan, Python, PythonBelow, Says,
    Signal, StackCutShort, Top, TopModule, WithoutGil,
};

/// Something that is known of a crash.  A pattern that ends with `*` matches what begins so.
pub enum Condition {
    /// It died by one of these signals.
    Signal(&'static [&'static str]),
    /// One of the innermost native functions; how many are looked at, the interpreter's loop not counted.
    Top(usize, &'static [&'static str]),
    /// The innermost frames, not more than that many into the interpreter, are in an extension module with this import name.
    TopModule(usize, &'static [&'static str]),
    /// So many of the innermost frames are the interpreter's own.
    Interpreter(usize),
    /// A native function anywhere in the stack.
    Anywhere(&'static [&'static str]),
    /// A native frame in an extension module with this import name, anywhere in the stack.
    Module(&'static [&'static str]),
    /// A Python function of the crashing thread: `end of the file:function`.
    Python(&'static [&'static str]),
    /// An extension module of that name is loaded, or the stacks show that the library is in use.
    Loaded(&'static [&'static str]),
    /// The program or the interpreter said this.
    Says(&'static [&'static str]),
    /// The Python stack is gone or is not one.
    NoPythonFrame,
    /// The Python stack ends before the native one does: a frame was unlinked from its caller's by somebody else.
    StackCutShort,
    /// The crashing thread does not run an event loop.
    NotLoopThread,
    /// The distribution is known to be older than this.
    OlderThan(&'static str, &'static str),
    /// The distribution is older than this, or its version is not known.
    Below(&'static str, &'static str),
    /// The GIL is disabled, or it is not known to be enabled in a free-threaded build.
    WithoutGil,
    /// The interpreter is older than this, or its version is not known.
    PythonBelow(&'static str),
    /// No condition: what else is told if one of these holds.
    Also(&'static [Condition]),
    /// One of these.
    Any(&'static [Condition]),
}

fn like(text: &str, patterns: &[&str]) -> bool {
    let like_one = |pattern: &str| match pattern.split_once('*') {
        None => text == pattern,
        Some((head, "")) => text.starts_with(head),
        Some((head, tail)) => text
            .strip_prefix(head)
            .is_some_and(|rest| tail.split('*').filter(|part| !part.is_empty()).all(|part| rest.contains(part))),
    };
    !text.is_empty() && patterns.iter().any(|pattern| like_one(pattern))
}

fn place(module: &str) -> String {
    if module.is_empty() { "an unknown file".to_owned() } else { paths::base(module).to_owned() }
}

impl Condition {
    /// What shows that it holds (empty if there is nothing to be said); `None` if it does not.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> Option<String> {
        match self {
            Signal(names) => (facts.crash.signal.is_empty() || names.contains(&facts.crash.signal.as_str())).then(String::new),
            Top(depth, names) => {
                let mut meaning =
                    facts.failing().enumerate().filter(|(at, frame)| *at == 0 || !is_noise(frame)).map(|(_, frame)| frame);
                let frame = meaning.by_ref().take(*depth).find(|frame| like(clean(&frame.symbol), names))?;
                Some(format!("at the top of the native stack is {} ({})", clean(&frame.symbol), place(&frame.module)))
            }
            TopModule(depth, modules) => {
                let frame =
                    facts.extension_on_top(*depth).filter(|frame| modules.iter().any(|name| paths::is_module(frame, name)))?;
                Some(format!("the innermost code outside of the interpreter is {}", place(&frame.module)))
            }
            Interpreter(depth) => facts.failing().take(*depth).all(|frame| paths::is_interpreter(&frame.module)).then(String::new),
            Anywhere(names) => {
                let frame = facts.native.iter().find(|frame| like(clean(&frame.symbol), names))?;
                Some(format!("{} is on the native stack", clean(&frame.symbol)))
            }
            Module(modules) => {
                let frame = facts.native.iter().find(|frame| modules.iter().any(|name| paths::is_module(frame, name)))?;
                Some(format!("{} is on the native stack", place(&frame.module)))
            }
            Python(places) => {
                let is = |place: &&str, file: &str, function: &str| {
                    let (path, name) = place.rsplit_once(':').unwrap_or(("", place));
                    let in_file =
                        path == "*" || path.strip_suffix('*').map_or_else(|| file.ends_with(path), |part| file.contains(part));
                    in_file && like(unqualified(function), &[name])
                };
                let frame = facts.python.iter().find(|frame| places.iter().any(|place| is(place, &frame.file, &frame.function)))?;
                if frame.file.is_empty() {
                    return Some(format!("the Python stack shows {}", frame.function));
                }
                Some(format!("{} is on the Python stack ({}:{})", frame.function, frame.file, frame.line))
            }
            Loaded(names) => names.iter().find_map(|name| loaded(facts, name)),
            Says(words) => {
                let mut lines = facts.crash.message.lines();
                lines
                    .find(|line| words.iter().any(|word| line.contains(word)))
                    .map(|line| format!("before it died, it said: {line}"))
            }
            NoPythonFrame => {
                let gone = facts.python.iter().find(|frame| frame.file.is_empty()).map(|frame| frame.function.as_str());
                gone.map(|gone| format!("the Python stack of the crashing thread shows {gone}"))
            }
            StackCutShort => {
                const OUTERMOST: [&str; 4] = ["<module>", "_bootstrap", "_run_code", "_run_module_as_main"];
                let outermost = facts.python.last().filter(|frame| !OUTERMOST.contains(&frame.function.as_str()))?;
                // Each run of the interpreter's loop has at least one Python frame.
                let runs = facts.native.iter().filter(|frame| clean(&frame.symbol) == "_PyEval_EvalFrameDefault").count();
                let ends = format!("the Python stack ends in {}, which nothing called", outermost.function);
                (runs > facts.python.len())
                    .then(|| format!("{ends}, while the interpreter's loop is on the native stack {runs} times"))
            }
            NotLoopThread => {
                // With nothing of the Python stack, nobody can tell.
                let known = facts.python.iter().any(|frame| !frame.file.is_empty())
                    || facts.crash.threads.iter().any(|thread| !thread.runs_loop.is_empty());
                (known && !facts.runs_loop()).then(|| "the crashing thread runs no event loop".to_owned())
            }
            OlderThan(distribution, limit) => {
                let known = facts.loaded(distribution).find(|known| !known.version.is_empty())?;
                let older = paths::is_below(&known.version, limit);
                older.then(|| format!("{distribution} is {}, before {limit}", known.version))
            }
            Below(distribution, limit) => {
                let version = facts.loaded(distribution).map(|known| known.version.as_str()).find(|version| !version.is_empty());
                match version {
                    None => Some(format!("the version of {distribution} is unknown (fixed in {limit})")),
                    Some(version) => {
                        paths::is_below(version, limit).then(|| format!("{distribution} is {version}, before {limit}"))
                    }
                }
            }
            WithoutGil => {
                let python = &facts.crash.python;
                let may_be = python.version.is_empty() || python.version.contains("free-threading");
                (python.gil == "disabled" || (python.gil.is_empty() && may_be)).then(String::new)
            }
            PythonBelow(limit) => {
                let version = facts.crash.python.version.trim_start_matches("Python ");
                let known = version.starts_with(|c: char| c.is_ascii_digit());
                (!known || paths::is_below(version, limit)).then(String::new)
            }
            Also(conditions) => Some(conditions.iter().find_map(|condition| condition.holds(facts)).unwrap_or_default()),
            Any(conditions) => conditions.iter().find_map(|condition| condition.holds(facts)),
        }
    }
}

fn loaded(facts: &Facts<'_>, name: &str) -> Option<String> {
    if let Some(known) = facts.loaded(name).next() {
        return Some(format!("{} is loaded", known.name));
    }
    if facts.native.iter().any(|frame| paths::is_module(frame, name)) {
        return Some(format!("{name} is on the native stack"));
    }
    // A stack that goes through a library shows that it is in use, where the list of modules was cut off.
    let uses = |file: &str| paths::distribution(file) == Some(name);
    let through = |function: &str| name == "greenlet" && unqualified(function) == "greenlet_spawn";
    let frame = facts.python.iter().find(|frame| uses(&frame.file) || through(&frame.function))?;
    Some(format!("{name} is in use: {} is on the Python stack", frame.function))
}
