//! What methods of containers, and functions that take one, do to them.
//!
//! A name alone selects a probe.  At run time the type of the object selects the row: `pop` of a dict has a key, `pop` of a list has not.
//! A frozenset has no rows, nothing changes it; nor have `keys`, `values` and `items`, which read nothing before their view is used.

use super::states::{self, State};

/// Types whose methods are known; [`Container::NAMES`] has their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Container {
    List,
    Dict,
    Set,
    Deque,
    OrderedDict,
    DefaultDict,
    /// Some of its methods are Python code of the standard library, which is not watched.
    Counter,
    ByteArray,
    Array,
    /// `weakref.WeakValueDictionary` and `WeakKeyDictionary`: Python code of the standard library, which is not watched.
    WeakDict,
    /// `collections.UserDict` and `UserList`, which keep what they have in a dict or a list.
    Wrapper,
    /// No container, but advanced by methods as well.
    Generator,
    /// The same.
    AsyncGenerator,
    /// The same: a cursor of `sqlite3`, whose rows are those of the last statement, whichever thread has executed it.
    Cursor,
}

impl Container {
    /// Whether its iterators raise `RuntimeError` if its size has changed meanwhile.
    pub fn notices_changes(self) -> bool {
        !matches!(self, LIST | BYTES | Container::Array) && !self.is_generator()
    }

    /// Whether it is none.
    pub fn is_generator(self) -> bool {
        matches!(self, Container::Generator | Container::AsyncGenerator | Container::Cursor)
    }

    /// Module and name of each type.
    pub const NAMES: &[(Container, &str, &str)] = &[
        (LIST, "builtins", "list"),
        (DICT, "builtins", "dict"),
        (SET, "builtins", "set"),
        (BYTES, "builtins", "bytearray"),
        (DEQUE, "collections", "deque"),
        (ORDERED, "collections", "OrderedDict"),
        (DEFAULT, "collections", "defaultdict"),
        (COUNTER, "collections", "Counter"),
        (ARRAY, "array", "array"),
        (WEAK, "weakref", "WeakValueDictionary"),
        (GENERATOR, "types", "GeneratorType"),
        (CURSOR, "_sqlite3", "Cursor"),
    ];
}

/// What a call does to the container: rows and columns of the severity matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallEffect {
    /// One look, or a snapshot under the container's lock.
    Read,
    /// Element by element, and others may come between.
    Iterate,
    /// Adds what does not depend on what is there; two of them commute.
    Insert,
    /// Atomic; what is taken out belongs to the caller.
    Take,
    /// Reads and writes, atomically.
    Atomic,
    /// Reads and writes, and others may come between.
    Update,
    /// Overwrites.
    Write,
    /// One step of an iterator.
    Advance,
    /// Of the attribute that the second argument names.
    ReadAttribute,
    /// The same; the third argument is the value, if there is one.
    WriteAttribute,
    /// Of something that the process has once.
    ReadState,
    /// The same.
    WriteState,
}

/// What methods of one name do to some containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// To which types it does that.
    pub containers: &'static [Container],
    /// What it does.
    pub effect: CallEffect,
    /// It concerns only the element whose key is its first argument.
    pub is_keyed: bool,
    /// Two calls without arguments, in whatever order, leave what one leaves.
    pub is_repeatable: bool,
    /// Many other objects have a method of this name: it is seen at its entry only, and by no probe where it is called.
    pub is_at_entry: bool,
}

/// Which arguments are containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arguments {
    /// The first one.
    First,
    /// The first one, if there is no other.
    Only,
    /// All.
    Each,
    /// All but the first one.
    Rest,
    /// None: what is called stands for it.
    Callable,
}

/// What a function does to its arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    /// Where it is.
    pub module: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub effect: CallEffect,
    /// To which arguments.
    pub arguments: Arguments,
    /// Of exactly these types it only takes a snapshot ([`CallEffect::Read`]).
    pub snapshots: &'static [Container],
    /// What it reads or replaces ([`CallEffect::ReadState`]).
    pub state: Option<&'static State>,
}

