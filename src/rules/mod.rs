//! The rules: one file each, with its manual page, severity, titles and fix.
//!
//! To add one: copy a file, name it as the rule is named, give it the next free id of its family, add it to [`ALL`], and write
//! `tests/programs/<id>/fires_*.py` and `quiet_*.py`.  A test compares ids, file names and the rule table of the README.

mod check_then_act;
mod concurrent_registration;
mod conflicting_writes;
mod coroutine_driven_by_two_threads;
mod deferred_fired_off_thread;
mod double_close;
mod fd_closed_while_polled;
mod fd_reused_while_registered;
mod foreign_await;
mod future_settled_off_thread;
mod greenlet_foreign_switch;
mod handle_cancelled_off_thread;
mod hub_primitive_shared;
mod iteration_race;
mod iterator_shared;
mod lock_held_across_await;
mod lock_order_inversion;
mod lock_released_by_other_thread;
mod loop_call_off_thread;
mod loop_gone;
mod loop_lifecycle;
mod lost_update;
mod primitive_shared_across_loops;
mod process_fd_redirected;
mod process_state_swapped;
mod reactor_call_off_thread;
mod selector_shared;
mod stale_read;
mod stream_socket_interleaved;
mod task_touched_off_thread;
mod tls_object_shared;
mod transport_used_off_thread;
mod trio_anyio_off_thread;
mod twisted_transport_off_thread;
mod unsafe_publication;

/// How bad a finding is.  `error` and `warning` change the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; changes no exit status.
    Info,
    /// Likely wrong.
    Warning,
    /// Wrong.
    Error,
}

/// One rule, whole.
#[derive(Debug)]
pub struct Rule {
    /// `FT` and three digits; a contract.
    pub id: &'static str,
    /// Short name in words; a contract.
    pub name: &'static str,
    /// Severity of its findings.
    pub severity: Severity,
    /// What to do about it, in one line, under every finding.
    pub fix: &'static str,
    /// Manual page in Markdown, shown by `ftsan explain`.
    pub manual: &'static str,
}

/// Every rule, by id.
pub static ALL: &[&Rule] = &[
    &loop_call_off_thread::RULE,
    &future_settled_off_thread::RULE,
    &task_touched_off_thread::RULE,
    &foreign_await::RULE,
    &transport_used_off_thread::RULE,
    &primitive_shared_across_loops::RULE,
    &handle_cancelled_off_thread::RULE,
    &coroutine_driven_by_two_threads::RULE,
    &loop_lifecycle::RULE,
    &loop_gone::RULE,
    &fd_closed_while_polled::RULE,
    &fd_reused_while_registered::RULE,
    &concurrent_registration::RULE,
    &selector_shared::RULE,
    &stream_socket_interleaved::RULE,
    &double_close::RULE,
    &process_fd_redirected::RULE,
    &tls_object_shared::RULE,
    &reactor_call_off_thread::RULE,
    &deferred_fired_off_thread::RULE,
    &twisted_transport_off_thread::RULE,
    &greenlet_foreign_switch::RULE,
    &hub_primitive_shared::RULE,
    &trio_anyio_off_thread::RULE,
    &lost_update::RULE,
    &check_then_act::RULE,
    &iteration_race::RULE,
    &conflicting_writes::RULE,
    &iterator_shared::RULE,
    &unsafe_publication::RULE,
    &stale_read::RULE,
    &process_state_swapped::RULE,
    &lock_order_inversion::RULE,
    &lock_held_across_await::RULE,
    &lock_released_by_other_thread::RULE,
];

/// The rule with this id or name, in any case.
pub fn find(id_or_name: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id.eq_ignore_ascii_case(id_or_name) || rule.name.eq_ignore_ascii_case(id_or_name))
}

impl Rule {
    /// The whole page for `ftsan explain`.
    pub fn page(&self) -> String {
        let severity = format!("{:?}", self.severity).to_lowercase();
        format!("{} {} ({severity})\n\n{}\n\nFix: {}\n", self.id, self.name, self.manual.trim(), self.fix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_sorted() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id));
    }

    #[test]
    fn every_page_shows_the_mistake_and_the_remedy() {
        for rule in ALL {
            for heading in ["## What it finds", "## Why it matters", "## Not reported"] {
                assert!(rule.manual.contains(heading), "{}: {heading}", rule.id);
            }
            assert!(rule.manual.contains("    "), "{}: an example", rule.id);
        }
    }

    #[test]
    fn a_rule_is_found_by_id_and_by_name() {
        assert_eq!(find("ft101").unwrap().id, "FT101");
        assert_eq!(find("foreign-await").unwrap().id, "FT104");
        assert!(find("FT999").is_none());
    }
}
