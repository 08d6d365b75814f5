//! Conditions of the table of known crashes: what may be asked of a crash, and what shows the answer.
//!
//! A pattern that ends with `*` matches what begins so.  Functions without a file count as the interpreter's, unless their source file
//! is somebody else's; a function of that name in another extension module is another function.

use super::super::crash::NativeFrame;
use super::super::forms::said::FINALIZING;
use super::super::names::owner::Owner;
use super::super::names::{owner, paths, symbols::clean};
use super::facts::{Facts, Gil, runs_loop, unqualified};
use Condition::{
    Also, Any, Anywhere, Below, CalledByOwn, Concurrent, FrameUnlinked, From, Function, Interpreter, Loaded, LoopThread,
    NoExtension, NoPythonFrame, NobodyElse, NotLoopThread, OlderThan, OnlyExtension, OwnTop, Python, PythonBelow, PythonFrom, Says,
    Signal, StackCutShort, Top, TopModule, WholeStack, WithoutGil,
};

/// Functions of the interpreter that go on with a generator, a coroutine or an asynchronous generator.
pub(super) const RESUMES: &[&str] = &[
    "gen_send_ex*",
    "gen_iternext",
    "gen_send",
    "gen_throw*",
    "_gen_throw",
    "async_gen_*",
    "PyGen_*",
    "PyIter_Send",
    "gen_close*",
];

