//! Several threads in methods of one object that is written in C, as the dying process noted it: where memory was damaged, that object's
//! methods may well have done it.  Evidence and no verdict: whether two threads are in it as the process dies is a matter of chance.

use super::super::crash::{Called, Thread};
use super::conditions::like;
use super::facts::Facts;
use super::racing;

/// Classes that lock their objects, or that lock what others share.
const LOCKED: &[&str] = &[
    "_thread.*",
    "_queue.*",
    "_io.*",
    "_socket.*",
    "_ssl.*",
    "select.*",
    "_asyncio.*",
    "_contextvars.*",
    "_random.*",
    "_weakref.*",
    "_functools.*",
    "functools.*",
    "collections.*",
    "re.*",
    "ftsan.*",
];

/// An object that several threads were in.
pub(super) struct Shared<'a> {
    called: &'a Called,
    threads: Vec<&'a Thread>,
}

/// The object that most threads were in, that of the crashing thread first.
pub(super) fn found<'a>(facts: &Facts<'a>) -> Option<Shared<'a>> {
    let mut all: Vec<Shared<'a>> = Vec::new();
    for thread in &facts.crash.threads {
        let Some(called) = thread.calls.as_ref().filter(|called| called.class.contains('.') && !like(&called.class, LOCKED)) else {
            continue;
        };
        match all.iter_mut().find(|known| known.called == called) {
            Some(known) => known.threads.push(thread),
            None => all.push(Shared { called, threads: vec![thread] }),
        }
    }
    all.retain(|shared| shared.threads.len() > 1);
    all.into_iter().max_by_key(|shared| (shared.threads.iter().any(|thread| thread.crashed), shared.threads.len()))
}

impl Shared<'_> {
    /// As one line of evidence.
    pub(super) fn told(&self) -> String {
        let names: Vec<String> = self.threads.iter().map(|thread| racing::called(thread)).collect();
        let (last, others) = names.split_last().map_or((String::new(), &[][..]), |(last, others)| (last.clone(), others));
        format!("{} and {last} were in methods of one {} at {:#x}", others.join(", "), self.called.class, self.called.object)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::crash::Crash;
    use super::super::questions;
    use super::*;

    fn evidence(class: &str, objects: [u64; 3]) -> Vec<String> {
        let thread = |(at, object)| Thread {
            native_id: at,
            crashed: at == 1,
            calls: Some(Called { object, class: class.to_owned() }),
            ..Thread::default()
        };
        let threads = (1..).zip(objects).map(thread).collect();
        questions::of(&Crash { signal: "SIGSEGV".to_owned(), threads, ..Crash::default() }).evidence
    }

    #[test]
    fn threads_in_one_object_are_named() {
        let told = evidence("_pickle.Pickler", [64, 64, 128]);
        let expected = "thread 1 and thread 2 were in methods of one _pickle.Pickler at 0x40";
        assert!(told.iter().any(|line| line == expected), "{told:?}");
        let all = evidence("fastlog._core.Log", [64, 64, 64]);
        assert!(all.iter().any(|line| line.starts_with("thread 1, thread 2 and thread 3 were in methods of one")), "{all:?}");
    }

    #[test]
    fn those_in_different_ones_or_in_one_with_a_lock_are_not() {
        for (class, objects) in [("_pickle.Pickler", [64, 128, 192]), ("_thread.lock", [64; 3]), ("list", [64; 3])] {
            let told = evidence(class, objects);
            assert!(!told.iter().any(|line| line.contains("were in methods")), "{told:?}");
        }
    }
}
