//! Is this a misuse?  Nothing here formats, and nothing here allocates before the answer is yes.
//!
//! | module | decides |
//! |---|---|
//! | [`affinity`] | whether the thread may touch what belongs to a loop or a thread |
//! | [`races`] | whether two accesses are ordered |
//! | [`order`] | the calling thread's clock, and what objects hand over |
//! | [`counted`] | semaphores that several threads may hold at once |
//! | [`channels`] | pipes and sockets within the process |
//! | [`children`] | child processes between threads |
//! | [`file_locks`], [`databases`] | locks that are files; transactions |
//! | [`locks`] | the order that locks are taken in |
//! | [`forks`] | locks of threads that are not in the child |

pub(crate) mod affinity;
pub(crate) mod channels;
pub(crate) mod children;
pub(crate) mod counted;
pub(crate) mod databases;
pub(crate) mod file_locks;
pub(crate) mod forks;
pub(crate) mod locks;
pub(crate) mod order;
pub(crate) mod races;