/// Something that is known of a crash.
#[derive(Debug)]
pub enum Condition {
    /// It died by one of these signals.
    Signal(&'static [&'static str]),
    /// One of the innermost native functions is the interpreter's and has one of these names; how many are looked at, the interpreter's loop
    /// not counted.
    Top(usize, &'static [&'static str]),
    /// One of the innermost native functions is in one of these modules, of an extension or built into the interpreter, and has one of these
    /// names or no name.
    Function(usize, &'static [&'static str], &'static [&'static str]),
    /// The innermost code outside of the interpreter is an extension module with this import name; so many of the interpreter's frames, at
    /// most, are above it.
    TopModule(usize, &'static [&'static str]),
    /// So many of the innermost frames are the interpreter's own.
    Interpreter(usize),
    /// A native function anywhere in the stack, in one of these modules or built into the interpreter; `*` is anybody's.
    Anywhere(&'static [&'static str], &'static [&'static str]),
    /// So many of the innermost frames are CPython's, its extension modules' or libc's, or nobody's that is known.
    OwnTop(usize),
    /// None of so many of the innermost frames is of an extension module or a library of anybody but these distributions.
    NobodyElse(usize, &'static [&'static str]),
    /// The function that calls the innermost ones of these names is CPython's, or nobody's that is known.
    CalledByOwn(&'static [&'static str]),
    /// A native frame in an extension module with this import name, anywhere in the stack.
    Module(&'static [&'static str]),
    /// A Python function of the crashing thread: `end of the file:function`.
    Python(&'static [&'static str]),
    /// An extension module of that name is loaded, or the stacks show that the library is in use.
    Loaded(&'static [&'static str]),
    /// Every extension module that is known to be loaded or is on the native stack is of one of these distributions, or CPython's.
    OnlyExtension(&'static [&'static str]),
    /// No extension module but CPython's is known to be loaded or is on the native stack.
    NoExtension,
    /// The program or the interpreter said this.
    Says(&'static [&'static str]),
    /// The Python stack is gone or is not one, and the interpreter is not ending, when it has none.
    NoPythonFrame,
    /// The Python stack is not one, or it is gone while the interpreter's loop runs: somebody else unlinked or freed a frame.
    FrameUnlinked,
    /// The Python stack ends before the native one does: a frame was unlinked from its caller's by somebody else.
    StackCutShort,
    /// Nobody left frames of the crashing thread out.
    WholeStack,
    /// The crashing thread does not run an event loop and does not make one, and another thread may run the one that it uses.
    NotLoopThread,
    /// The crashing thread runs an event loop, or nothing of what it runs is known.
    LoopThread,
    /// The distribution is known to be older than this.
    OlderThan(&'static str, &'static str),
    /// The distribution is older than this, or its version is not known.
    Below(&'static str, &'static str),
    /// The distribution is of this version or newer, or its version is not known.
    From(&'static str, &'static str),
    /// The GIL is disabled, or it is not known to be enabled.
    WithoutGil,
    /// Threads may have run at the same time: without the GIL, as `WithoutGil`, and nothing shows that one thread did it alone.
    Concurrent,
    /// The interpreter is older than this, or its version is not known.
    PythonBelow(&'static str),
    /// The interpreter is of this version or newer, or its version is not known.
    PythonFrom(&'static str),
    /// No condition: what else is told if one of these holds.
    Also(&'static [Condition]),
    /// One of these.
    Any(&'static [Condition]),
}

pub(super) fn like(text: &str, patterns: &[&str]) -> bool {
    let like_one = |pattern: &str| match pattern.split_once('*') {
        None => text == pattern,
        Some((head, "")) => text.starts_with(head),
        Some((head, tail)) => text
            .strip_prefix(head)
            .is_some_and(|rest| tail.split('*').filter(|part| !part.is_empty()).all(|part| rest.contains(part))),
    };
    !text.is_empty() && patterns.iter().any(|pattern| like_one(pattern))
}

fn file_name(module: &str) -> String {
    if module.is_empty() { "an unknown file".to_owned() } else { paths::base(module).to_owned() }
}

/// A frame may be of a function of one of these modules; of none, of the interpreter itself.
fn may_be_in(frame: &NativeFrame, owner: &Owner, modules: &[&str]) -> bool {
    match owner {
        // Modules of the standard library are built into the interpreter on some platforms.
        Owner::Interpreter | Owner::Unknown | Owner::C => !frame.symbol.is_empty() && !owner::is_foreign(frame),
        Owner::Stdlib(name) => modules.contains(&name.as_str()),
        Owner::Extension(name, distribution) => modules
            .iter()
            .any(|module| paths::is_module(frame, module) || name == module || distribution.as_deref() == Some(*module)),
        Owner::Library(_) | Owner::Ours => false,
    }
}

/// CPython's or libc's, or nobody's that is known.
fn is_own(frame: &NativeFrame, owner: &Owner) -> bool {
    !owner.is_third_party() && !owner::is_foreign(frame)
}

impl Condition {
    /// It is of the shape of the stack and of what was said, not of versions, builds and owners.
    pub(super) fn is_shape(&self) -> bool {
        match self {
            Top(..) | Function(..) | TopModule(..) | Anywhere(..) | Python(_) | Says(_) | NoPythonFrame | FrameUnlinked
            | StackCutShort => true,
            Any(conditions) => conditions.iter().any(Condition::is_shape),
            Condition::Module(_)
            | Signal(_)
            | Interpreter(_)
            | OwnTop(_)
            | NobodyElse(..)
            | CalledByOwn(_)
            | Loaded(_)
            | OnlyExtension(_)
            | NoExtension
            | WholeStack
            | NotLoopThread
            | LoopThread
            | OlderThan(..)
            | Below(..)
            | From(..)
            | WithoutGil
            | Concurrent
            | PythonBelow(_)
            | PythonFrom(_)
            | Also(_) => false,
        }
    }

    /// It asks for words that the interpreter or a program said.
    pub(super) fn asks_for_words(&self) -> bool {
        if let Any(conditions) = self { conditions.iter().any(Condition::asks_for_words) } else { matches!(self, Says(_)) }
    }

    /// Names of functions that it asks for.
    pub(super) fn functions(&self) -> Vec<&'static str> {
        match self {
            Top(_, names) | Function(_, _, names) | Anywhere(_, names) => names.to_vec(),
            Any(conditions) | Also(conditions) => conditions.iter().flat_map(Condition::functions).collect(),
            Signal(_)
            | TopModule(..)
            | Interpreter(_)
            | OwnTop(_)
            | NobodyElse(..)
            | CalledByOwn(_)
            | Condition::Module(_)
            | Python(_)
            | Loaded(_)
            | OnlyExtension(_)
            | NoExtension
            | Says(_)
            | NoPythonFrame
            | FrameUnlinked
            | StackCutShort
            | WholeStack
            | NotLoopThread
            | LoopThread
            | OlderThan(..)
            | Below(..)
            | From(..)
            | WithoutGil
            | Concurrent
            | PythonBelow(_)
            | PythonFrom(_) => Vec::new(),
        }
    }

    /// It asks for a version that is not known, or not exactly enough.
    pub(super) fn guesses_version(&self, facts: &Facts<'_>) -> bool {
        match self {
            Below(name, _) | From(name, _) => facts.version_of(name).is_none(),
            PythonBelow(limit) | PythonFrom(limit) => {
                let known = facts.python_version().split([' ', '+']).next().unwrap_or_default();
                // "3.14" may be any of 3.14.0 to 3.14.9.
                known.is_empty() || (limit.starts_with(known) && limit.get(known.len()..).is_some_and(|rest| rest.starts_with('.')))
            }
            Signal(_)
            | Top(..)
            | Function(..)
            | TopModule(..)
            | Interpreter(_)
            | Anywhere(..)
            | OwnTop(_)
            | NobodyElse(..)
            | CalledByOwn(_)
            | Condition::Module(_)
            | Python(_)
            | Loaded(_)
            | OnlyExtension(_)
            | NoExtension
            | Says(_)
            | NoPythonFrame
            | FrameUnlinked
            | StackCutShort
            | WholeStack
            | NotLoopThread
            | LoopThread
            | OlderThan(..)
            | WithoutGil
            | Concurrent
            | Also(_)
            | Any(_) => false,
        }
    }

    /// The evidence that it holds (empty if there is nothing to be said); `None` if it does not.
    pub(super) fn holds(&self, facts: &Facts<'_>) -> Option<String> {
        match self {
            Signal(names) => (facts.crash.signal.is_empty() || names.contains(&facts.crash.signal.as_str())).then(String::new),
            Top(depth, names) => function(facts, *depth, &[], names),
            Function(depth, modules, names) => function(facts, *depth, modules, names),
            TopModule(depth, modules) => {
                let (_, frame, owner) = facts.extension_on_top(*depth)?;
                if facts.plugin_on_top().is_some() {
                    return None;
                }
                let fits = if let Owner::Stdlib(name) = &owner {
                    modules.contains(&name.as_str())
                } else {
                    modules.iter().any(|name| paths::is_module(frame, name))
                };
                fits.then(|| format!("the innermost code outside of the interpreter is {}", file_name(&frame.module)))
            }
            Interpreter(depth) => {
                facts.failing().take(*depth).all(|frame| owner::of(frame) == Owner::Interpreter).then(String::new)
            }
            OwnTop(depth) => facts.meaning().take(*depth).all(|(frame, owner)| is_own(frame, &owner)).then(String::new),
            NobodyElse(depth, names) => {
                let theirs = |owner: &Owner| {
                    let Owner::Extension(name, distribution) = owner else { return false };
                    names.contains(&distribution.as_ref().unwrap_or(name).as_str())
                };
                let fits = |(frame, owner): (&NativeFrame, Owner)| is_own(frame, &owner) || theirs(&owner);
                facts.meaning().take(*depth).all(fits).then(String::new)
            }
            CalledByOwn(names) => {
                let mut outer = facts.meaning().skip_while(|(frame, _)| like(clean(&frame.symbol), names));
                outer.next().is_none_or(|(frame, owner)| is_own(frame, &owner)).then(String::new)
            }
            Anywhere(modules, names) => {
                let whose = |frame: &NativeFrame| modules.contains(&"*") || may_be_in(frame, &owner::of(frame), modules);
                let frame = facts.native.iter().find(|frame| like(clean(&frame.symbol), names) && whose(frame))?;
                Some(format!("{} is on the native stack", clean(&frame.symbol)))
            }
            Condition::Module(modules) => {
                let frame = facts.native.iter().find(|frame| modules.iter().any(|name| paths::is_module(frame, name)))?;
                Some(format!("{} is on the native stack", file_name(&frame.module)))
            }
            Python(places) => python(facts, places),
            Loaded(names) => names.iter().find_map(|name| loaded(facts, name)),
            OnlyExtension(names) => {
                let listed = facts.third_parties().iter().all(|known| names.contains(known));
                let on_stack = || foreign(facts).all(|name| names.iter().any(|known| name == *known));
                (listed && on_stack()).then(String::new)
            }
            NoExtension => (facts.third_parties().is_empty() && foreign(facts).next().is_none()).then(String::new),
            Says(words) => {
                let mut lines = facts.crash.message.lines();
                lines
                    .find(|line| words.iter().any(|word| line.contains(word)))
                    .map(|line| format!("before it died, it said: {line}"))
            }
            NoPythonFrame => {
                let gone = no_python_frame(facts).filter(|_| !is_finalizing(facts))?;
                Some(format!("the Python stack of the crashing thread shows {gone}"))
            }
            FrameUnlinked => frame_unlinked(facts),
            StackCutShort => stack_cut_short(facts),
            WholeStack => (!facts.is_cut() && !facts.top_is_cut()).then(String::new),
            NotLoopThread => not_loop_thread(facts),
            LoopThread => (facts.runs_loop() || !knows_python_stacks(facts)).then(String::new),
            OlderThan(distribution, limit) => {
                let version = facts.version_of(distribution)?;
                paths::is_below(version, limit).then(|| format!("{distribution} is {version}, before {limit}"))
            }
            Below(distribution, limit) => match facts.version_of(distribution) {
                None => Some(format!("the version of {distribution} is unknown (fixed in {limit})")),
                Some(version) => paths::is_below(version, limit).then(|| format!("{distribution} is {version}, before {limit}")),
            },
            From(distribution, first) => {
                facts.version_of(distribution).is_none_or(|version| !paths::is_below(version, first)).then(String::new)
            }
            WithoutGil => (facts.gil() != Gil::On).then(String::new),
            Concurrent => (facts.gil() != Gil::On && !facts.crash.one_thread).then(String::new),
            PythonBelow(limit) => {
                let version = facts.python_version();
                let told = || {
                    if self.guesses_version(facts) {
                        format!("which CPython it is, is not known exactly (fixed in {limit})")
                    } else {
                        String::new()
                    }
                };
                (version.is_empty() || paths::is_below(version, limit)).then(told)
            }
            PythonFrom(limit) => {
                let version = facts.python_version();
                (version.is_empty() || !paths::is_below(version, limit)).then(String::new)
            }
            Also(conditions) => Some(conditions.iter().find_map(|condition| condition.holds(facts)).unwrap_or_default()),
            Any(conditions) => conditions.iter().find_map(|condition| condition.holds(facts)),
        }
    }
}

fn function(facts: &Facts<'_>, depth: usize, modules: &[&str], names: &[&str]) -> Option<String> {
    if facts.top_is_cut() {
        return None;
    }
    let mut innermost = facts.meaning().take(depth);
    let (frame, _) = innermost.find(|(frame, owner)| {
        let symbol = clean(&frame.symbol);
        let named = names.is_empty() || like(symbol, names);
        let unnamed = symbol.is_empty() && !modules.is_empty();
        (named || unnamed) && may_be_in(frame, owner, modules)
    })?;
    let what = if frame.symbol.is_empty() { "a function without a name" } else { clean(&frame.symbol) };
    Some(format!("at the top of the native stack is {what} ({})", file_name(&frame.module)))
}

/// Distributions, or modules, of the extension modules on the native stack that are not CPython's.
fn foreign<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = String> + 'f {
    facts.native.iter().filter_map(|frame| match owner::of(frame) {
        Owner::Extension(name, distribution) => Some(distribution.unwrap_or(name)),
        Owner::Interpreter | Owner::Stdlib(_) | Owner::Library(_) | Owner::C | Owner::Ours | Owner::Unknown => None,
    })
}

fn python(facts: &Facts<'_>, places: &[&str]) -> Option<String> {
    let is = |place: &&str, file: &str, function: &str| {
        let (path, name) = place.rsplit_once(':').unwrap_or(("", place));
        let file = file.replace('\\', "/");
        let in_file = path == "*" || path.strip_suffix('*').map_or_else(|| file.ends_with(path), |part| file.contains(part));
        in_file && like(unqualified(function), &[name])
    };
    let frame = facts.python.iter().find(|frame| places.iter().any(|place| is(place, &frame.file, &frame.function)))?;
    if frame.file.is_empty() {
        return Some(format!("the Python stack shows {}", frame.function));
    }
    Some(format!("{} is on the Python stack ({}:{})", frame.function, frame.file, frame.line))
}

/// With nothing of the Python stacks, nobody can tell who runs a loop.
fn knows_python_stacks(facts: &Facts<'_>) -> bool {
    facts.python.iter().any(|frame| !frame.file.is_empty()) || facts.crash.threads.iter().any(|thread| !thread.runs_loop.is_empty())
}

fn not_loop_thread(facts: &Facts<'_>) -> Option<String> {
    // Any thread may make a loop, and close one that nobody runs.
    const MAKES: &[&str] = &["uv_loop_*", "uv__loop_*", "uv_walk*"];
    let makes = facts.native.iter().any(|frame| like(clean(&frame.symbol), MAKES))
        || facts.python.iter().take(3).any(|frame| unqualified(&frame.function) == "new_event_loop");
    if makes || facts.crash.one_thread || facts.runs_loop() || !knows_python_stacks(facts) {
        return None;
    }
    let elsewhere = facts.others().any(runs_loop);
    // The main thread runs the loop of most programs, so that a loop that it does not run is run by nobody.  With the GIL all threads
    // are shown, and one that runs a loop would be among them.
    let is_main = facts.python.last().is_some_and(|frame| frame.function == "<module>");
    (elsewhere || (!is_main && facts.gil() != Gil::On)).then(|| "the crashing thread runs no event loop".to_owned())
}

/// The interpreter's word for a Python frame that it cannot show.
fn no_python_frame<'f>(facts: &Facts<'f>) -> Option<&'f str> {
    facts.python.iter().find(|frame| frame.file.is_empty()).map(|frame| frame.function.as_str())
}

