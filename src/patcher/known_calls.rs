//! What methods of containers, and functions that take one, do to them.
//!
//! A name alone selects a probe.  At run time the type of the object selects the row: `pop` of a dict has a key, `pop` of a list has not.
//! A frozenset has no rows, nothing changes it; nor have `keys`, `values` and `items`, which read nothing before their view is used.

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
    /// No container, but advanced by methods as well.
    Generator,
}

impl Container {
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
        (GENERATOR, "types", "GeneratorType"),
    ];
}

/// What a call does to the container: rows and columns of the severity matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
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
    pub kind: Kind,
    /// It concerns only the element whose key is its first argument.
    pub is_keyed: bool,
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
    pub kind: Kind,
    /// To which arguments.
    pub arguments: Arguments,
    /// Of exactly these types it only takes a snapshot ([`Kind::Read`]).
    pub snapshots: &'static [Container],
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
const GENERATOR: Container = Container::Generator;

const DICTS: &[Container] = &[DICT, ORDERED, DEFAULT, COUNTER];
const SEQUENCES: &[Container] = &[LIST, DEQUE, BYTES, ARRAY];
const ITEMS: &[Container] = &[LIST, DICT, DEQUE, ORDERED, DEFAULT, COUNTER, BYTES, ARRAY];

const fn whole(name: &'static str, containers: &'static [Container], kind: Kind) -> Method {
    Method { name, containers, kind, is_keyed: false }
}

const fn keyed(name: &'static str, containers: &'static [Container], kind: Kind) -> Method {
    Method { name, containers, kind, is_keyed: true }
}

/// Methods, by name.
pub static METHODS: &[Method] = &[
    keyed("__contains__", &[DICT, SET, ORDERED, DEFAULT, COUNTER], Kind::Read),
    keyed("__delitem__", ITEMS, Kind::Take),
    keyed("__getitem__", ITEMS, Kind::Read),
    keyed("__setitem__", ITEMS, Kind::Write),
    keyed("add", &[SET], Kind::Insert),
    whole("append", SEQUENCES, Kind::Insert),
    whole("appendleft", &[DEQUE], Kind::Insert),
    whole("byteswap", &[ARRAY], Kind::Write),
    whole("clear", &[LIST, DICT, SET, DEQUE, ORDERED, DEFAULT, COUNTER, BYTES, ARRAY], Kind::Write),
    whole("copy", &[LIST, DICT, SET, DEQUE, ORDERED, DEFAULT, COUNTER, BYTES], Kind::Read),
    whole("count", SEQUENCES, Kind::Read),
    whole("difference", &[SET], Kind::Read),
    whole("difference_update", &[SET], Kind::Write),
    keyed("discard", &[SET], Kind::Take),
    whole("elements", &[COUNTER], Kind::Iterate),
    whole("extend", SEQUENCES, Kind::Insert),
    whole("extendleft", &[DEQUE], Kind::Insert),
    whole("frombytes", &[ARRAY], Kind::Insert),
    whole("fromfile", &[ARRAY], Kind::Insert),
    whole("fromlist", &[ARRAY], Kind::Insert),
    keyed("get", DICTS, Kind::Read),
    whole("index", SEQUENCES, Kind::Read),
    whole("insert", SEQUENCES, Kind::Insert),
    whole("intersection", &[SET], Kind::Read),
    whole("intersection_update", &[SET], Kind::Write),
    whole("isdisjoint", &[SET], Kind::Read),
    whole("issubset", &[SET], Kind::Read),
    whole("issuperset", &[SET], Kind::Read),
    whole("most_common", &[COUNTER], Kind::Iterate),
    whole("move_to_end", &[ORDERED], Kind::Atomic),
    whole("pop", &[LIST, SET, DEQUE, BYTES, ARRAY], Kind::Take),
    keyed("pop", DICTS, Kind::Take),
    whole("popitem", DICTS, Kind::Take),
    whole("popleft", &[DEQUE], Kind::Take),
    whole("remove", SEQUENCES, Kind::Take),
    keyed("remove", &[SET], Kind::Take),
    whole("resize", &[BYTES], Kind::Write),
    whole("reverse", SEQUENCES, Kind::Write),
    whole("rotate", &[DEQUE], Kind::Write),
    whole("send", &[GENERATOR], Kind::Advance),
    keyed("setdefault", DICTS, Kind::Atomic),
    whole("sort", &[LIST], Kind::Write),
    whole("subtract", &[COUNTER], Kind::Update),
    whole("symmetric_difference", &[SET], Kind::Read),
    whole("symmetric_difference_update", &[SET], Kind::Write),
    whole("throw", &[GENERATOR], Kind::Advance),
    whole("tobytes", &[ARRAY], Kind::Read),
    whole("tolist", &[ARRAY], Kind::Read),
    whole("total", &[COUNTER], Kind::Iterate),
    whole("union", &[SET], Kind::Read),
    whole("update", &[DICT, ORDERED, DEFAULT], Kind::Insert),
    whole("update", &[SET], Kind::Insert),
    whole("update", &[COUNTER], Kind::Update),
];

