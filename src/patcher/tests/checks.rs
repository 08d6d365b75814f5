//! What decides, and what is decided: on code that is written with the names of its places instead of distances.

use super::*;
use crate::patcher::{ActsAt, Arguments, Point};

/// An argument: a number, the name of an instruction that is jumped to, or a name that is loaded or stored.
#[derive(Clone, Copy)]
pub(super) enum To {
    Number(u32),
    Place(&'static str),
}

use To::{Number, Place};

pub(super) const VARIABLES: &[&str] = &["self", "n", "key", "put"];
pub(super) const OWN_NAMES: &[&str] =
    &["d", "len", "pop", "append", "setdefault", "READY", "State", "load", "is_loaded", "sleep", "clear", "info", "time"];

pub(super) fn named(name: &str) -> u32 {
    OWN_NAMES.iter().position(|known| *known == name).expect("a known name") as u32
}

pub(super) fn global(name: &str) -> (&'static str, To) {
    ("LOAD_GLOBAL", Number(named(name) << 1))
}

pub(super) fn called(name: &str) -> (&'static str, To) {
    ("LOAD_GLOBAL", Number(named(name) << 1 | 1))
}

pub(super) fn attribute(name: &str) -> (&'static str, To) {
    ("LOAD_ATTR", Number(named(name) << 1))
}

pub(super) fn method(name: &str) -> (&'static str, To) {
    ("LOAD_ATTR", Number(named(name) << 1 | 1))
}

pub(super) fn op(name: &'static str, argument: u32) -> (&'static str, To) {
    (name, Number(argument))
}

pub(super) fn to(name: &'static str, place: &'static str) -> (&'static str, To) {
    (name, Place(place))
}

/// `(":place", _)` names the next instruction.
pub(super) fn assembled(source: &[(&'static str, To)]) -> Vec<u8> {
    let row = |name: &str| ROWS.iter().find(|row| row.0 == name).expect("a known instruction");
    let size = |name: &str| if name.starts_with(':') { 0 } else { 1 + u32::from(row(name).2) };
    let place = |wanted: &str| -> u32 {
        let before = source.iter().take_while(|(name, _)| name.strip_prefix(':') != Some(wanted));
        before.map(|(name, _)| size(name)).sum()
    };
    let mut bytes = Vec::new();
    for (name, argument) in source.iter().filter(|(name, _)| !name.starts_with(':')) {
        let end = (bytes.len() / 2) as u32 + size(name);
        let argument = match argument {
            Number(number) => *number,
            Place(wanted) => place(wanted).abs_diff(end),
        };
        bytes.extend([row(name).1, argument as u8]);
        bytes.extend(vec![0; 2 * usize::from(row(name).2)]);
    }
    bytes
}

/// The points of a function that binds all globals again.
pub(super) fn points(source: &[(&'static str, To)], rebound: &Rebound) -> Vec<Point<'static>> {
    let bytes = assembled(&[&[op("RESUME", 0)], source].concat());
    let lines = vec![0xf8; bytes.len() / 2];
    let texts = [0, 7];
    let view = Code { lines: &lines, names: OWN_NAMES, locals: VARIABLES, strings: &texts, ..code(&bytes) };
    let patched = patch(&opcodes(), &view, rebound).expect("patched");
    let known = |name: &str| OWN_NAMES.iter().chain(VARIABLES).copied().find(|known| *known == name);
    patched.points.into_iter().map(|point| Point { name: point.name.and_then(known), container: None, ..point }).collect()
}

fn of(points: &[Point<'static>], action: Action) -> Point<'static> {
    *points.iter().find(|point| point.action == action).expect("it is there")
}

const SELF: (&str, To) = ("LOAD_FAST", Number(0));
const NOTHING: (&str, To) = ("LOAD_CONST", Number(0));
const RETURN: (&str, To) = ("RETURN_VALUE", Number(0));

/// `self.d`
pub(super) fn container() -> [(&'static str, To); 2] {
    [SELF, attribute("d")]
}

/// `len(self.d)`
fn size() -> Vec<(&'static str, To)> {
    [&[called("len")][..], &container(), &[op("CALL", 1)]].concat()
}

#[test]
fn a_key_that_is_made_of_the_size_is_a_place() {
    let rebound = Rebound::default();
    let stored = |before: &[&[(&'static str, To)]], key: &[(&'static str, To)]| {
        let before = before.concat();
        points(&[&before, &[NOTHING][..], &container(), key, &[op("STORE_SUBSCR", 0), NOTHING, RETURN]].concat(), &rebound)
    };
    let is_placed = |points: &[Point<'static>]| {
        let (look, act) = (of(points, Action::Function), of(points, Action::WriteItem));
        assert_eq!(look.is_tested, look.is_placed);
        assert_eq!(look.is_placed, act.is_placed);
        act.is_placed
    };
    let one = op("LOAD_SMALL_INT", 1);
    let [plus, minus] = [ADD_TO, ADD_TO + 20].map(|operator| op("BINARY_OP", operator));
    let [keep, kept] = [op("STORE_FAST", 1), op("LOAD_FAST", 1)];
    assert!(is_placed(&stored(&[], &size())), "self.d[len(self.d)]");
    assert!(is_placed(&stored(&[], &[&size()[..], &[one, plus]].concat())), "self.d[len(self.d) + 1]");
    assert!(is_placed(&stored(&[&size(), &[keep]], &[kept])), "n = len(self.d); self.d[n]");
    assert!(is_placed(&stored(&[&size(), &[one, plus, keep]], &[kept])), "n = len(self.d) + 1; self.d[n]");
    assert!(is_placed(&stored(&[&size(), &[keep]], &[kept, one, plus])), "n = len(self.d); self.d[n + 1]");
    assert!(!is_placed(&stored(&[], &[&size()[..], &[one, minus]].concat())), "the last one of a sequence");
    assert!(!is_placed(&stored(&[&size(), &[keep]], &[op("LOAD_FAST", 2)])), "another key");
    let of_another = [&[called("len"), SELF, attribute("load"), op("CALL", 1)][..]].concat();
    assert!(!is_placed(&stored(&[], &of_another)), "the size of another one");
}

#[test]
fn a_value_that_is_made_of_the_size_is_a_place_too() {
    let rebound = Rebound::default();
    let value = [&size()[..], &container(), &[op("LOAD_FAST", 2), op("STORE_SUBSCR", 0), NOTHING, RETURN]].concat();
    assert!(of(&points(&value, &rebound), Action::WriteItem).is_placed, "self.d[key] = len(self.d)");
    let look_up = [&container()[..], &[method("setdefault"), op("LOAD_FAST", 2)]].concat();
    let default = [&look_up[..], &size(), &[op("CALL", 2), RETURN]].concat();
    assert!(of(&points(&default, &rebound), Action::Method).is_placed, "self.d.setdefault(key, len(self.d))");
    let added = |value: &[(&'static str, To)]| {
        let source = [&container()[..], &[method("append")], value, &[op("CALL", 1), RETURN]].concat();
        of(&points(&source, &rebound), Action::Method).is_placed
    };
    let within = [&[op("LOAD_CONST", 1)][..], &size(), &[op("BUILD_MAP", 1)]].concat();
    assert!(added(&size()) && added(&within), "self.d.append(len(self.d)), and of a dictionary with that");
    let made = |callee: &'static str| [&[called(callee)][..], &size(), &[op("CALL", 1)]].concat();
    assert!(added(&made("State")) && !added(&made("load")), "what a class makes of it, and what a function does");
    let plain = [&size()[..], &[op("POP_TOP", 0)], &look_up, &[NOTHING, op("CALL", 2), RETURN]].concat();
    assert!(!of(&points(&plain, &rebound), Action::Method).is_placed, "len(self.d); self.d.setdefault(key, None)");
}

/// `if self.is_loaded: ...`, and what is done if it is not.
fn checked(act: &[(&'static str, To)]) -> Point<'static> {
    let check = [SELF, attribute("is_loaded"), op("TO_BOOL", 0), to("POP_JUMP_IF_TRUE", "end")];
    let source = [&check[..], act, &[op(":end", 0), NOTHING, RETURN]].concat();
    of(&points(&source, &Rebound::default()), Action::ReadAttribute)
}

#[test]
fn a_check_may_be_left_to_others_to_act_on() {
    let call = [SELF, method("load"), op("CALL", 0), op("POP_TOP", 0)];
    let store = [NOTHING, SELF, op("STORE_ATTR", named("is_loaded"))];
    assert!(checked(&call).is_filled);
    assert!(!checked(&[NOTHING, op("POP_TOP", 0)]).is_filled, "it calls nobody");
    assert!(!checked(&[&call[..], &store].concat()).is_filled, "it acts itself");
    assert!(checked(&[&call[..], &store].concat()).is_acting);
}

#[test]
fn a_look_that_only_sets_a_flag_is_no_check() {
    let store = |value: (&'static str, To)| [value, SELF, op("STORE_ATTR", named("is_loaded"))];
    let is_tested = |act: &[(&'static str, To)]| {
        let point = checked(act);
        assert_eq!(point.is_tested, point.is_acting);
        point.is_tested
    };
    assert!(!is_tested(&store(NOTHING)), "if not self.is_loaded: self.is_loaded = True");
    assert!(!is_tested(&[&store(NOTHING)[..], &[NOTHING, RETURN]].concat()), "the end of the function, which is written twice");
    assert!(!is_tested(&store(op("LOAD_SMALL_INT", 1))), "a number");
    assert!(is_tested(&store(op("LOAD_CONST", 1))), "one of several texts");
    assert!(is_tested(&store(op("LOAD_FAST", 1))), "no constant");
    assert!(is_tested(&[&store(NOTHING)[..], &[op("LOAD_SMALL_INT", 1), RETURN]].concat()), "it returns something else");
    let call = [SELF, method("load"), op("CALL", 0), op("POP_TOP", 0)];
    assert!(is_tested(&[&call[..], &store(NOTHING)].concat()) && is_tested(&[&store(NOTHING)[..], &call].concat()));
}

#[test]
fn what_is_read_once_more_before_the_act_belongs_to_the_check() {
    let reads = |source: &[(&'static str, To)]| {
        let points = points(&[source, &[op(":end", 0), NOTHING, RETURN]].concat(), &Rebound::default());
        let reads = points.iter().filter(|point| point.action == Action::ReadAttribute && point.name == Some("d"));
        reads.map(|point| (point.is_tested, point.is_acting)).collect::<Vec<_>>()
    };
    let look = [&container()[..], &[op("LOAD_SMALL_INT", 0), op("COMPARE_OP", 4 << 5)]].concat();
    let leave = [to("POP_JUMP_IF_FALSE", "end")];
    let count = [SELF, op("COPY", 1), attribute("d"), op("LOAD_SMALL_INT", 1), op("BINARY_OP", ADD_TO + 10), op("SWAP", 2)];
    let store = [op("STORE_ATTR", named("d"))];
    let decided = [&look[..], &leave, &count, &store].concat();
    assert_eq!(reads(&decided), [(true, true), (false, true)], "if self.d > 0: self.d -= 1");
    let beside =
        [&look[..], &leave, &[SELF, method("load"), op("CALL", 0), op("POP_TOP", 0), op(":end", 0)], &count, &store].concat();
    assert_eq!(reads(&beside[..]), [(true, true), (false, false)], "if self.d > 0: self.load(); self.d -= 1");
    let loops = [&[op(":top", 0)][..], &look, &leave, &count, &store, &[to("JUMP_BACKWARD", "top")]].concat();
    assert_eq!(reads(&loops), [(true, true), (false, true)], "while self.d > 0: self.d -= 1");
    let asks = [SELF, method("is_loaded"), op("CALL", 0), to("POP_JUMP_IF_FALSE", "again")];
    let goes_on = [to("JUMP_BACKWARD", "top"), op(":again", 0), to("JUMP_BACKWARD", "top")];
    let meanwhile = [&[op(":top", 0)][..], &look, &leave, &asks, &count, &store, &goes_on].concat();
    assert_eq!(reads(&meanwhile), [(true, true), (false, false)], "a loop that may not count waits for others as well");
}

#[test]
fn a_loop_waits_for_what_it_does_not_write_itself() {
    let is_waiting = |inside: &[(&'static str, To)], after: &[(&'static str, To)]| {
        let look = [op(":top", 0), SELF, attribute("d"), op("LOAD_SMALL_INT", 3), op("COMPARE_OP", 2)];
        let loops = [&look[..], &[to("POP_JUMP_IF_FALSE", "end")], inside, &[to("JUMP_BACKWARD", "top"), op(":end", 0)]].concat();
        of(&points(&[&loops[..], after, &[NOTHING, RETURN]].concat(), &Rebound::default()), Action::ReadAttribute).is_waiting
    };
    let store = [NOTHING, SELF, op("STORE_ATTR", named("d"))];
    let sleep = [called("sleep"), op("CALL", 0), op("POP_TOP", 0)];
    assert!(is_waiting(&sleep, &[]), "while self.d < 3: sleep()");
    assert!(is_waiting(&sleep, &store), "what is written after it");
    assert!(!is_waiting(&store, &[]), "it counts itself");
}

#[test]
fn room_is_looked_for_before_something_is_put_into_a_dictionary() {
    let bounded = |jump: &'static str, act: &[(&'static str, To)]| {
        let check = [&size()[..], &[op("LOAD_SMALL_INT", 3), op("COMPARE_OP", 0), to(jump, "end")]].concat();
        let source = [&check[..], act, &[op(":end", 0), NOTHING, RETURN]].concat();
        let points = points(&source, &Rebound::default());
        let (look, act) = (of(&points, Action::Function), of(&points, Action::WriteItem));
        assert_eq!(look.is_claim, act.is_bounded);
        act.is_bounded
    };
    let key = [op("LOAD_FAST", 2), op("STORE_SUBSCR", 0)];
    let put = [&[SELF, method("load"), op("CALL", 0)][..], &container(), &key].concat();
    assert!(bounded("POP_JUMP_IF_FALSE", &put), "if len(self.d) < 3: self.d[key] = self.load()");
    let keep = [&[op("LOAD_FAST", 1)][..], &container(), &key].concat();
    assert!(!bounded("POP_JUMP_IF_FALSE", &keep), "a cache keeps what was there before");
    let clear = [&container()[..], &[method("load"), op("CALL", 0), op("POP_TOP", 0), op(":end", 0)]].concat();
    assert!(!bounded("POP_JUMP_IF_FALSE", &[&clear[..], &put].concat()), "it is put there in any case");
}

#[test]
fn a_constant_is_one_wherever_it_is_stored() {
    let is_constant = |source: &[(&'static str, To)], action: Action| {
        of(&points(&[source, &[NOTHING, RETURN]].concat(), &Rebound::default()), action).is_constant
    };
    let store = op("STORE_ATTR", named("d"));
    let nested = [&[NOTHING][..], &container(), &[op("LOAD_FAST", 1), op("BINARY_OP", SUBSCRIPT), op("LOAD_FAST", 2)]].concat();
    assert!(is_constant(&[&nested[..], &[op("STORE_SUBSCR", 0)]].concat(), Action::WriteItem), "self.d[n][key] = None");
    let both = [NOTHING, op("COPY", 1), SELF, op("STORE_ATTR", named("load")), SELF, store];
    assert!(is_constant(&both, Action::WriteAttribute), "self.load = self.d = None");
    let swapped = [SELF, NOTHING, op("SWAP", 2), store];
    assert!(is_constant(&swapped, Action::WriteAttribute));
    assert!(is_constant(&[global("State"), attribute("READY"), SELF, store], Action::WriteAttribute));
    assert!(!is_constant(&[global("load"), SELF, store], Action::WriteAttribute), "no constant has such a name");
    assert!(!is_constant(&[SELF, attribute("READY"), SELF, store], Action::WriteAttribute), "an attribute of an object");
    let called = [called("load"), NOTHING, op("CALL", 1), SELF, store];
    assert!(!is_constant(&called, Action::WriteAttribute), "a call that is given one");
}

#[test]
fn what_is_put_into_an_empty_container_is_the_first() {
    let put = [&[NOTHING][..], &container(), &[op("LOAD_FAST", 2), op("STORE_SUBSCR", 0)]].concat();
    let first = |jump: &'static str, acts: usize, back: bool| {
        let check = [&container()[..], &[op("TO_BOOL", 0), to(jump, "end"), op(":again", 0)]].concat();
        let mut source = [&check[..], &put.repeat(acts)].concat();
        if back {
            source.extend([to("JUMP_BACKWARD", "again")]);
        }
        source.extend([op(":end", 0), NOTHING, RETURN]);
        let points = points(&source, &Rebound::default());
        let (check, act) = (of(&points, Action::Truth), of(&points, Action::WriteItem));
        assert_eq!(check.is_first, act.is_first);
        act.is_first
    };
    assert!(first("POP_JUMP_IF_TRUE", 1, false), "if not self.d: self.d[key] = None");
    assert!(!first("POP_JUMP_IF_FALSE", 1, false), "if self.d");
    assert!(!first("POP_JUMP_IF_TRUE", 2, false), "several are seen half");
    assert!(!first("POP_JUMP_IF_TRUE", 1, true), "and so are those of a loop");
}

#[test]
fn what_is_got_from_the_container_itself_is_drawn() {
    let drawn = |key: &[(&'static str, To)]| {
        let check = [&container()[..], &[op("TO_BOOL", 0), to("POP_JUMP_IF_FALSE", "end")]].concat();
        let act = [&container()[..], &[op("LOAD_FAST", 2), op("DELETE_SUBSCR", 0), op(":end", 0), NOTHING, RETURN]].concat();
        of(&points(&[&check[..], key, &act].concat(), &Rebound::default()), Action::DeleteItem).is_drawn
    };
    let keep = op("STORE_FAST", 2);
    assert!(drawn(&[&container()[..], &[keep]].concat()), "if self.d: key = next(iter(self.d)); del self.d[key]");
    assert!(!drawn(&[]), "a key from elsewhere");
    let again = [op("LOAD_FAST", 1), op("TO_BOOL", 0), to("POP_JUMP_IF_FALSE", "end")];
    assert!(!drawn(&[&container()[..], &[keep], &again].concat()), "something else decides");
}

#[test]
fn turns_have_names() {
    let acts_at = |with: &[(&'static str, To)]| {
        let check = [&[op(":check", 0), SELF, attribute("d")][..], with, &[op("COMPARE_OP", 2 << 5)]].concat();
        let rest = [
            to("POP_JUMP_IF_TRUE", "act"),
            to("JUMP_BACKWARD", "check"),
            op(":act", 0),
            NOTHING,
            SELF,
            op("STORE_ATTR", named("d")),
            to("JUMP_BACKWARD", "check"),
        ];
        let points = points(&[&check[..], &rest].concat(), &Rebound::default());
        let read = of(&points, Action::ReadAttribute);
        assert_eq!(of(&points, Action::WriteAttribute).is_turn, read.acts_at.is_some() || read.acts_if.is_some());
        (read.acts_if, read.acts_at)
    };
    assert_eq!(acts_at(&[op("LOAD_SMALL_INT", 3)]), (None, Some(ActsAt::Number(3))));
    assert_eq!(acts_at(&[op("LOAD_SMALL_INT", 0)]), (Some(false), None));
    assert_eq!(acts_at(&[op("LOAD_CONST", 1)]), (None, Some(ActsAt::Key(7))), "a string");
    assert_eq!(acts_at(&[op("LOAD_FAST", 1)]), (None, Some(ActsAt::Local)));
    let [ready, member] = [&[global("READY")][..], &[global("State"), attribute("READY")]].map(acts_at);
    assert!(matches!(ready, (None, Some(ActsAt::Key(_)))));
    assert_eq!(ready, member, "a constant is known by its own name");
    assert_eq!(acts_at(&[global("load")]), (None, None), "no constant has such a name");
}

/// A module that binds a method, and a function that calls it after a check: `if self.d: self.d.pop` under another name.
fn bound_by(module: &[(&'static str, To)], functions: &[(u32, Arguments<'_>)], load: (&'static str, To)) -> Option<&'static str> {
    let mut rebound = Rebound::default();
    let bytes = assembled(&[&[op("RESUME", 0)], module].concat());
    rebound.collect(&opcodes(), &bytes, OWN_NAMES, VARIABLES, 0);
    rebound.collect_defaults(&opcodes(), &bytes, OWN_NAMES, VARIABLES, functions);
    let check = [&container()[..], &[op("TO_BOOL", 0), to("POP_JUMP_IF_FALSE", "end")]].concat();
    let call = [load, op("PUSH_NULL", 0), op("CALL", 0), op("POP_TOP", 0), op(":end", 0), NOTHING, RETURN];
    let points = points(&[&check[..], &call].concat(), &rebound);
    let found = points.iter().find(|point| point.action == Action::Method)?;
    // The check belongs to it.
    assert!(points.iter().any(|point| point.action == Action::Truth && point.is_acting));
    found.name
}

#[test]
fn a_method_is_known_by_the_name_that_it_is_bound_to() {
    let bind = [global("d"), attribute("pop"), op("STORE_NAME", named("load"))];
    assert_eq!(bound_by(&bind, &[], global("load")), Some("pop"));
    assert_eq!(bound_by(&bind, &[], global("State")), None, "another name");
    let result = [global("d"), attribute("pop"), op("PUSH_NULL", 0), op("CALL", 0), op("STORE_NAME", named("load"))];
    assert_eq!(bound_by(&result, &[], global("load")), None, "what it has returned");
}

#[test]
fn a_method_is_known_by_the_argument_that_has_it_as_default_value() {
    let names = ["self", "put", "n"];
    let one_by_name = [(1, Arguments { names: &names, by_name: 1 })];
    let made = |values: &[(&'static str, To)], build: (&'static str, To), attribute: u32| {
        let function = [op("LOAD_CONST", 1), op("MAKE_FUNCTION", 0), op("SET_FUNCTION_ATTRIBUTE", attribute)];
        [values, &[build], &function, &[op("STORE_NAME", named("load"))]].concat()
    };
    let pop = [global("d"), attribute("pop")];
    let [put, n] = [3, 1].map(|variable| op("LOAD_FAST", variable));
    let by_position = made(&pop, op("BUILD_TUPLE", 1), 1);
    assert_eq!(bound_by(&by_position, &one_by_name, put), Some("pop"));
    assert_eq!(bound_by(&by_position, &one_by_name, n), None, "another argument");
    assert_eq!(bound_by(&by_position, &[(0, one_by_name[0].1)], put), None, "another function");
    let second = made(&[&pop[..], &[NOTHING]].concat(), op("BUILD_TUPLE", 2), 1);
    assert_eq!(bound_by(&second, &one_by_name, put), None, "the default value of the argument before it");
    let by_name = made(&[&[NOTHING][..], &pop].concat(), op("BUILD_MAP", 1), 2);
    assert_eq!(bound_by(&by_name, &one_by_name, n), Some("pop"));
    assert_eq!(bound_by(&by_name, &one_by_name, put), None);
    let two_by_name = [(1, Arguments { names: &names, by_name: 2 })];
    assert_eq!(bound_by(&by_name, &two_by_name, put), None, "which of the two has the value is not known");
    assert_eq!(bound_by(&by_name, &two_by_name, n), None);
}

#[test]
fn a_variable_that_decides_nothing_tells_nothing() {
    let read = [&container()[..], &[op("POP_TOP", 0), NOTHING, RETURN]].concat();
    let read = of(&points(&read, &Rebound::default()), Action::ReadAttribute);
    assert_eq!([read.is_heeded, checked(&[]).is_heeded], [false, true]);
}

#[test]
fn what_is_said_or_emptied_besides_a_flag_decides_nothing_more() {
    let flag = [NOTHING, SELF, op("STORE_ATTR", named("is_loaded"))];
    let is_tested = |call: &[(&'static str, To)]| checked(&[&flag[..], call, &[op("POP_TOP", 0)]].concat()).is_tested;
    assert!(!is_tested(&[SELF, method("info"), op("LOAD_CONST", 1), op("LOAD_FAST", 1), op("CALL", 2)]), "self.info(text, n)");
    assert!(!is_tested(&[&container()[..], &[method("clear"), op("CALL", 0)]].concat()), "self.d.clear()");
    assert!(is_tested(&[SELF, attribute("is_loaded"), method("clear"), op("CALL", 0)]), "it may be gone");
    assert!(is_tested(&[SELF, method("load"), op("LOAD_CONST", 1), op("CALL", 1)]), "self.load(text)");
    let default = [global("READY"), SELF, op("STORE_ATTR", named("is_loaded"))];
    assert!(!checked(&default).is_tested, "if not self.is_loaded: self.is_loaded = READY");
    let part = [global("READY"), attribute("load"), SELF, op("STORE_ATTR", named("is_loaded"))];
    assert!(checked(&part).is_tested, "if not self.is_loaded: self.is_loaded = READY.load");
}

#[test]
fn a_container_that_is_emptied_when_it_is_full_may_be_so_twice() {
    let full = [&size()[..], &[op("LOAD_SMALL_INT", 3), op("COMPARE_OP", 4 << 5), to("POP_JUMP_IF_FALSE", "end")]].concat();
    let clear = [&container()[..], &[method("clear"), op("CALL", 0), op("POP_TOP", 0)]].concat();
    let emptied = |before: &[(&'static str, To)]| {
        let points = points(&[&full[..], before, &clear, &[op(":end", 0), NOTHING, RETURN]].concat(), &Rebound::default());
        (of(&points, Action::Function).is_tested, of(&points, Action::Method).is_emptied)
    };
    assert_eq!(emptied(&[]), (false, true), "if len(self.d) > 3: self.d.clear()");
    let used = [SELF, method("load"), op("CALL", 0), op("POP_TOP", 0)];
    assert_eq!(emptied(&used), (true, false), "if len(self.d) > 3: self.load(); self.d.clear()");
}

#[test]
fn a_loop_that_ends_by_another_word_does_not_take_it() {
    let is_acting = |compare: u32, stored: (&'static str, To)| {
        let look = [op(":top", 0), SELF, attribute("is_loaded"), op("LOAD_CONST", 1), op("COMPARE_OP", compare << 5)];
        let body = [to("POP_JUMP_IF_FALSE", "end"), SELF, method("load"), op("CALL", 0), op("POP_TOP", 0)];
        let store =
            [to("JUMP_BACKWARD", "top"), op(":end", 0), stored, SELF, op("STORE_ATTR", named("is_loaded")), NOTHING, RETURN];
        of(&points(&[&look[..], &body, &store].concat(), &Rebound::default()), Action::ReadAttribute).is_acting
    };
    assert!(!is_acting(2, NOTHING), "while self.is_loaded == 'a': self.load(); self.is_loaded = None");
    assert!(is_acting(2, op("LOAD_CONST", 1)), "self.is_loaded = 'a'");
    assert!(is_acting(3, NOTHING), "while self.is_loaded != 'a'");
}

#[test]
fn what_a_clock_says_is_a_time_unless_the_function_looks_at_what_was_there() {
    let store = [SELF, op("STORE_ATTR", named("d"))];
    let is_time = |source: &[(&'static str, To)]| {
        of(&points(&[source, &store, &[NOTHING, RETURN]].concat(), &Rebound::default()), Action::WriteAttribute).is_time
    };
    let clock = [SELF, method("time"), op("CALL", 0)];
    let [plus, minus] = [ADD_TO, ADD_TO + 20].map(|operator| op("BINARY_OP", operator));
    assert!(is_time(&clock), "self.d = self.time()");
    assert!(is_time(&[&clock[..], &[op("LOAD_FAST", 1), plus]].concat()), "self.d = self.time() + n");
    assert!(is_time(&[&clock[..], &[op("STORE_FAST", 1), op("LOAD_FAST", 1)]].concat()), "n = self.time(); self.d = n");
    assert!(!is_time(&[SELF, method("load"), op("CALL", 0)]));
    assert!(!is_time(&[&clock[..], &container(), &[minus]].concat()), "self.d = self.time() - self.d");
}
