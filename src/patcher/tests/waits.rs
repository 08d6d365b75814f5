//! Loops that wait, and what they ask: on code that is written as in [`super::checks`].

use super::checks::{OWN_NAMES, To, VARIABLES, assembled, attribute, called, container, method, named, op, points, to};
use super::*;
use crate::patcher::{Called, Point, Questions, questions, waits};

const SELF: (&str, To) = ("LOAD_FAST", To::Number(0));
const NOTHING: (&str, To) = ("LOAD_CONST", To::Number(0));
const RETURN: (&str, To) = ("RETURN_VALUE", To::Number(0));
const POP: (&str, To) = ("POP_TOP", To::Number(0));

type Source = Vec<(&'static str, To)>;

fn sleep() -> Source {
    vec![called("sleep"), op("CALL", 0), POP]
}

/// `while CONDITION: BODY`, the condition without the jump.
fn until(condition: &[(&'static str, To)], body: &[(&'static str, To)]) -> Source {
    let top = [&[op("RESUME", 0), op(":top", 0)][..], condition, &[to("POP_JUMP_IF_FALSE", "end")]].concat();
    [&top[..], body, &[to("JUMP_BACKWARD", "top"), op(":end", 0), NOTHING, RETURN]].concat()
}

fn asked(source: &[(&'static str, To)]) -> Questions<'static> {
    let bytes = assembled(source);
    let view = Code { names: OWN_NAMES, locals: VARIABLES, ..code(&bytes) };
    let own = |called: &Called<'_>| match called {
        Called::Named(name) => Called::Named(OWN_NAMES.iter().chain(VARIABLES).find(|known| *known == name).expect("known")),
        Called::Held => Called::Held,
        Called::Made(constant) => Called::Made(*constant),
    };
    let Questions { until, passed_on, given } = questions(&opcodes(), &view);
    let given = given.iter().map(|name| *OWN_NAMES.iter().chain(VARIABLES).find(|known| *known == name).expect("known")).collect();
    Questions { until: until.iter().map(own).collect(), passed_on: passed_on.iter().map(own).collect(), given }
}

fn until_asked(condition: &[(&'static str, To)], body: &[(&'static str, To)]) -> Vec<Called<'static>> {
    asked(&until(condition, body)).until
}

#[test]
fn a_loop_waits_for_the_function_that_it_asks_if_it_does_nothing_else() {
    let load = [SELF, method("load"), op("CALL", 0)];
    assert_eq!(until_asked(&load, &[]), [Called::Named("load")], "while not self.load(): pass");
    assert_eq!(until_asked(&load, &sleep()), [Called::Named("load")]);
    let act = [SELF, method("pop"), op("CALL", 0), POP];
    assert_eq!(until_asked(&load, &act), [], "while self.load(): self.pop()");
    assert_eq!(until_asked(&load, &[op("LOAD_FAST", 3), op("PUSH_NULL", 0), op("CALL", 0), POP]), [], "it calls what it was given");
    let held = [op("LOAD_FAST", 3), op("PUSH_NULL", 0), op("CALL", 0)];
    assert_eq!(until_asked(&held, &sleep()), [Called::Named("put"), Called::Held], "while not put(): sleep()");
    assert_eq!(until_asked(&[SELF, attribute("is_loaded")], &sleep()), [Called::Named("is_loaded")], "perhaps a property");
}

#[test]
fn a_function_passes_on_what_it_returns_of_another_one() {
    let call = [op("RESUME", 0), SELF, method("load"), op("CALL", 0)];
    assert_eq!(asked(&[&call[..], &[RETURN]].concat()).passed_on, [Called::Named("load")]);
    assert_eq!(asked(&[&call[..], &[POP, NOTHING, RETURN]].concat()), Questions::default());
}

#[test]
fn what_is_given_may_be_called_there() {
    let call =
        [op("RESUME", 0), called("load"), SELF, attribute("is_loaded"), op("LOAD_FAST", 1), op("CALL", 2), POP, NOTHING, RETURN];
    assert_eq!(asked(&call).given, ["n", "is_loaded"], "load(self.is_loaded, n)");
}

#[test]
fn a_loop_waits_for_the_generator_that_it_makes() {
    let made = [called("len"), op("LOAD_CONST", 1), op("MAKE_FUNCTION", 0), op("LOAD_FAST", 1), op("CALL", 0), op("CALL", 1)];
    let compared = [op("LOAD_SMALL_INT", 3), op("COMPARE_OP", 0)];
    let expected = [Called::Named("len"), Called::Made(1)];
    assert_eq!(until_asked(&[&made[..], &compared].concat(), &sleep()), expected, "while len(x.d for x in n) < 3: sleep()");
}

/// Of a `while` loop, the read of an attribute in its condition.
fn read(source: &[(&'static str, To)], name: &str) -> Point<'static> {
    let points = points(&source[1..], &Rebound::default());
    points.into_iter().find(|point| point.action == Action::ReadAttribute && point.name == Some(name)).expect("a read")
}

#[test]
fn a_wait_may_end_by_a_return_and_go_through_a_variable() {
    let top = [op("RESUME", 0), op(":top", 0), SELF, attribute("d")];
    let local = [op("STORE_FAST", 1), op("LOAD_FAST", 1)];
    let leave = [op("LOAD_SMALL_INT", 3), op("COMPARE_OP", 4 << 5), to("POP_JUMP_IF_FALSE", "on")];
    let back = [&[op(":on", 0)][..], &sleep(), &[to("JUMP_BACKWARD", "top")]].concat();
    let value = [SELF, attribute("load"), RETURN];
    assert!(read(&[&top[..], &leave, &value, &back].concat(), "d").is_waiting, "if self.d > 3: return self.load");
    assert!(read(&[&top[..], &local, &leave, &value, &back].concat(), "d").is_waiting, "n = self.d; if n > 3: return self.load");
    let act = [SELF, method("pop"), op("CALL", 0), POP];
    let goes_on = [&top[..], &leave, &act, &[op(":on", 0)], &sleep(), &[to("JUMP_BACKWARD", "top")]].concat();
    assert!(!read(&goes_on, "d").is_waiting, "if self.d > 3: self.pop()");
}

#[test]
fn an_answer_is_made_of_what_is_compared_and_returned() {
    let look = [op("RESUME", 0), SELF, attribute("d"), op("LOAD_SMALL_INT", 3), op("COMPARE_OP", 4 << 5)];
    assert!(read(&[&look[..], &[RETURN]].concat(), "d").is_answering, "return self.d > 3");
    let no = [to("POP_JUMP_IF_FALSE", "on"), NOTHING, RETURN, op(":on", 0), op("LOAD_SMALL_INT", 1), RETURN];
    assert!(read(&[&look[..], &no].concat(), "d").is_answering, "if self.d > 3: return None");
    let count = [NOTHING, SELF, op("STORE_ATTR", named("d"))];
    assert!(!read(&[&[op("RESUME", 0)], &count[..], &look[1..], &[RETURN]].concat(), "d").is_answering, "it writes it itself");
}

#[test]
fn a_container_is_waited_for_by_what_comes_of_it() {
    let awaited = |condition: &[(&'static str, To)], body: &[(&'static str, To)]| {
        let points = points(&until(condition, body)[1..], &Rebound::default());
        points.iter().filter(|point| point.action == Action::Await).count()
    };
    let compared = [op("LOAD_SMALL_INT", 3), op("COMPARE_OP", 0)];
    let sum = [&[called("load")][..], &container(), &[op("CALL", 1)], &compared].concat();
    assert_eq!(awaited(&sum, &sleep()), 1, "while load(self.d) < 3: sleep()");
    let act = [SELF, method("pop"), op("CALL", 0), POP];
    assert_eq!(awaited(&sum, &act), 0, "while load(self.d) < 3: self.pop()");
    let size = [&[called("len")][..], &container(), &[op("CALL", 1)], &compared].concat();
    assert_eq!(awaited(&size, &sleep()), 0, "the look at its size is one");
}

#[test]
fn what_the_caller_does_with_an_answer_is_known_by_the_place_of_the_call() {
    let used = |source: &[(&'static str, To)]| {
        let bytes = assembled(source);
        let unit = |at: usize| disassembled_unit(&bytes, at);
        let call = source.iter().filter(|(name, _)| !name.starts_with(':')).position(|(name, _)| *name == "CALL").expect("a call");
        waits(&opcodes(), &bytes, ("f", OWN_NAMES), unit(call))
    };
    let call = [SELF, method("load"), op("CALL", 0)];
    assert_eq!(used(&until(&call, &sleep())), Some(true));
    let act = [SELF, method("pop"), op("CALL", 0), POP];
    assert_eq!(used(&until(&call, &act)), Some(false), "it acts");
    assert_eq!(used(&[&[op("RESUME", 0)], &call[..], &[RETURN]].concat()), Some(false), "it passes it on");
    assert_eq!(used(&[&[op("RESUME", 0)], &call[..], &[POP, NOTHING, RETURN]].concat()), None);
}

fn disassembled_unit(bytes: &[u8], at: usize) -> u32 {
    Instructions::read(&opcodes(), bytes).expect("sound").all[at].unit
}

#[test]
fn a_loop_waits_for_what_a_comprehension_gathers() {
    let each = [op("LOAD_FAST", 1), op("GET_ITER", 0), op("BUILD_LIST", 0), op("SWAP", 2), op(":next", 0), to("FOR_ITER", "done")];
    let element = [op("STORE_FAST", 2), op("LOAD_FAST", 2), attribute("d"), op("LIST_APPEND", 2), to("JUMP_BACKWARD", "next")];
    let done = [op(":done", 0), op("END_FOR", 0), op("POP_ITER", 0), op("CALL", 1)];
    let condition = [&[called("load")][..], &each, &element, &done].concat();
    assert!(read(&until(&condition, &sleep()), "d").is_waiting, "while load([x.d for x in n]): sleep()");
}

#[test]
fn a_loop_waits_until_nothing_is_left_if_it_takes_nothing_away() {
    let is_drained = |body: &[(&'static str, To)]| {
        let points = points(&until(&[&container()[..], &[op("TO_BOOL", 0)]].concat(), body)[1..], &Rebound::default());
        points.iter().any(|point| point.action == Action::Truth && point.is_drained)
    };
    assert!(is_drained(&sleep()), "while self.d: sleep()");
    assert!(!is_drained(&[&container()[..], &[method("pop"), op("CALL", 0), POP]].concat()), "while self.d: self.d.pop()");
}
