//! How calls reach us.  Nothing here knows a rule: each module swaps, injects or patches, and asks the engine.
//!
//! | module | intercepts |
//! |---|---|
//! | [`c_method`] | C methods, by the swapped `PyMethodDef.ml_meth`; [`watched_methods`], [`container_calls`] and operations of [`sync`] are its hooks |
//! | [`type_slot`] | type slots, by swapped pointers; [`constructors`], [`future_slots`], [`coroutine_steps`] are made of them |
//! | [`iterator_steps`] | steps of built-in iterators, whoever makes them |
//! | [`cython`] | methods that Cython makes |
//! | [`python_function`], [`call_site`] | Python functions, by three injected instructions and the site that they call; [`given_away`] is one for what they call later |
//! | [`sync`] | everything that orders threads: locks, queues, thread starts, caches, callbacks |
//! | `birth_tracers` | what else hears of births, on builds with the GIL |
//! | [`process_end`], [`fork_calls`], [`extension_load`] | what ends a process at once; what forks; what loads extension modules |
//! | [`tracers`] | what begins to trace, profile or monitor |
//! | [`syscalls`] | system calls, through the injected library |
//! | [`bytecode`] | probes in patched code objects |
//! | [`masquerade`] | hides the patched code from the program |

#[cfg(not(Py_GIL_DISABLED))]
pub(crate) mod birth_tracers;
pub(crate) mod bytecode;
pub(crate) mod c_method;
pub(crate) mod call_site;
pub(crate) mod constructors;
pub(crate) mod container_calls;
pub(crate) mod coroutine_steps;
pub(crate) mod cython;
pub(crate) mod extension_load;
pub(crate) mod fork_calls;
pub(crate) mod future_slots;
pub(crate) mod given_away;
pub(crate) mod iterator_steps;
pub(crate) mod masquerade;
pub(crate) mod process_end;
pub(crate) mod python_function;
pub(crate) mod sync;
pub(crate) mod syscalls;
pub(crate) mod tracers;
pub(crate) mod type_slot;
pub(crate) mod watched_methods;
