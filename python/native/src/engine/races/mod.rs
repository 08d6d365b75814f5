//! Data races in Python code: what becomes of an access of what threads share.
//!
//! A probe runs attached, inside `DELETE_SUBSCR`, right before the access.  It takes no lock but that of a shadow cell or of a shard of the
//! synchronisation table, which are held for a few instructions; before a race is found it neither allocates nor calls Python code.
//!
//! | module | holds |
//! |---|---|
//! | [`probe`] | the native object that patched code calls, and the fast path |
//! | [`probe_site`], [`shared`] | what a probe knows of its access; the tables that all probes share |
//! | [`folds`] | probes that another one stands for |
//! | [`accesses`] | which object, which part of it, what is done to it |
//! | [`touch`] | what is done to an object, as accesses of its parts |
//! | [`field`] | parts of objects that are no names or keys |
//! | [`slices`] | slices of sequences that are replaced |
//! | [`noted`] | one access, and the shadow memory |
//! | [`locations`], [`dictionaries`] | whether a name is a part of an object at all; the dictionary that has an object's attributes |
//! | [`states`] | what a process has once, and is read and replaced by calls |
//! | [`taken_off`], [`missing`] | properties that are taken off their class; dictionaries that fill in what is missing |
//! | [`containers`], [`values`], [`names`] | built-in containers; keys and values as numbers; names |
//! | [`walks`], [`by_numbers`] | iterations, step by step; loops that go by the numbers of elements |
//! | [`calls`], [`encoders`] | calls of C functions, seen at their entries; what encoders go through |
//! | [`callers`] | accesses without a probe: which code makes them |
//! | [`lives`], [`reused`] | objects by their lives; keys that are given to one thread after the other |
//! | [`own_thread`] | what names the calling thread |
//! | [`container_sync`] | containers as a means to hand objects over |
//! | [`handed_over`] | objects that are no secret of their maker's any more |
//! | [`given`], [`ways`] | what a thread has had since it was started; ways in which it could come to an object |
//! | [`demands`] | checks whose function leaves it to others to act |
//! | [`flags`] | variables that tell others that something is done |
//! | [`waits`] | names for which loops wait |
//! | [`turns`] | whose turn it is, as a small number |
//! | [`confirm`] | pauses that make harm happen |
//! | [`sampling`] | slices of time in which data races are looked for |
//! | [`review`] | locksets and the inventory of shared state |

pub(crate) mod accesses;
mod by_numbers;
pub(crate) mod callers;
pub(crate) mod calls;
pub(crate) mod confirm;
pub(crate) mod container_sync;
pub(crate) mod containers;
pub(crate) mod demands;
mod dictionaries;
mod encoders;
mod field;
pub(crate) mod flags;
pub(crate) mod folds;
mod given;
pub(crate) mod handed_over;
mod lives;
pub(crate) mod locations;
mod missing;
pub(crate) mod names;
pub(crate) mod noted;
pub(crate) mod own_thread;
pub(crate) mod probe;
pub(crate) mod probe_site;
mod reused;
pub(crate) mod review;
pub(crate) mod sampling;
pub(crate) mod shared;
pub(crate) mod slices;
pub(crate) mod states;
pub(crate) mod taken_off;
pub(crate) mod touch;
pub(crate) mod turns;
pub(crate) mod values;
pub(crate) mod waits;
pub(crate) mod walks;
mod ways;
