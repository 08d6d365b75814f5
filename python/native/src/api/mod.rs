//! The Python surface of `ftsan._native`; its types are declared in `python/ftsan/_native.pyi`.
//!
//! | module | functions for |
//! |---|---|
//! | [`process`], [`fork`] | the beginning of a watched process, and of its children |
//! | [`attach`] | a process that somebody attaches to, and leaves again |
//! | [`affinity`] | what is watched for calls from the wrong thread |
//! | [`races`] | what orders threads, and whose code has probes |
//! | [`report`] | what was found |
//! | [`options`], [`crashes`], [`audit`] | the launcher: options, command line, rules; triage; what files of extension modules say |

mod affinity;
mod attach;
mod audit;
mod crashes;
mod fork;
mod options;
mod process;
mod races;
mod report;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _native {
    /// Version of ftsan.
    #[pymodule_export]
    #[allow(non_upper_case_globals)]
    const __version__: &str = ftsan::VERSION;

    #[pymodule_export]
    use super::affinity::{
        adopt_running_loop, check_declaration, declarations, declare_boundary, declare_carrier, declare_carrier_of,
        declare_library, declare_passage, declare_run_until_complete, declare_thread_safe, expect_classes, is_watched,
        watch_allocation, watch_birth, watch_contexts, watch_coroutines, watch_function, watch_futures, watch_given,
        watch_maker_of_interpreters, watch_method, watch_results, watch_running_loop,
    };
    #[pymodule_export]
    use super::attach::{
        adopt_loop, adopt_loops_in, adopt_running_loops, ask_thread, attach, attach_hooks, is_over, learn_running_loops, leave,
        leave_out, look, nudge, options_of_attach, take_back, threads_of,
    };
    #[pymodule_export]
    use super::audit::{bad_versions, read_extension};
    #[pymodule_export]
    use super::crashes::{ask_process, forms_table, group_crashes, loops_of, read_dump, read_recording, triage, waits, waits_of};
    #[pymodule_export]
    use super::options::{
        check_options, configured, encode_options, find_rule, no_such_rule, not_watched, options, parse_command_line, printable,
        rules_table, statuses,
    };
    #[pymodule_export]
    use super::process::{
        after_fork_in_child, begin_strand, begins_with_gil, connect_hooks, is_started, refuse_second_interpreter,
        requires_gil_disabled, say, set_environment, speak, start, verify_layouts, watch_extension_modules, watch_posix,
    };
    #[cfg(not(Py_GIL_DISABLED))]
    #[pymodule_export]
    use super::races::share_births;
    #[pymodule_export]
    use super::races::{
        epoch, hands_originals, has_seen, ignore_lock, instrument_chosen, instrumented, leave_unpatched, modules_of_iterators,
        order_appends, order_caches, order_callbacks, order_function, order_method, order_threads, start_races, unknown_opcodes,
        wants_races, watch_call, watch_encoder, watch_getter, watch_iterators, watch_locks, watch_tasks, watched_calls,
    };
    #[pymodule_export]
    use super::report::{
        check_formats, check_report, conclude, confirmation, count_package, create_tally, end, finish_report, flush, is_installed,
        merge_reports, name_occurrences_by, read_report, render, render_report, render_with, report, report_formats, set_gil,
        start_inventory, start_report, take_occurrences, turn_off, watched_names, write_inventory,
    };
}