const fn builtin(name: &'static str, kind: Kind, arguments: Arguments, snapshots: &'static [Container]) -> Function {
    Function { module: "builtins", name, kind, arguments, snapshots }
}

const fn heap(name: &'static str, kind: Kind) -> Function {
    Function { module: "heapq", name, kind, arguments: Arguments::First, snapshots: &[] }
}

const fn attribute(name: &'static str, kind: Kind) -> Function {
    builtin(name, kind, Arguments::First, &[])
}

const fn state(module: &'static str, name: &'static str, kind: Kind) -> Function {
    Function { module, name, kind, arguments: Arguments::Callable, snapshots: &[] }
}

/// Functions, by name.
pub static FUNCTIONS: &[Function] = &[
    builtin("all", Kind::Iterate, Arguments::First, &[]),
    builtin("any", Kind::Iterate, Arguments::First, &[]),
    state("os", "chdir", Kind::WriteState),
    attribute("delattr", Kind::WriteAttribute),
    builtin("dict", Kind::Iterate, Arguments::First, &[DICT, DEFAULT, COUNTER]),
    builtin("enumerate", Kind::Iterate, Arguments::First, &[]),
    state("os", "fchdir", Kind::WriteState),
    builtin("filter", Kind::Iterate, Arguments::Rest, &[]),
    builtin("frozenset", Kind::Iterate, Arguments::First, &[DICT, SET]),
    attribute("getattr", Kind::ReadAttribute),
    state("os", "getcwd", Kind::ReadState),
    attribute("hasattr", Kind::ReadAttribute),
    heap("heapify", Kind::Write),
    heap("heapify_max", Kind::Write),
    heap("heappop", Kind::Take),
    heap("heappop_max", Kind::Take),
    heap("heappush", Kind::Insert),
    heap("heappush_max", Kind::Insert),
    heap("heappushpop", Kind::Take),
    heap("heappushpop_max", Kind::Take),
    heap("heapreplace", Kind::Take),
    heap("heapreplace_max", Kind::Take),
    builtin("iter", Kind::Iterate, Arguments::Only, &[]),
    builtin("len", Kind::Read, Arguments::First, &[]),
    builtin("list", Kind::Iterate, Arguments::First, &[LIST, DICT, SET]),
    builtin("map", Kind::Iterate, Arguments::Rest, &[]),
    builtin("max", Kind::Iterate, Arguments::Only, &[]),
    builtin("min", Kind::Iterate, Arguments::Only, &[]),
    builtin("next", Kind::Advance, Arguments::First, &[]),
    builtin("reversed", Kind::Iterate, Arguments::First, &[]),
    builtin("set", Kind::Iterate, Arguments::First, &[DICT, SET]),
    attribute("setattr", Kind::WriteAttribute),
    builtin("sorted", Kind::Iterate, Arguments::First, &[LIST, DICT, SET]),
    builtin("sum", Kind::Iterate, Arguments::First, &[]),
    builtin("tuple", Kind::Iterate, Arguments::First, &[LIST]),
    builtin("zip", Kind::Iterate, Arguments::Each, &[]),
];

/// What methods of this name do, to different containers.
pub fn methods(name: &str) -> &'static [Method] {
    let first = METHODS.partition_point(|method| method.name < name);
    let after = first + METHODS[first..].partition_point(|method| method.name == name);
    &METHODS[first..after]
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
        assert_eq!(function("heappush").map(|function| function.kind), Some(Kind::Insert));
        assert_eq!(function("print"), None);
    }
}