const LIST: Container = Container::List;
const DICT: Container = Container::Dict;
const SET: Container = Container::Set;
const DEQUE: Container = Container::Deque;
const ORDERED: Container = Container::OrderedDict;
const DEFAULT: Container = Container::DefaultDict;
const COUNTER: Container = Container::Counter;
const BYTES: Container = Container::ByteArray;
const ARRAY: Container = Container::Array;
const WEAK: Container = Container::WeakDict;
const GENERATOR: Container = Container::Generator;
const ASYNC_GENERATOR: Container = Container::AsyncGenerator;
const CURSOR: Container = Container::Cursor;

const DICTS: &[Container] = &[DICT, ORDERED, DEFAULT, COUNTER, WEAK];
const SEQUENCES: &[Container] = &[LIST, DEQUE, BYTES, ARRAY];
const ITEMS: &[Container] = &[LIST, DICT, DEQUE, ORDERED, DEFAULT, COUNTER, BYTES, ARRAY];

const fn whole(name: &'static str, containers: &'static [Container], effect: CallEffect) -> Method {
    Method { name, containers, effect, is_keyed: false, is_repeatable: false, is_at_entry: false }
}

const fn repeatable(name: &'static str, containers: &'static [Container], effect: CallEffect) -> Method {
    Method { name, containers, effect, is_keyed: false, is_repeatable: true, is_at_entry: false }
}

const fn keyed(name: &'static str, containers: &'static [Container], effect: CallEffect) -> Method {
    Method { name, containers, effect, is_keyed: true, is_repeatable: false, is_at_entry: false }
}

const fn entered(name: &'static str, containers: &'static [Container], effect: CallEffect) -> Method {
    Method { is_at_entry: true, ..whole(name, containers, effect) }
}

/// Methods, by name.
pub static METHODS: &[Method] = &[
    whole("__anext__", &[ASYNC_GENERATOR], CallEffect::Advance),
    keyed("__contains__", &[DICT, SET, ORDERED, DEFAULT, COUNTER, WEAK], CallEffect::Read),
    keyed("__delitem__", ITEMS, CallEffect::Take),
    keyed("__getitem__", ITEMS, CallEffect::Read),
    keyed("__setitem__", ITEMS, CallEffect::Write),
    keyed("add", &[SET], CallEffect::Insert),
    whole("append", SEQUENCES, CallEffect::Insert),
    whole("appendleft", &[DEQUE], CallEffect::Insert),
    whole("asend", &[ASYNC_GENERATOR], CallEffect::Advance),
    whole("athrow", &[ASYNC_GENERATOR], CallEffect::Advance),
    whole("byteswap", &[ARRAY], CallEffect::Write),
    repeatable("clear", &[LIST, DICT, SET, DEQUE, ORDERED, DEFAULT, COUNTER, BYTES, ARRAY, WEAK], CallEffect::Write),
    whole("copy", &[LIST, DICT, SET, DEQUE, ORDERED, DEFAULT, COUNTER, BYTES], CallEffect::Read),
    whole("count", SEQUENCES, CallEffect::Read),
    whole("difference", &[SET], CallEffect::Read),
    whole("difference_update", &[SET], CallEffect::Write),
    keyed("discard", &[SET], CallEffect::Take),
    whole("elements", &[COUNTER], CallEffect::Iterate),
    entered("execute", &[CURSOR], CallEffect::Advance),
    entered("executemany", &[CURSOR], CallEffect::Advance),
    entered("executescript", &[CURSOR], CallEffect::Advance),
    whole("extend", SEQUENCES, CallEffect::Insert),
    whole("extendleft", &[DEQUE], CallEffect::Insert),
    entered("fetchall", &[CURSOR], CallEffect::Advance),
    entered("fetchmany", &[CURSOR], CallEffect::Advance),
    entered("fetchone", &[CURSOR], CallEffect::Advance),
    whole("frombytes", &[ARRAY], CallEffect::Insert),
    whole("fromfile", &[ARRAY], CallEffect::Insert),
    whole("fromlist", &[ARRAY], CallEffect::Insert),
    keyed("get", DICTS, CallEffect::Read),
    whole("index", SEQUENCES, CallEffect::Read),
    whole("insert", SEQUENCES, CallEffect::Insert),
    whole("intersection", &[SET], CallEffect::Read),
    whole("intersection_update", &[SET], CallEffect::Write),
    whole("isdisjoint", &[SET], CallEffect::Read),
    whole("issubset", &[SET], CallEffect::Read),
    whole("issuperset", &[SET], CallEffect::Read),
    whole("most_common", &[COUNTER], CallEffect::Iterate),
    whole("move_to_end", &[ORDERED], CallEffect::Atomic),
    whole("pop", &[LIST, SET, DEQUE, BYTES, ARRAY], CallEffect::Take),
    keyed("pop", DICTS, CallEffect::Take),
    whole("popitem", DICTS, CallEffect::Take),
    whole("popleft", &[DEQUE], CallEffect::Take),
    whole("remove", SEQUENCES, CallEffect::Take),
    keyed("remove", &[SET], CallEffect::Take),
    whole("resize", &[BYTES], CallEffect::Write),
    whole("reverse", SEQUENCES, CallEffect::Write),
    whole("rotate", &[DEQUE], CallEffect::Write),
    whole("send", &[GENERATOR], CallEffect::Advance),
    keyed("setdefault", &[DICT, ORDERED, DEFAULT, COUNTER], CallEffect::Atomic),
    // In Python, it looks and puts: two threads get two objects for one key.
    keyed("setdefault", &[WEAK], CallEffect::Update),
    repeatable("sort", &[LIST], CallEffect::Write),
    whole("subtract", &[COUNTER], CallEffect::Update),
    whole("symmetric_difference", &[SET], CallEffect::Read),
    whole("symmetric_difference_update", &[SET], CallEffect::Write),
    whole("throw", &[GENERATOR], CallEffect::Advance),
    whole("tobytes", &[ARRAY], CallEffect::Read),
    whole("tolist", &[ARRAY], CallEffect::Read),
    whole("total", &[COUNTER], CallEffect::Iterate),
    whole("union", &[SET], CallEffect::Read),
    whole("update", &[DICT, ORDERED, DEFAULT, WEAK], CallEffect::Insert),
    whole("update", &[SET], CallEffect::Insert),
    whole("update", &[COUNTER], CallEffect::Update),
];

