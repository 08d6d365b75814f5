//! What is watched: one [`Watch`] per hooked function or method, made from the tables in `python/ftsan/watch/`.

use ftsan::loops::Bindings;
use ftsan::rules::Rule;

/// How the loop that an object belongs to is found, or what else is to be done when the function is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// The object is the loop.
    Loop,
    /// The object has it in its attribute `_loop`, and its birth is watched.
    LoopAttribute,
    /// The object has it in its attribute `_loop`; its birth is not watched, so nothing may be remembered of it.
    LoopAttributeOnly,
    /// The object is a C-accelerated Future or Task.
    Future,
    /// The object has none of its own and belongs to the first loop that touches it.
    Primitive,
    /// `__init__` of a loop.
    LoopBorn,
    /// `__init__` of a primitive.
    PrimitiveBorn,
    /// `__init__` of anything else that is watched, or `Thread.start`.
    Born,
}

/// How many kinds there are.
pub(crate) const KINDS: usize = Kind::Born as usize + 1;

impl Kind {
    /// By the name that the tables use.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "loop" => Kind::Loop,
            "loop-attribute" => Kind::LoopAttribute,
            "loop-attribute-only" => Kind::LoopAttributeOnly,
            "future" => Kind::Future,
            "primitive" => Kind::Primitive,
            "loop-born" => Kind::LoopBorn,
            "primitive-born" => Kind::PrimitiveBorn,
            "born" => Kind::Born,
            _ => return None,
        })
    }
}

/// A watched function or method.  Lives as long as the process.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) kind: Kind,
    /// What a misuse is reported as.
    pub(crate) rule: &'static Rule,
    /// Name of the method.
    pub(crate) operation: String,
    /// Frames of our own making between the hook and its caller: 1 for a function with a prologue, 0 for a C method.
    pub(crate) frames: usize,
    /// Which loop uses what, of this process.
    pub(crate) bindings: &'static Bindings,
    /// Objects of this type (address) may be used from any thread; 0 for none.
    pub(crate) except: usize,
}
