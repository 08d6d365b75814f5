//! Watched calls: a method of an object that belongs to another thread or loop.

use super::descriptors::Descriptors;

/// A call, before it is known what it is reported as.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// The watched method.
    pub watched: &'a str,
    /// What the program called: that method, or a function of the library that calls it in turn (`gather`, `Queue.get`).
    pub operation: &'a str,
    /// The library called the watched method.
    pub is_nested: bool,
    /// Asks the object, a future, whether it is done.
    pub is_done: &'a dyn Fn() -> bool,
    /// The object is a task.
    pub is_task: &'a dyn Fn() -> bool,
}

/// A call that is reported.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Name of the object's class.
    pub class: &'a str,
    /// Method of that class.
    pub method: &'a str,
    /// What the program called, as in [`Attempt`].
    pub operation: &'a str,
    /// The calling thread, as titles have it: "thread 'worker'".
    pub thread: &'a str,
    /// Whose the object is: "while thread 'MainThread' runs the loop".
    pub relation: &'a str,
    /// The function of an installed package that the program called, if the call is that package's.
    pub outer: Option<&'a Outer>,
    /// The loops of the two threads.
    pub loops: Loops,
}

/// What decides how one thread hands a call to the other one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loops {
    /// The calling thread runs a loop of asyncio itself, which stands still if it waits.
    pub caller_is_in_asyncio: bool,
    /// The loop of the object is asyncio's.
    pub is_for_asyncio: bool,
}

/// A function of an installed package, which makes the call in turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outer {
    /// Qualified name.
    pub name: String,
    /// It is awaited.
    pub is_coroutine: bool,
    /// The thread that it is to be called in runs a loop of asyncio.
    pub is_for_asyncio: bool,
}

/// How a function is called in the thread whose objects it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandOver {
    /// Through asyncio's loop.
    Asyncio,
    /// Through Twisted's reactor.
    Twisted,
    /// Through trio or anyio, unless the loop is asyncio's.
    Trio,
    /// There is no way but the rule's.
    None,
}

impl HandOver {
    /// What to do about a call of this function.
    pub fn advice(self, outer: &Outer) -> Option<String> {
        let name = &outer.name;
        let own = "or give each thread an object of its own";
        Some(match (self, outer.is_coroutine) {
            (HandOver::None, _) => return None,
            (HandOver::Twisted, _) => {
                format!(
                    "reactor.callFromThread({name}, ...), or threads.blockingCallFromThread(reactor, {name}, ...) for its result"
                )
            }
            (HandOver::Trio, is_coroutine) if !outer.is_for_asyncio => {
                let function = if is_coroutine { "run" } else { "run_sync" };
                format!(
                    "trio.from_thread.{function}({name}, ...) or anyio.from_thread.{function}({name}, ...), in a thread that is not of to_thread with trio_token or token of the run, or portal.call({name}, ...), {own}"
                )
            }
            (HandOver::Asyncio | HandOver::Trio, true) => {
                format!(
                    "await it in the loop that it belongs to: asyncio.run_coroutine_threadsafe({name}(...), loop).result(), {own}"
                )
            }
            (HandOver::Asyncio | HandOver::Trio, false) => format!("loop.call_soon_threadsafe({name}, ...), {own}"),
        })
    }

    /// The advice as it is for these loops.
    pub fn for_loops(self, advice: String, loops: Loops) -> String {
        const WAITED: [&str; 2] = ["asyncio.run_coroutine_threadsafe(", ", loop).result()"];
        let mut advice = advice;
        if self == HandOver::Trio && loops.is_for_asyncio {
            // anyio runs on asyncio, and there is no run of trio.
            for of_trio in ["trio.from_thread.run_sync(f) or ", "trio.from_thread.run(f) or ", "trio_token=, "] {
                advice = advice.replace(of_trio, "");
            }
        }
        let awaited = || {
            let (before, rest) = advice.split_once(WAITED[0])?;
            let (coroutine, after) = rest.split_once(WAITED[1])?;
            Some(format!("{before}await asyncio.wrap_future({}{coroutine}, loop)){after}", WAITED[0]))
        };
        if loops.caller_is_in_asyncio { awaited().unwrap_or(advice) } else { advice }
    }
}

/// Names another rule, by the `id` of its `RULE`.
pub type RuleId = &'static str;

/// What a rule says of calls.
#[derive(Debug)]
pub struct Calls {
    /// What was done, for the title.
    pub what: fn(&Call<'_>) -> String,
    /// Calls of this rule's that the tables list under another one.
    pub claims: fn(&Attempt<'_>) -> bool,
    /// Calls that are not reported.
    pub excepts: fn(&Attempt<'_>) -> bool,
    /// Silent at a line where one of these has found something already.
    pub said_by: &'static [RuleId],
    /// At a line where one of these has found something already, what the other thread does is added to that.
    pub joins: &'static [RuleId],
    /// Types that others are made of: silent at a line where this rule has found something already.
    pub beneath: &'static [&'static str],
    /// All calls on the way from one line of the program are one misuse.
    pub is_one_per_line: bool,
    /// The calls end in system calls on descriptors, or in another watched object, which are not looked at then.
    pub covers_what_it_calls: bool,
    /// What system calls show of the same misuse.
    pub system_calls: Option<Descriptors>,
    /// How calls that a package makes for the program are made right.
    pub hand_over: HandOver,
    /// What a crash looks like that such a call causes.
    pub crash: Crash,
}

/// What is on the stack of a crash.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    /// Parts of the names of Python files.
    pub files: &'static [&'static str],
    /// Beginnings of native functions.
    pub symbols: &'static [&'static str],
    /// A finding of the rule makes it likely that this is the cause, and not sure.
    pub is_only_likely: bool,
}

impl Crash {
    /// None is known.
    pub const UNKNOWN: Crash = Crash { files: &[], symbols: &[], is_only_likely: false };
}

impl Calls {
    /// What most rules say.
    pub const PLAIN: Calls = Calls {
        what: |call| call.called(),
        claims: |_| false,
        excepts: |_| false,
        said_by: &[],
        joins: &[],
        beneath: &[],
        is_one_per_line: false,
        covers_what_it_calls: false,
        system_calls: None,
        hand_over: HandOver::Asyncio,
        crash: Crash::UNKNOWN,
    };
}

impl Call<'_> {
    /// "Queue.get() called"
    pub fn called(&self) -> String {
        match self.method {
            "__init__" => format!("{} created for a foreign loop", self.class),
            // Attributes of greenlets, and properties that are set.
            attribute @ ("gr_frame" | "gr_context") => format!("{}.{attribute} read", self.class),
            attribute @ ("deadline" | "shield") if self.class == "CancelScope" => format!("{}.{attribute} set", self.class),
            method => format!("{}.{method}() called", self.class),
        }
    }
}