/// Methods that add their argument to a sequence, which may have been looked through for it.
pub(super) const ADDING: &[&str] = &["append", "appendleft"];

/// Says where in a sequence something is, and raises an exception if it is nowhere.
pub(super) const INDEX: &str = "index";

const fn builtin(name: &'static str, effect: CallEffect, arguments: Arguments, snapshots: &'static [Container]) -> Function {
    Function { module: "builtins", name, effect, arguments, snapshots, state: None }
}

const fn heap(name: &'static str, effect: CallEffect) -> Function {
    Function { module: "heapq", name, effect, arguments: Arguments::First, snapshots: &[], state: None }
}

const fn attribute(name: &'static str, effect: CallEffect) -> Function {
    builtin(name, effect, Arguments::First, &[])
}

/// What a class of Python code has its attributes by, unless it says otherwise.
pub(super) const OF_OBJECT: &str = "builtins.object";

const fn direct(name: &'static str, effect: CallEffect) -> Function {
    Function { module: OF_OBJECT, name, effect, arguments: Arguments::First, snapshots: &[], state: None }
}

const fn state(module: &'static str, name: &'static str, effect: CallEffect, state: &'static State) -> Function {
    Function { module, name, effect, arguments: Arguments::Callable, snapshots: &[], state: Some(state) }
}

/// Looks for the place of an element.
const fn place(name: &'static str) -> Function {
    Function { module: "bisect", name, effect: CallEffect::Read, arguments: Arguments::First, snapshots: &[], state: None }
}

/// Whether a method or function says where in a sequence something is, or belongs.
pub(super) fn is_placing(name: &str) -> bool {
    name == INDEX || function(name).is_some_and(|function| function.module == "bisect")
}

