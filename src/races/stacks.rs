//! What the engine asks of the stacks of two accesses, which it knows by their numbers.

/// What is asked of the numbers of two stacks; no answer waits or calls Python.
#[derive(Clone, Copy)]
pub struct Stacks {
    /// Whether the answers that both asked for decide the same.
    pub decide_the_same: fn(u32, u32) -> bool,
    /// Whether the second one is that of an act by the call that the first one's answer was for.
    pub act_for: fn(u32, u32) -> bool,
    /// Whether the second one is that of what the caller of the first one's function does itself.
    pub is_in_caller: fn(u32, u32) -> bool,
}

impl Default for Stacks {
    /// Only the same one decides the same, and none is that of a caller.
    fn default() -> Self {
        Stacks { decide_the_same: |one, other| one == other, act_for: |_, _| false, is_in_caller: |_, _| false }
    }
}
