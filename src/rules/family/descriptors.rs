//! System calls: two threads on one descriptor.

use crate::descriptors::Suspicion;

/// What happened.
#[derive(Debug, Clone, Copy)]
pub struct SystemCall<'a> {
    /// What threads did to each other.
    pub suspicion: &'a Suspicion,
    /// What the descriptor is, or was, with its number: "socket 5".
    pub what: &'a str,
    /// What its number stands for now: "a file".
    pub now: &'a str,
    /// Name of the thread that the finding is about.
    pub thread: &'a str,
    /// Name of the other one.
    pub other: &'a str,
    /// What the other one does, or of a selector the method that this one called.
    pub operation: &'a str,
    /// The thread that the finding is about is the victim.
    pub is_victim: bool,
    /// Of two closes what the first and the second one was made by, if these are two: "its object", "its number".
    pub owners: Option<[&'a str; 2]>,
}

/// What a rule says of system calls.
#[derive(Debug)]
pub struct Descriptors {
    /// Whether this is one of its cases.
    pub applies: fn(&Suspicion) -> bool,
    /// The title.
    pub title: fn(&SystemCall<'_>) -> String,
}
