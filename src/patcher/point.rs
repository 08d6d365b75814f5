//! What one probe is about: the contract between the patcher, which computes it, and the probes, which run.

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Action {
    ReadAttribute,
    WriteAttribute,
    DeleteAttribute,
    ReadItem,
    WriteItem,
    DeleteItem,
    Contains,
    ReadSlice,
    WriteSlice,
    /// After the iterator was made, which is the object.
    Iterate,
    /// The iterator, which is the object, is let go by the loop that made it.
    EndIteration,
    Truth,
    /// After the object was loaded, which a loop waits with: if it is a container, for what is put into it.
    Await,
    /// An in-place operator; the object is its left operand.
    Update,
    /// A method with a name of [`super::known_calls::METHODS`].
    Method,
    /// A function with a name of [`super::known_calls::FUNCTIONS`]; the object is one of its arguments.
    Function,
    ReadGlobal,
    WriteGlobal,
    DeleteGlobal,
    ReadCell,
    WriteCell,
    DeleteCell,
    /// After an import; the object is the module that `import` yields.
    Import,
    /// Before a coroutine hands over to its loop.
    Suspend,
    /// Entry of `__del__`.
    Finalize,
}

/// What the probe gets as the key of `del site[...]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// The site itself.
    Site,
    /// What is at this depth of the stack; 1 is its top before the probe.
    Stack(u16),
    /// What a local variable holds: of a cell variable, the cell.
    Local(u16),
    /// What a cell variable refers to.
    Cell(u16),
}

/// A value on which a thread acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActsAt {
    /// This number.
    Number(u8),
    /// A string or a named constant, by a number that equal ones share.
    Key(u64),
    /// The one of the local variable with which it is compared ([`Point::compared`]).
    Local,
}