/// Functions, by name.
pub static FUNCTIONS: &[Function] = &[
    direct("__delattr__", CallEffect::WriteAttribute),
    direct("__getattribute__", CallEffect::ReadAttribute),
    direct("__setattr__", CallEffect::WriteAttribute),
    place("bisect"),
    place("bisect_left"),
    place("bisect_right"),
    builtin("bool", CallEffect::Read, Arguments::First, &[]),
    state("os", "chdir", CallEffect::WriteState, &states::DIRECTORY),
    // Lists it walks over in Python code, of which the steps are not seen.
    Function {
        module: "copy",
        name: "deepcopy",
        effect: CallEffect::Iterate,
        arguments: Arguments::First,
        snapshots: &[DICT, SET, DEQUE, ORDERED, DEFAULT, COUNTER, BYTES, ARRAY],
        state: None,
    },
    attribute("delattr", CallEffect::WriteAttribute),
    state("os", "fchdir", CallEffect::WriteState, &states::DIRECTORY),
    state("csv", "field_size_limit", CallEffect::WriteState, &states::FIELD_SIZE),
    state("sys", "get_int_max_str_digits", CallEffect::ReadState, &states::DIGITS),
    attribute("getattr", CallEffect::ReadAttribute),
    state("os", "getcwd", CallEffect::ReadState, &states::DIRECTORY),
    state("socket", "getdefaulttimeout", CallEffect::ReadState, &states::TIMEOUT),
    state("os", "getegid", CallEffect::ReadState, &states::GROUP),
    state("os", "geteuid", CallEffect::ReadState, &states::USER),
    state("sys", "getrecursionlimit", CallEffect::ReadState, &states::RECURSION),
    state("sys", "getswitchinterval", CallEffect::ReadState, &states::INTERVAL),
    attribute("hasattr", CallEffect::ReadAttribute),
    heap("heapify", CallEffect::Write),
    heap("heapify_max", CallEffect::Write),
    heap("heappop", CallEffect::Take),
    heap("heappop_max", CallEffect::Take),
    heap("heappush", CallEffect::Insert),
    heap("heappush_max", CallEffect::Insert),
    heap("heappushpop", CallEffect::Take),
    heap("heappushpop_max", CallEffect::Take),
    heap("heapreplace", CallEffect::Take),
    heap("heapreplace_max", CallEffect::Take),
    builtin("len", CallEffect::Read, Arguments::First, &[]),
    builtin("next", CallEffect::Advance, Arguments::First, &[]),
    state("sys", "set_int_max_str_digits", CallEffect::WriteState, &states::DIGITS),
    attribute("setattr", CallEffect::WriteAttribute),
    state("socket", "setdefaulttimeout", CallEffect::WriteState, &states::TIMEOUT),
    state("os", "setegid", CallEffect::WriteState, &states::GROUP),
    state("os", "seteuid", CallEffect::WriteState, &states::USER),
    state("locale", "setlocale", CallEffect::WriteState, &states::LOCALE),
    state("sys", "setrecursionlimit", CallEffect::WriteState, &states::RECURSION),
    state("sys", "setswitchinterval", CallEffect::WriteState, &states::INTERVAL),
    state("threading", "stack_size", CallEffect::WriteState, &states::STACK_SIZE),
    state("os", "umask", CallEffect::WriteState, &states::UMASK),
    attribute("vars", CallEffect::ReadAttribute),
];

/// What a C function does to its first argument, whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Does {
    /// To all of it.
    Whole(CallEffect),
    /// To what is behind the key that is its second argument; the third one is the value, if there is one.
    Item(CallEffect),
    /// To the attribute that the second argument names; the third one is the value, if there is one.
    Attribute(CallEffect),
    /// It looks through it and through all that is in it.
    LooksThrough(Encoder),
}

/// Encoders that are written in C.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoder {
    /// Of what it does not know, it asks the program.
    Json,
    /// It takes the attributes of objects, unless they have a way of their own to be reduced.
    Pickle,
}

/// A C function that is watched at its entry: it may be called through a variable, by `map`, or as what a thread is to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Where it is: a module, or a module and a type.
    pub owner: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub does: Does,
}

const fn entry(owner: &'static str, name: &'static str, does: Does) -> Entry {
    Entry { owner, name, does }
}

