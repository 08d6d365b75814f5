//! What a process has once and is often replaced for a while: two threads that do so put back what the other one had put there.
//!
//! Not among them: what is set for good (`random.seed`, `signal.signal`, `logging` levels), and what is only a hint (`gc.disable`).  `time.tzset` follows
//! `os.environ`, of which the swap is seen.

/// Something that a process has once, and functions read and replace.
#[derive(Debug, PartialEq, Eq)]
pub struct State {
    /// What it is called.
    pub name: &'static str,
    /// Which argument of the function that replaces it is what it is replaced by, from 1: without that, the function asks.  0 if it never does.
    pub argument: u16,
    /// With `None` for an argument, the function asks as well.
    pub none_asks: bool,
}

const fn state(name: &'static str, argument: u16) -> State {
    State { name, argument, none_asks: false }
}

pub(super) static DIGITS: State = state("the limit of digits of integers", 1);
// The same path from two places is not the same.
pub(super) static DIRECTORY: State = state("the current directory", 0);
pub(super) static FIELD_SIZE: State = state("the size limit of CSV fields", 1);
pub(super) static GROUP: State = state("the effective group", 1);
pub(super) static INTERVAL: State = state("the switch interval", 1);
pub(super) static LOCALE: State = State { none_asks: true, ..state("the locale", 2) };
pub(super) static RECURSION: State = state("the recursion limit", 1);
pub(super) static STACK_SIZE: State = state("the stack size of new threads", 1);
pub(super) static TIMEOUT: State = state("the default timeout of sockets", 1);
pub(super) static UMASK: State = state("the umask", 1);
pub(super) static USER: State = state("the effective user", 1);
