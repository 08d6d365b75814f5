//! Conditions of the table of known crashes: what may be asked of a crash, and what shows the answer.
//!
//! A pattern that ends with `*` matches what begins so.  Functions without a file count as the interpreter's, unless their source file is
//! somebody else's; a function of that name in another extension module is another function.

use super::super::crash::NativeFrame;
use super::super::names::owner::Owner;
use super::super::names::{owner, paths, symbols::clean};
use super::facts::{Facts, Gil, unqualified};
use Condition::{
    Also, Any, Anywhere, Below, From, Function, Interpreter, Loaded, NoExtension, NoPythonFrame, NotLoopThread, OlderThan,
    OnlyExtension, OwnTop, Python, PythonBelow, PythonFrom, Says, Signal, StackCutShort, Top, TopModule, WholeStack, WithoutGil,
};

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
    /// The Python stack is gone or is not one.
    NoPythonFrame,
    /// The Python stack ends before the native one does: a frame was unlinked from its caller's by somebody else.
    StackCutShort,
    /// Nobody left frames of the crashing thread out.
    WholeStack,
    /// The crashing thread does not run an event loop.
    NotLoopThread,
    /// The distribution is known to be older than this.
    OlderThan(&'static str, &'static str),
    /// The distribution is older than this, or its version is not known.
    Below(&'static str, &'static str),
    /// The distribution is of this version or newer, or its version is not known.
    From(&'static str, &'static str),
    /// The GIL is disabled, or it is not known to be enabled.
    WithoutGil,
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

