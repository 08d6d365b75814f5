//! The one way of a finding, whatever family it is of.
//!
//! A family hands in a [`Case`].  If the same call from the same place is a finding already, it is counted; if not, the case is made one,
//! suppressed or recorded, printed and put into the report.  Then the calling thread does as `--on-finding` says.

use crate::findings::store::FindingKey;
use crate::findings::{current_test, occurrences, process, sources};
use crate::thread::hooks_link;
use crate::thread::outcome::Outcome;
use ftsan::options::OnFinding;
use ftsan::report::model::ignore;
use ftsan::report::suppress::Suppression;
use ftsan::report::{Access, Finding, Role, programs_line};
use ftsan::rules::Severity;
use pyo3::ffi;
use pyo3::prelude::*;

pyo3::import_exception!(ftsan, Misuse);

/// How `ftsan.Misuse` reaches the calling thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Raises {
    /// The intercepted call raises it.
    Now,
    /// A system call cannot raise: the thread does as soon as it is in Python code again.
    Later,
    /// The thread whose doing it is has never been in Python code.
    Nowhere,
}

/// What a case adds to the finding that it is another occurrence of.
#[derive(Default)]
pub(crate) struct Addition {
    /// What the other side was doing this time.
    pub(crate) owners: Vec<Access>,
    /// What else the same call of the program leads to.
    pub(crate) inner: Option<Access>,
    /// The harm was seen to happen.
    pub(crate) witnessed: bool,
}

/// A misuse, before it is known whether it is a new one.
pub(crate) trait Case {
    /// The finding, if there is one after all.
    fn finding(self) -> Option<Finding>;

    /// What is new about another occurrence.  `is_sampled`: now and then, when a look at the other side is worth its cost.
    fn again(self, is_sampled: bool) -> Addition;
}

/// A finding that is made if it is a new one, and has nothing to add to an old one.
pub(crate) struct Found<F>(pub(crate) F);

impl<F: FnOnce() -> Finding> Case for Found<F> {
    fn finding(self) -> Option<Finding> {
        Some(self.0())
    }

    fn again(self, _: bool) -> Addition {
        Addition::default()
    }
}

/// Reports a case of the calling thread.  Returns [`Outcome::Continue`] if it is none after all.
pub(crate) fn report(py: Python<'_>, place: FindingKey, raises: Raises, case: impl Case) -> Outcome {
    let process = process::get();
    if !process.is_looking() {
        return Outcome::Continue;
    }
    let test = current_test::of_pytest(py);
    let recorded = match process.seen_again(&place, test.as_deref()) {
        Some(again) => {
            if !again.is_suppressed {
                let is_sampled = again.count.is_power_of_two();
                let Addition { owners, inner, witnessed } = case.again(is_sampled);
                let is_news = !owners.is_empty() && is_sampled || inner.is_some();
                process.add_inner(again.known, inner);
                process.add(again.known, owners, witnessed);
                if is_news {
                    py.detach(|| process.write_news(Some(again.known)));
                }
            }
            again
        }
        None => {
            let Some(finding) = case.finding() else { return Outcome::Continue };
            let ignored = py.detach(|| ignored_on_a_line(&finding));
            let recorded = process.record(place, finding, ignored, test);
            if recorded.is_new && !recorded.is_suppressed {
                py.detach(|| process.tell(recorded.known, recorded.in_place_of.as_deref()));
            }
            recorded
        }
    };
    let (severity, message) = process.headline(recorded.known);
    if !recorded.is_suppressed && severity != Severity::Info {
        occurrences::note(py, recorded.known);
    }
    match process.options.on_finding {
        _ if recorded.is_suppressed || severity == Severity::Info => Outcome::Misuse,
        OnFinding::Log => Outcome::Misuse,
        OnFinding::Raise => raise(py, raises, message),
        OnFinding::Abort => std::process::abort(),
    }
}

/// The acceptance of a finding on a line of its own: the innermost one of each access, and the innermost of the program.  To be
/// called detached.
fn ignored_on_a_line(finding: &Finding) -> Option<Suppression> {
    let accesses = finding.accesses.iter().filter(|access| matches!(access.role, Role::Offending | Role::Earlier));
    let frames = accesses.flat_map(|access| access.stack.first().into_iter().chain(programs_line(&access.stack)));
    let _paused = hooks_link::Paused::begin();
    frames.into_iter().find_map(|frame| {
        let line = sources::line(&frame.file, frame.line)?;
        ignore::on_line(&line, &frame.file, frame.line, finding)
    })
}

fn raise(py: Python<'_>, raises: Raises, message: String) -> Outcome {
    match raises {
        Raises::Now => {
            Misuse::new_err(message).restore(py);
            Outcome::Raised
        }
        Raises::Later => {
            let class = py.get_type::<Misuse>();
            // SAFETY: attached; the class is alive.
            unsafe { ffi::PyThreadState_SetAsyncExc(ffi::PyThread_get_thread_ident() as i64, class.as_ptr()) };
            Outcome::Misuse
        }
        Raises::Nowhere => Outcome::Misuse,
    }
}