/// The interpreter is ending, or a thread state of it is: no Python code runs there any more, and none is missing.
fn is_finalizing(facts: &Facts<'_>) -> bool {
    const ENDS: &[&str] = &[
        "Py_Finalize*",
        "_Py_Finalize*",
        "finalize_*",
        "Py_EndInterpreter",
        "PyThreadState_Clear",
        "PyThreadState_Delete*",
        "tstate_delete*",
    ];
    facts.crash.message.lines().any(|line| line == FINALIZING)
        || facts.native.iter().any(|frame| like(clean(&frame.symbol), ENDS) && may_be_in(frame, &owner::of(frame), &[]))
}

fn frame_unlinked(facts: &Facts<'_>) -> Option<String> {
    let gone = no_python_frame(facts).filter(|_| !is_finalizing(facts))?;
    let shown = format!("the Python stack of the crashing thread shows {gone}");
    if ["<invalid frame>", "<freed frame>"].contains(&gone) {
        return Some(shown);
    }
    // A thread that native code started has no Python frame, nor has an interpreter that begins.
    let runs = facts.native.iter().any(|frame| {
        like(clean(&frame.symbol), &["_PyEval_EvalFrame*", "_TAIL_CALL_*"]) && may_be_in(frame, &owner::of(frame), &[])
    });
    runs.then(|| format!("{shown}, while the interpreter's loop is on the native stack"))
}

