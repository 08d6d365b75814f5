//! The stacks of all threads, as pytest-timeout prints them of a test that is too slow: outermost frame first, with lines of source.

use super::super::crash::{Crash, Thread};
use super::form::{Form, Found, MOST};
use super::frames::{self, MOST_FRAMES, Stacks, pattern};
use super::said;

/// The form.
pub(super) const FORM: Form = Form {
    name: "pytest-timeout",
    looks_like: "`~~~ Stack of MainThread (140123) ~~~` with `File \"/x.py\", line 5, in f`, between lines of `+++ Timeout +++`",
    signs: &["~ Stack of "],
    read,
};

pattern!(THREAD, r"~~ Stack of (.*) \((\d+)\) ~~");
pattern!(FRAME, r#"^\s*File "(.+?)", line (\d+), in (\S.*)$"#);
pattern!(BANNER, r"\+\+ Timeout \+\+");

fn read(pasted: &[String]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    let mut stacks = Stacks::default();
    let mut at = None;
    for (number, line) in pasted.iter().enumerate() {
        if let Some(thread) = THREAD.captures(line) {
            at.get_or_insert(number);
            stacks.begin(Thread { name: thread[1].to_owned(), ..Thread::default() });
        } else if let Some(frame) = FRAME.captures(line).filter(|_| at.is_some()) {
            let thread = stacks.current();
            if thread.python.len() < MOST_FRAMES {
                thread.python.push(frames::python(&frame[1], &frame[2], frame[3].trim()));
            }
        } else if BANNER.is_match(line)
            && let Some(at) = at.take()
        {
            // It ends the stacks of one test.
            found.push(finished(at, std::mem::take(&mut stacks)));
        }
    }
    found.extend(at.map(|at| finished(at, stacks)));
    found.truncate(MOST);
    found
}

fn finished(at: usize, mut stacks: Stacks) -> Found {
    stacks.threads.iter_mut().for_each(|thread| thread.python.reverse());
    let mut crash = Crash { message: said::TIMEOUT_OF_PYTEST.to_owned(), ..Crash::default() };
    stacks.finish(&mut crash);
    Found { at, crash }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACKS: &str = "~~~~~~~~ Stack of Thread-1 (work) (1401) ~~~~~~~~\n  File \"/lib/threading.py\", line 1044, in _bootstrap\n    self._bootstrap_inner()\n  \
                          File \"/srv/t.py\", line 22, in work\n    q.get()\n~~~~ Stack of MainThread (1400) ~~~~\n  File \"/srv/t.py\", line 9, in <module>\n";

    #[test]
    fn stacks_are_turned_round() {
        let crash = FORM.one(&format!("+++ Timeout +++\n\n{STACKS}\n+++ Timeout +++\n"));
        assert_eq!(crash.message, said::TIMEOUT_OF_PYTEST);
        let names: Vec<&str> = crash.threads.iter().map(|thread| thread.name.as_str()).collect();
        assert_eq!(names, ["Thread-1 (work)", "MainThread"]);
        assert_eq!((crash.threads[0].python[0].function.as_str(), crash.threads[0].python[0].line), ("work", 22));
    }

    #[test]
    fn each_test_has_its_own_and_one_that_is_cut_has_them_too() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(read(&lines(&format!("{STACKS}+++ Timeout +++\n+++ Timeout +++\n{STACKS}"))).len(), 2);
        assert!(read(&lines("+++ Timeout +++\n  File \"/srv/t.py\", line 22, in work\n")).is_empty());
    }
}
