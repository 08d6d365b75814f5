//! pytest-xdist: a worker that is gone, and the test that it was running.  Its dump is elsewhere, if there is one.

use super::super::crash::Crash;
use super::form::{Form, Found};
use super::frames::pattern;

/// The form.
pub(super) const FORM: Form = Form {
    name: "pytest-xdist",
    looks_like: "\"worker 'gw0' crashed while running 'tests/test_x.py::test_y'\", \"[gw0] node down: Not properly terminated\"",
    signs: &["crashed while running", "node down: "],
    read,
};

pattern!(CRASHED, r"worker '?(gw\d+)'? crashed while running ['\x22]([^'\x22]+)['\x22]");
pattern!(DOWN, r"\[(gw\d+)\] node down: (.*)$");

fn read(pasted: &[String]) -> Vec<Found> {
    let crashed = pasted.iter().enumerate().find_map(|(at, line)| {
        let found = CRASHED.captures(line)?;
        Some((at, format!("pytest's worker {} died while it ran {}", &found[1], &found[2])))
    });
    let down = || {
        pasted.iter().enumerate().find_map(|(at, line)| {
            let found = DOWN.captures(line)?;
            Some((at, format!("pytest's worker {} died: {}", &found[1], found[2].trim())))
        })
    };
    let found = crashed.or_else(down).map(|(at, message)| Found { at, crash: Crash { message, ..Crash::default() } });
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_that_was_running_is_named() {
        let of = |line: &str| read(&[line.to_owned()]).into_iter().next().map(|found| found.crash.message);
        let told = of("E   worker 'gw3' crashed while running 'tests/test_a.py::test_b[1]'").unwrap();
        assert_eq!(told, "pytest's worker gw3 died while it ran tests/test_a.py::test_b[1]");
        assert!(of("[gw11] node down: Not properly terminated").unwrap().contains("gw11"));
        assert!(of("[gw1] PASSED").is_none());
    }
}