fn stack_cut_short(facts: &Facts<'_>) -> Option<String> {
    const OUTERMOST: [&str; 4] = ["<module>", "_bootstrap", "_run_code", "_run_module_as_main"];
    if facts.is_cut() {
        return None;
    }
    let outermost = facts.python.last().filter(|frame| !OUTERMOST.contains(&unqualified(&frame.function)))?;
    // Each run of the interpreter's loop has at least one Python frame.
    let is_loop = |frame: &&NativeFrame| clean(&frame.symbol) == "_PyEval_EvalFrameDefault";
    let runs = facts.native.iter().filter(|frame| is_loop(frame)).count();
    // A function was called by a frame that the text leaves out; only a generator's frame can lose its caller.
    let mut callers = facts.native.split(is_loop).skip(1).take(facts.python.len());
    let resumed = |between: &[&NativeFrame]| {
        let mut names = between.iter().map(|frame| clean(&frame.symbol));
        names.clone().all(str::is_empty) || names.any(|name| like(name, RESUMES))
    };
    if !callers.any(resumed) {
        return None;
    }
    let ends = format!("the Python stack ends in {}, which nothing called", outermost.function);
    (runs > facts.python.len()).then(|| format!("{ends}, while the interpreter's loop is on the native stack {runs} times"))
}

fn loaded(facts: &Facts<'_>, name: &str) -> Option<String> {
    if let Some(known) = facts.loaded(name).next() {
        return Some(format!("{} is loaded", known.name));
    }
    if facts.native.iter().any(|frame| paths::is_module(frame, name)) || foreign(facts).any(|known| known == name) {
        return Some(format!("{name} is on the native stack"));
    }
    // A stack that goes through a library shows that it is in use, where the list of modules was cut off.
    let uses = |file: &str| paths::distribution(file) == Some(name);
    let through = |function: &str| name == "greenlet" && unqualified(function) == "greenlet_spawn";
    let frame = facts.python.iter().find(|frame| uses(&frame.file) || through(&frame.function))?;
    Some(format!("{name} is in use: {} is on the Python stack", frame.function))
}

#[cfg(test)]
mod tests;