impl Condition {
    /// It is of the shape of the stack and of what was said, not of versions, builds and owners.
    pub(super) fn is_shape(&self) -> bool {
        match self {
            Top(..) | Function(..) | TopModule(..) | Anywhere(..) | Python(_) | Says(_) | NoPythonFrame | StackCutShort => true,
            Any(conditions) => conditions.iter().any(Condition::is_shape),
            Condition::Module(_)
            | Signal(_)
            | Interpreter(_)
            | OwnTop(_)
            | Loaded(_)
            | OnlyExtension(_)
            | NoExtension
            | WholeStack
            | NotLoopThread
            | OlderThan(..)
            | Below(..)
            | From(..)
            | WithoutGil
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
            | Condition::Module(_)
            | Python(_)
            | Loaded(_)
            | OnlyExtension(_)
            | NoExtension
            | Says(_)
            | NoPythonFrame
            | StackCutShort
            | WholeStack
            | NotLoopThread
            | OlderThan(..)
            | Below(..)
            | From(..)
            | WithoutGil
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
            | Condition::Module(_)
            | Python(_)
            | Loaded(_)
            | OnlyExtension(_)
            | NoExtension
            | Says(_)
            | NoPythonFrame
            | StackCutShort
            | WholeStack
            | NotLoopThread
            | OlderThan(..)
            | WithoutGil
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
            OwnTop(depth) => {
                let own = |(frame, owner): (&NativeFrame, Owner)| !owner.is_third_party() && !owner::is_foreign(frame);
                facts.meaning().take(*depth).all(own).then(String::new)
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
                let gone = facts.python.iter().find(|frame| frame.file.is_empty()).map(|frame| frame.function.as_str());
                gone.map(|gone| format!("the Python stack of the crashing thread shows {gone}"))
            }
            StackCutShort => stack_cut_short(facts),
            WholeStack => (!facts.is_cut() && !facts.top_is_cut()).then(String::new),
            NotLoopThread => {
                // With nothing of the Python stack, nobody can tell.
                let known = facts.python.iter().any(|frame| !frame.file.is_empty())
                    || facts.crash.threads.iter().any(|thread| !thread.runs_loop.is_empty());
                (known && !facts.runs_loop()).then(|| "the crashing thread runs no event loop".to_owned())
            }
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

fn stack_cut_short(facts: &Facts<'_>) -> Option<String> {
    const OUTERMOST: [&str; 4] = ["<module>", "_bootstrap", "_run_code", "_run_module_as_main"];
    if facts.is_cut() {
        return None;
    }
    let outermost = facts.python.last().filter(|frame| !OUTERMOST.contains(&unqualified(&frame.function)))?;
    // Each run of the interpreter's loop has at least one Python frame.
    let runs = facts.native.iter().filter(|frame| clean(&frame.symbol) == "_PyEval_EvalFrameDefault").count();
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
mod tests {
    use super::super::super::crash::{Crash, Extension, Thread};
    use super::*;
    use crate::report::Frame;

    const OWN: &str = "/v/lib/python3.14t/site-packages/fastlog/_core.cpython-314t-x86_64-linux-gnu.so";

    fn crash(frames: &[(&str, &str)], extensions: &[&str]) -> Crash {
        let thread = Thread {
            crashed: true,
            native: frames.iter().map(|(module, symbol)| NativeFrame::named(module, symbol)).collect(),
            ..Thread::default()
        };
        let extension = |name: &&str| Extension { name: (*name).to_owned(), ..Extension::default() };
        Crash { threads: vec![thread], extensions: extensions.iter().map(extension).collect(), ..Crash::default() }
    }

    fn holds(condition: &Condition, crash: &Crash) -> bool {
        condition.holds(&Facts::new(crash)).is_some()
    }

    #[test]
    fn a_star_is_any_text_and_nothing_is_like_nothing() {
        assert!(like("tp_clear", &["x", "tp_clear"]) && !like("tp_clear2", &["tp_clear"]));
        assert!(like("tp_clear2", &["tp_clear*"]) && !like("my_tp_clear", &["tp_clear*"]));
        assert!(like("g_switch_fast", &["g_*fast"]) && !like("g_switch_slow", &["g_*fast"]));
        assert!(!like("", &["*"]), "a function without a name");
    }

    #[test]
    fn a_function_without_a_file_may_be_the_interpreters_and_a_librarys_is_not() {
        let may = |symbol: &str, owner: Owner, modules: &[&str]| may_be_in(&NativeFrame::named("", symbol), &owner, modules);
        for owner in [Owner::Interpreter, Owner::Unknown, Owner::C] {
            assert!(may("f", owner.clone(), &[]) && !may("", owner, &[]), "it needs a name");
        }
        let stdlib = || Owner::Stdlib("_json".to_owned());
        assert!(may("f", stdlib(), &["_json"]) && !may("f", stdlib(), &["_csv"]));
        let extension = || Owner::Extension("_core".to_owned(), Some("fastlog".to_owned()));
        assert!(may("f", extension(), &["_core"]) && may("f", extension(), &["fastlog"]) && !may("f", extension(), &["other"]));
        assert!(!may("f", Owner::Library("libuv".to_owned()), &["libuv"]));
        let source = |source: &str| NativeFrame { source: source.to_owned(), ..NativeFrame::named("", "tee_write_packet") };
        assert!(!may_be_in(&source("libavformat/tee.c"), &Owner::Unknown, &[]), "a source of somebody else");
        assert!(may_be_in(&source("tee.c"), &Owner::Unknown, &[]), "a name without a folder tells nothing");
    }

    #[test]
    fn extensions_on_the_stack_count_as_those_that_are_listed_do() {
        let (alone, other, none) = (crash(&[(OWN, "f")], &[]), crash(&[(OWN, "f")], &["yarl._quoting"]), crash(&[], &[]));
        assert!(holds(&OnlyExtension(&["fastlog"]), &alone) && !holds(&OnlyExtension(&["yarl"]), &alone));
        assert!(!holds(&OnlyExtension(&["fastlog"]), &other));
        assert!(
            holds(&NoExtension, &none) && !holds(&NoExtension, &alone) && !holds(&NoExtension, &crash(&[], &["yarl._quoting"]))
        );
    }

    #[test]
    fn a_stack_is_whole_and_a_loop_is_known_only_if_the_dump_tells() {
        let of = |thread: Thread| Crash { threads: vec![Thread { crashed: true, ..thread }], ..Crash::default() };
        assert!(holds(&WholeStack, &of(Thread::default())));
        assert!(!holds(&WholeStack, &of(Thread { cut: true, ..Thread::default() })));
        assert!(!holds(&WholeStack, &of(Thread { top_cut: true, ..Thread::default() })));
        let frame = |file: &str| vec![Frame { file: file.to_owned(), function: "f".to_owned(), line: 1, ..Frame::default() }];
        assert!(holds(&NotLoopThread, &of(Thread { python: frame("/app.py"), ..Thread::default() })));
        assert!(!holds(&NotLoopThread, &of(Thread { python: frame(""), ..Thread::default() })), "nothing of the stack is known");
        let looping = Thread { python: frame("/app.py"), runs_loop: "a loop".to_owned(), ..Thread::default() };
        assert!(!holds(&NotLoopThread, &of(looping)));
    }

    #[test]
    fn a_version_that_is_known_roughly_is_guessed() {
        let version = |version: &str| {
            let mut crash = crash(&[], &[]);
            version.clone_into(&mut crash.python.version);
            crash
        };
        let guesses = |text: &str| PythonBelow("3.14.2").guesses_version(&Facts::new(&version(text)));
        assert!(guesses("") && guesses("3.14") && !guesses("3.14.1") && !guesses("3.15"));
        assert!(!Says(&["x"]).guesses_version(&Facts::new(&version(""))));
    }

    #[test]
    fn what_a_condition_asks_for_is_known_through_any_of_several() {
        let any = Any(&[Says(&["x"]), Top(3, &["f", "g"])]);
        assert!(any.is_shape() && any.asks_for_words() && any.functions() == ["f", "g"]);
        assert!(!Any(&[WithoutGil]).is_shape() && !Also(&[Says(&["x"])]).is_shape() && !Top(3, &["f"]).asks_for_words());
    }

    #[test]
    fn each_part_between_two_stars_is_in_the_text() {
        assert!(like("a_xx_b", &["a*x*b*"]) && !like("a_xx", &["a*x*b*"]) && !like("a_b", &["a*x*b*"]));
        assert!(like("ab", &["a**"]) && !like("b", &["a*b"]));
    }

    #[test]
    fn a_module_is_known_by_its_file_by_its_name_or_by_its_distribution() {
        let owner = Owner::Extension("x".to_owned(), Some("y".to_owned()));
        let may = |module: &str, asked: &str| may_be_in(&NativeFrame::named(module, "f"), &owner, &[asked]);
        assert!(may(OWN, "fastlog._core") && may("", "x") && may("", "y") && !may("", "fastlog._core"));
    }

    #[test]
    fn innermost_frames_are_of_whom_a_condition_asks_for() {
        let python = ("/usr/bin/python3.14t", "dict_get");
        let of = |frames: &[(&str, &str)]| crash(frames, &[]);
        assert!(holds(&Interpreter(1), &of(&[python, (OWN, "f")])) && !holds(&Interpreter(2), &of(&[python, (OWN, "f")])));
        assert!(holds(&OwnTop(1), &of(&[python, (OWN, "f")])) && !holds(&OwnTop(2), &of(&[python, (OWN, "f")])));
        assert!(holds(&Anywhere(&["*"], &["f"]), &of(&[(OWN, "f")])) && !holds(&Anywhere(&["*"], &["g"]), &of(&[(OWN, "f")])));
        assert!(holds(&Anywhere(&["fastlog"], &["f"]), &of(&[(OWN, "f")])));
        assert!(!holds(&Anywhere(&["yarl"], &["f"]), &of(&[(OWN, "f")])));
        assert!(holds(&Condition::Module(&["fastlog._core"]), &of(&[python, (OWN, "f")])));
        assert!(!holds(&Condition::Module(&["yarl"]), &of(&[python, (OWN, "f")])));
        let json = "/usr/lib/python3.14t/lib-dynload/_json.cpython-314t-darwin.so";
        assert!(holds(&TopModule(1, &["_json"]), &of(&[(json, "f")])) && !holds(&TopModule(1, &["_csv"]), &of(&[(json, "f")])));
        assert!(holds(&Top(1, &["dict_get"]), &of(&[python])) && !holds(&Top(1, &["f"]), &of(&[python])));
        assert!(holds(&Function(1, &["fastlog"], &["g"]), &of(&[(OWN, "")])), "a function without a name may be it");
        assert!(!holds(&Top(1, &["g"]), &of(&[(OWN, "")])));
    }

    #[test]
    fn a_signal_that_is_not_known_may_be_any() {
        let signal = |signal: &str| holds(&Signal(&["SIGSEGV"]), &Crash { signal: signal.to_owned(), ..Crash::default() });
        assert!(signal("") && signal("SIGSEGV") && !signal("SIGBUS"));
    }

    #[test]
    fn versions_that_are_not_known_fit_but_where_an_older_one_is_asked_for() {
        let of = |version: &str| {
            let mut crash = crash(&[], &["fastlog"]);
            version.clone_into(&mut crash.extensions[0].version);
            version.clone_into(&mut crash.python.version);
            crash
        };
        let (old, new, unknown) = (of("3.13.1"), of("3.15.0"), of(""));
        let told = |condition: Condition| [&old, &new, &unknown].map(|crash| holds(&condition, crash));
        assert_eq!(told(OlderThan("fastlog", "3.14")), [true, false, false]);
        assert_eq!(told(Below("fastlog", "3.14")), [true, false, true]);
        assert_eq!(told(From("fastlog", "3.14")), [false, true, true]);
        assert_eq!(told(PythonBelow("3.14")), [true, false, true]);
        assert_eq!(told(PythonFrom("3.14")), [false, true, true]);
    }

    #[test]
    fn a_python_stack_is_cut_short_if_the_loop_runs_more_often_than_it_has_frames() {
        let eval = ("/usr/bin/python3.14t", "_PyEval_EvalFrameDefault");
        let short = |runs: usize, functions: &[&str], cut: bool| {
            let mut crash = crash(&vec![eval; runs], &[]);
            let frame =
                |function: &&str| Frame { function: (*function).to_owned(), file: "/app.py".to_owned(), ..Frame::default() };
            crash.threads[0].python = functions.iter().map(frame).collect();
            crash.threads[0].cut = cut;
            holds(&StackCutShort, &crash)
        };
        assert!(short(2, &["f"], false) && !short(1, &["f"], false) && !short(0, &[], false));
        assert!(!short(2, &["f"], true) && !short(3, &["f", "<module>"], false) && !short(3, &["Thread._bootstrap"], false));
    }

    #[test]
    fn a_library_is_in_use_if_it_is_listed_or_on_a_stack() {
        let python = |file: &str, function: &str| {
            let mut crash = crash(&[], &[]);
            let (file, function) = (file.to_owned(), function.to_owned());
            crash.threads[0].python = vec![Frame { file, function, ..Frame::default() }];
            crash
        };
        assert!(
            holds(&Loaded(&["fastlog"]), &crash(&[], &["fastlog._core"]))
                && holds(&Loaded(&["fastlog"]), &crash(&[(OWN, "f")], &[]))
        );
        assert!(holds(&Loaded(&["fastlog"]), &python("/v/site-packages/fastlog/api.py", "f")));
        assert!(holds(&Loaded(&["greenlet"]), &python("/x.py", "greenlet_spawn")));
        assert!(
            !holds(&Loaded(&["fastlog"]), &python("/x.py", "greenlet_spawn"))
                && !holds(&Loaded(&["greenlet"]), &python("/x.py", "f"))
        );
        assert!(holds(&NoPythonFrame, &python("", "<freed frame>")) && !holds(&NoPythonFrame, &python("/x.py", "f")));
    }

    #[test]
    fn a_place_of_python_is_the_end_of_a_file_and_a_function() {
        let is = |place: &'static str, file: &str, function: &str| {
            let mut crash = crash(&[], &[]);
            crash.threads[0].python =
                vec![Frame { file: file.to_owned(), function: function.to_owned(), line: 1, ..Frame::default() }];
            python(&Facts::new(&crash), &[place]).is_some()
        };
        assert!(is("asyncio/events.py:_run", "C:\\Lib\\asyncio\\events.py", "Handle._run"));
        assert!(!is("asyncio/events.py:_run", "/asyncio/events.py", "run") && !is("asyncio/events.py:_run", "/events.py", "_run"));
        assert!(
            is("*:f", "/x.py", "f") && is("pool*:f", "/pool/x.py", "f") && !is("pool*:f", "/x.py", "f") && is("f", "/x.py", "f")
        );
    }

    #[test]
    fn a_library_is_loaded_if_it_is_on_the_stack_under_either_of_its_names() {
        let by = |name: &str| loaded(&Facts::new(&crash(&[(OWN, "f")], &[])), name);
        assert_eq!(by("fastlog._core").as_deref(), Some("fastlog._core is on the native stack"), "as a module");
        assert_eq!(by("slowlog"), None);
        let brought = crash(&[("/v/site-packages/pyarrow/libarrow.so.2500", "f")], &[]);
        assert_eq!(
            loaded(&Facts::new(&brought), "pyarrow").as_deref(),
            Some("pyarrow is on the native stack"),
            "as a distribution"
        );
    }
}