/// A probe.  Depths of the stack count from 1, its top before the probe; 0 is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point<'a> {
    /// What is done.
    pub action: Action,
    /// Of the instruction in the original code, in code units.
    pub unit: u32,
    /// Of the attribute, variable, method, function or module.
    pub name: Option<&'a str>,
    /// Usually the object.  Of a [`Action::Method`] with a callable it is the callable: the place of `self` may be empty (NULL), which
    /// bytecode must not touch.
    pub handed: Operand,
    /// So many probes before it is the one that stands for it as long as the object is private; 0 for none.
    pub behind: u32,
    /// Depth of the object; may be an empty place (NULL) for a [`Action::Method`] with a callable.
    pub object: u16,
    /// Depth of what is called; 0 if that is not known, and then the probe is before the method is looked up.
    pub callable: u16,
    /// Depth of the key.
    pub key: u16,
    /// Depth of the value that is stored.
    pub value: u16,
    /// What is read decides a jump.
    pub is_tested: bool,
    /// That jump leaves a loop: what is polled there is not acted on.
    pub is_polled: bool,
    /// The function gives the answer to its caller, who may act on it.
    pub is_asked: bool,
    /// An action on the same thing follows in the function.
    pub is_acting: bool,
    /// It acts on it if it is set, or if it is not, and otherwise waits for its turn.
    pub acts_if: Option<bool>,
    /// It acts on it if it is this, and otherwise waits for its turn.
    pub acts_at: Option<ActsAt>,
    /// Of a call of a method: arguments that are named, whose names are on top of the stack.
    pub keywords: u16,
    /// It looks for a place in a sequence, or puts something at a place that was looked for; or it asks a container how much there is in it, and
    /// puts something there under a key, or with a value, that is made of the answer.
    pub is_placed: bool,
    /// It asks a container whether there is something in it, and a loop over that container follows right away.
    pub is_guard: bool,
    /// Whether a variable is `None` decides the jump: something may be made on demand, by another function or another thread.
    pub is_lazy: bool,
    /// The value that is read is compared by its order: `if self.balance >= amount`.
    pub is_measured: bool,
    /// The loop goes on until it is set.
    pub is_awaited: bool,
    /// A loop, which writes nothing there itself, waits for what others do.
    pub is_waiting: bool,
    /// The function makes its answer of what is read.
    pub is_answering: bool,
    /// A loop, which takes nothing away itself, may wait until others have taken away what is in the container.
    pub is_drained: bool,
    /// It stores the time that the clock says: two threads that store it leave what one leaves.
    pub is_time: bool,
    /// The number by which the item is known that is read, or the attribute that a function reads.
    pub item: Option<u64>,
    /// What the container is called where it was loaded.
    pub container: Option<&'a str>,
    /// What is set there tells the function, or its caller, that something is done: it tests it, or waits for it, or returns it.
    pub is_heeded: bool,
    /// It takes what a check has found free: one of several states that were compared, or a place in a list that was looked through; or it is
    /// the check that looks for it, or for room.
    pub is_claim: bool,
    /// The function returns what is read: if that decides something, its caller knows.
    pub is_given: bool,
    /// It puts something into a dictionary or a set because there is room for it.
    pub is_bounded: bool,
    /// An exception is raised instead if a check has found it there already.
    pub is_refused: bool,
    /// It asks whether there is something in a container, or in a variable, and calls a function that may put it there if there is not; or it puts an
    /// item there in a function that is called if it is missing.
    pub is_filled: bool,
    /// Something is put into a container because there is nothing in it, or this is the look that decides that.
    pub is_first: bool,
    /// The key of the entry that is taken away was got from the container itself, after a look whether there is anything.
    pub is_drawn: bool,
    /// What is read of a sequence is taken away right after that.
    pub is_taken: bool,
    /// All that is in the object is copied, by a function that makes another container of it.
    pub is_copied: bool,
    /// The object is a view of the dictionary that is meant: `key in d.keys()`.
    pub is_viewed: bool,
    /// A loop goes through as many elements of a sequence, by their numbers, as there are.
    pub is_indexed: bool,
    /// It takes away all there is, whatever that is.
    pub is_emptied: bool,
    /// It is stored by whoever's turn it is.
    pub is_turn: bool,
    /// What is stored is a constant.
    pub is_constant: bool,
    /// Something was run since it was last asked what is in a container: what a method adds is an answer, and no claim.
    pub is_answer: bool,
    /// If what is to be taken away is not there, that is handled; if a container changes while it is gone through, that is done again.
    pub is_handled: bool,
    /// What is read is compared with what a function says of the calling thread.
    pub is_own: bool,
    /// The local variable that it is compared with, counted from 1; 0 for none.
    pub compared: u16,
    /// The argument of the function that it would store there if the check had told it to, as a local variable, counted from 1; 0 for none.
    pub would_store: u16,
    /// Likewise, the constant with a text.
    pub text: Option<u32>,
    /// Likewise, the small number.
    pub number: Option<u32>,
    /// A number for the state that what is read is compared with, if the function gives the answer to its caller; or for the one that is stored.
    pub state: Option<u64>,
}

/// Its items are the attributes.
pub(super) const DICTIONARY: &str = "__dict__";

impl Point<'_> {
    /// Whether the object gets a dictionary for its attributes, which another one may have as well.
    pub fn shares_attributes(&self) -> bool {
        self.action == Action::WriteAttribute && self.name == Some(DICTIONARY)
    }

    /// With nothing but the site.
    pub(super) fn bare(action: Action) -> Self {
        Point {
            action,
            unit: 0,
            name: None,
            handed: Operand::Site,
            behind: 0,
            object: 0,
            callable: 0,
            key: 0,
            value: 0,
            is_tested: false,
            is_polled: false,
            is_awaited: false,
            is_constant: false,
            is_answer: false,
            is_asked: false,
            is_acting: false,
            acts_if: None,
            acts_at: None,
            keywords: 0,
            is_placed: false,
            is_turn: false,
            is_handled: false,
            is_guard: false,
            is_own: false,
            compared: 0,
            would_store: 0,
            text: None,
            number: None,
            state: None,
            is_lazy: false,
            is_measured: false,
            is_waiting: false,
            is_answering: false,
            item: None,
            container: None,
            is_heeded: false,
            is_claim: false,
            is_bounded: false,
            is_given: false,
            is_refused: false,
            is_filled: false,
            is_first: false,
            is_drawn: false,
            is_taken: false,
            is_copied: false,
            is_viewed: false,
            is_indexed: false,
            is_emptied: false,
            is_drained: false,
            is_time: false,
        }
    }
}
