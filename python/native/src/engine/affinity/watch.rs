//! The watches: one [`Watch`] per hooked function or method, made from the tables in `python/ftsan/watch/`.

use ftsan::bindings::Bindings;
use ftsan::loops::Realm;
use ftsan::recording::operation::Operation;
use ftsan::rules::Rule;
use pyo3::ffi;
use std::sync::atomic::AtomicUsize;

/// How the owner of an object is found, or what else is to be done when the function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum OwnerKind {
    /// The object is the loop.
    Loop,
    /// The object has its loop in an attribute, and its birth is watched.
    Attribute,
    /// The object has its loop in an attribute; its birth is not watched, so nothing may be remembered of it.
    AttributeOnly,
    /// The object is of an extension type and has its loop in a field that is found by looking ([`crate::engine::affinity::loop_field`]).
    Field,
    /// The object is a C-accelerated Future or Task.
    Future,
    /// As `Future`, if the object is one at all.
    FutureArgument,
    /// The object has none of its own and belongs to the first loop that touches it.
    Primitive,
    /// As `Primitive`, where a task waits for it: it keeps the loop of the first one.
    Waits,
    /// The object belongs to the thread it was made in.
    Thread,
    /// The object belongs to the thread that uses it first.
    Hub,
    /// The object is used by one thread at a time.
    OneAtATime,
    /// The object is a coroutine or a generator: one thread drives it at a time.
    Coroutine,
    /// As `Coroutine`, where a task of asyncio resumes it.
    CoroutineStep,
    /// The object is an asynchronous generator: one thread drives it at a time, and it belongs to the loop that iterates it first.
    AsyncGenerator,
    /// As `Coroutine`, for what `__anext__` and `asend` return: it drives its generator.
    AsyncStep,
    /// The object is a `contextvars.Context`: one thread is in it at a time.
    Context,
    /// The object is a loop, and the calling thread starts running it.
    LoopStarts,
    /// The object is a loop, and the calling thread stops running it.
    LoopStops,
    /// The object is a loop, and comes to life here or ends.
    LoopBorn,
    /// `__init__` of a primitive.
    PrimitiveBorn,
    /// Creation of what belongs to the thread it is made in.
    ThreadBorn,
    /// `__init__` of anything else that is watched, or `Thread.start`.
    Born,
    /// The calling thread calls into a loop through a portal, and waits for the answer.
    Portal,
    /// The object is a loop, and is asked whether it is closed.
    AsksClosed,
    /// The object is a loop, and is handed a call.
    HandsOver,
}

/// The kinds by the names that the tables use.
const NAMES: [(&str, OwnerKind); 25] = [
    ("loop", OwnerKind::Loop),
    ("attribute", OwnerKind::Attribute),
    ("attribute-only", OwnerKind::AttributeOnly),
    ("field", OwnerKind::Field),
    ("future", OwnerKind::Future),
    ("future-argument", OwnerKind::FutureArgument),
    ("first-use", OwnerKind::Primitive),
    ("first-use-waits", OwnerKind::Waits),
    ("thread", OwnerKind::Thread),
    ("hub", OwnerKind::Hub),
    ("one-at-a-time", OwnerKind::OneAtATime),
    ("coroutine", OwnerKind::Coroutine),
    ("coroutine-step", OwnerKind::CoroutineStep),
    ("async-generator", OwnerKind::AsyncGenerator),
    ("async-step", OwnerKind::AsyncStep),
    ("context", OwnerKind::Context),
    ("loop-starts", OwnerKind::LoopStarts),
    ("loop-stops", OwnerKind::LoopStops),
    ("loop-born", OwnerKind::LoopBorn),
    ("first-use-born", OwnerKind::PrimitiveBorn),
    ("thread-born", OwnerKind::ThreadBorn),
    ("born", OwnerKind::Born),
    ("portal", OwnerKind::Portal),
    ("asks-closed", OwnerKind::AsksClosed),
    ("hands-over", OwnerKind::HandsOver),
];

/// How many kinds there are.
pub(crate) const KINDS: usize = NAMES.len();

impl OwnerKind {
    /// By the name that the tables use.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Whether it is about who uses an object, and not about what becomes of it.
    pub(crate) const fn is_check(kind: u8) -> bool {
        kind < OwnerKind::LoopStarts as u8
    }

    /// Whether what a misused call does in turn belongs to it.  Not if it runs other code of the program meanwhile.
    pub(crate) fn is_one_action(self) -> bool {
        matches!(
            self,
            OwnerKind::Loop
                | OwnerKind::Field
                | OwnerKind::Future
                | OwnerKind::Attribute
                | OwnerKind::AttributeOnly
                | OwnerKind::Primitive
                | OwnerKind::Waits
                | OwnerKind::OneAtATime
        )
    }
}

/// A watched function or method.  Lives as long as the process.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) kind: OwnerKind,
    /// What kind of loop it is about.
    pub(crate) realm: Realm,
    /// What a misuse is reported as.
    pub(crate) rule: &'static Rule,
    /// Name of the method.
    pub(crate) operation: String,
    /// What recordings know it as.
    pub(crate) recorded_as: Operation,
    /// Frames of our own making between the hook and its caller: 1 for a function with a prologue, 0 for a C method.
    pub(crate) frames: usize,
    /// What belongs to whom, of this process.
    pub(crate) bindings: &'static Bindings,
    /// The interned name of the attribute that has the loop, or what belongs to one; null for none.
    pub(crate) attribute: Attribute,
    /// Of objects that several threads may use in different ways, each way on its own: names of the methods of one way.
    pub(crate) way: Vec<String>,
    /// What tells that way from the others, added to the address of the object; 0 for none.
    pub(crate) way_offset: usize,
    /// `_loop`, interned.
    pub(crate) loop_attribute: Attribute,
    /// The thread that made what belongs to a loop may call this as well, and one that has a portal, while these attributes are empty.
    pub(crate) may_while_empty: Vec<Attribute>,
    /// Objects of this type (address) may be used from any thread; 0 for none.
    pub(crate) except: usize,
    /// The class of loops (address) of objects that have theirs in a field; 0 for none.
    pub(crate) loop_class: usize,
    /// Where objects have their loop, in bytes; 0 until it was found.
    pub(crate) field: AtomicUsize,
}

/// An interned string.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute(pub(crate) *mut ffi::PyObject);
// SAFETY: interned strings are immutable, and this one is never released.
unsafe impl Send for Attribute {}
// SAFETY: as above.
unsafe impl Sync for Attribute {}