/// C functions that are watched at their entries.
pub static ENTRIES: &[Entry] = &[
    entry("_bisect:", "insort_left", Does::Whole(CallEffect::Update)),
    entry("_bisect:", "insort_right", Does::Whole(CallEffect::Update)),
    // `Counter.update` and the making of a Counter.
    entry("_collections:", "_count_elements", Does::Whole(CallEffect::Update)),
    entry("_heapq:", "heapify", Does::Whole(CallEffect::Write)),
    entry("_heapq:", "heappop", Does::Whole(CallEffect::Take)),
    entry("_heapq:", "heappush", Does::Whole(CallEffect::Insert)),
    entry("_heapq:", "heappushpop", Does::Whole(CallEffect::Take)),
    entry("_heapq:", "heapreplace", Does::Whole(CallEffect::Take)),
    entry("_operator:", "delitem", Does::Item(CallEffect::Take)),
    entry("_operator:", "getitem", Does::Item(CallEffect::Read)),
    entry("_operator:", "iadd", Does::Whole(CallEffect::Insert)),
    entry("_operator:", "iand", Does::Whole(CallEffect::Insert)),
    entry("_operator:", "iconcat", Does::Whole(CallEffect::Insert)),
    entry("_operator:", "imul", Does::Whole(CallEffect::Insert)),
    entry("_operator:", "ior", Does::Whole(CallEffect::Insert)),
    entry("_operator:", "isub", Does::Whole(CallEffect::Insert)),
    entry("_operator:", "ixor", Does::Whole(CallEffect::Insert)),
    entry("_operator:", "setitem", Does::Item(CallEffect::Write)),
    entry("_pickle:", "dump", Does::LooksThrough(Encoder::Pickle)),
    entry("_pickle:", "dumps", Does::LooksThrough(Encoder::Pickle)),
    entry("_pickle:Pickler", "dump", Does::LooksThrough(Encoder::Pickle)),
    entry("builtins:", "delattr", Does::Attribute(CallEffect::WriteAttribute)),
    entry("builtins:", "setattr", Does::Attribute(CallEffect::WriteAttribute)),
];

/// Types and methods that are watched at their entries, too: those of [`METHODS`] that change something.
pub fn method_entries() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let of = |method: &'static Method| {
        let names = Container::NAMES.iter().filter(|(container, ..)| method.containers.contains(container));
        names.map(move |(_, module, class)| (*module, *class, method.name))
    };
    METHODS.iter().filter(|method| method.effect != CallEffect::Read && method.effect != CallEffect::Iterate).flat_map(of)
}

/// What methods of this name do, to different containers.
pub fn methods(name: &str) -> &'static [Method] {
    let first = METHODS.partition_point(|method| method.name < name);
    let after = first + METHODS[first..].partition_point(|method| method.name == name);
    &METHODS[first..after]
}

/// Whether calls of methods of this name have probes.
pub(super) fn is_probed(name: &str) -> bool {
    methods(name).iter().any(|method| !method.is_at_entry)
}

/// What the method of this name does to a container.
pub fn method(name: &str, container: Container) -> Option<&'static Method> {
    methods(name).iter().find(|method| method.containers.contains(&container))
}

/// What the function of this name does.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.binary_search_by(|function| function.name.cmp(name)).ok().map(|at| &FUNCTIONS[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_unambiguous() {
        assert!(METHODS.is_sorted_by_key(|method| method.name));
        assert!(FUNCTIONS.is_sorted_by(|one, other| one.name < other.name));
        for method in METHODS {
            for container in method.containers {
                let rows = methods(method.name).iter().filter(|row| row.containers.contains(container));
                assert_eq!(rows.count(), 1, "{} of {container:?}", method.name);
            }
        }
    }

    #[test]
    fn the_type_selects_the_row() {
        assert!(method("pop", Container::Dict).is_some_and(|method| method.is_keyed));
        assert!(method("pop", Container::List).is_some_and(|method| !method.is_keyed));
        assert_eq!(method("popleft", Container::List), None);
        assert_eq!(methods("nothing"), &[]);
        assert_eq!(function("heappush").map(|function| function.effect), Some(CallEffect::Insert));
        assert_eq!(function("print"), None);
    }
}
