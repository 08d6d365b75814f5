//! Cases with signals, forks and load: what happens while a function is diverted, and after.

use super::bench::{Bench, CALL_OTHER, Nullary, Outcome, Unary, in_a_thread, must, must_be, plain};
use super::detours::{self};
use super::means::{rounds, say};
use crate::{Refused, Target};
use libc::c_int;
use std::ffi::CString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{ptr, thread};

static HANDLED: AtomicUsize = AtomicUsize::new(0);
static WRONG: AtomicUsize = AtomicUsize::new(0);

extern "C" fn handler(_: c_int) {
    // SAFETY: `call_other`.
    if unsafe { std::mem::transmute::<usize, Unary>(CALL_OTHER.load(Ordering::SeqCst))(1) } != 7 {
        WRONG.fetch_add(1, Ordering::SeqCst);
    }
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// Lets `signal` call `call_other`.
fn handle(bench: &Bench, signal: c_int) -> Outcome {
    CALL_OTHER.store(bench.unary(c"call_other")? as usize, Ordering::SeqCst);
    // SAFETY: a handler that only calls.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        must_be!(libc::sigaction(signal, &raw const action, ptr::null_mut()), 0, "sigaction");
    }
    Ok(())
}

fn handled_right() -> Outcome {
    must_be!(WRONG.load(Ordering::SeqCst), 0, "wrong results in the handler");
    must!(HANDLED.load(Ordering::SeqCst) > 0, "no signal arrived");
    Ok(())
}

fn handled_and_diverted() -> Outcome {
    handled_right()?;
    must_be!(detours::conf_other.calls(), HANDLED.load(Ordering::SeqCst), "calls of the detour in the handler");
    Ok(())
}

/// Calls `what` for a while, interrupted all the time.
fn interrupt(what: impl Fn() -> bool) -> Outcome {
    // SAFETY: a timer, which is stopped again.
    let every = |microseconds| unsafe {
        let interval = libc::timeval { tv_sec: 0, tv_usec: microseconds };
        libc::setitimer(libc::ITIMER_REAL, &libc::itimerval { it_interval: interval, it_value: interval }, ptr::null_mut());
    };
    every(100);
    let started = Instant::now();
    let mut right = true;
    while started.elapsed() < Duration::from_millis(700) && right {
        right = (0..1000).all(|_| what());
    }
    every(0);
    must!(right, "wrong result of what was interrupted");
    Ok(())
}

/// The handler interrupts what is not diverted; then also a detour and the way into it and out of it, when only results count.
pub(super) fn signal_handler(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_plain)?;
    bench.divert(&detours::conf_other)?;
    handle(bench, libc::SIGALRM)?;
    interrupt(|| std::hint::black_box(true))?;
    handled_and_diverted()?;
    let call = bench.unary(c"call_plain")?;
    // SAFETY: a caller.
    interrupt(|| unsafe { call(5) } == 16)?;
    handled_right()
}

pub(super) fn signal_handler_inside_a_detour(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_plain)?;
    bench.divert(&detours::conf_other)?;
    handle(bench, libc::SIGALRM)?;
    let call = bench.unary(c"call_plain")?;
    // SAFETY: a caller.
    interrupt(|| unsafe { call(5) } == 16)?;
    handled_and_diverted()
}

/// The first diverted call of a thread is in a signal handler, whatever it interrupted.
pub(super) fn signal_handler_on_first_call(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_other)?;
    handle(bench, libc::SIGUSR1)?;
    for round in 0..200 {
        let ready = Arc::new(AtomicBool::new(false));
        let end = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let (ready, end) = (Arc::clone(&ready), Arc::clone(&end));
            move || {
                // SAFETY: always there.
                let own = unsafe { libc::pthread_self() };
                ready.store(true, Ordering::SeqCst);
                // Allocating is what a handler interrupts at the worst moment.
                let mut sum = 0;
                while !end.load(Ordering::SeqCst) {
                    sum += std::hint::black_box(vec![1_u8; 1 + sum % 5000]).len();
                }
                own
            }
        });
        while !ready.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        thread::sleep(Duration::from_micros(round * 3));
        let before = HANDLED.load(Ordering::SeqCst);
        // SAFETY: the thread runs until it is told to end.
        unsafe { libc::pthread_kill(std::os::unix::thread::JoinHandleExt::as_pthread_t(&thread), libc::SIGUSR1) };
        while HANDLED.load(Ordering::SeqCst) == before {
            thread::yield_now();
        }
        end.store(true, Ordering::SeqCst);
        must!(thread.join().is_ok(), "the thread panicked");
    }
    handled_and_diverted()
}

/// Forks; the child calls what was diverted, in a thread too, and says by its status whether all was right.
fn fork_and_look(call: Unary) -> Outcome {
    // SAFETY: the child only calls and exits, and looks at what a thread of its own does.
    let status = unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::alarm(20);
            libc::_exit(c_int::from(plain_in_child(call).is_none()));
        }
        must!(child > 0, "cannot fork");
        let mut status = 0;
        must_be!(libc::waitpid(child, &raw mut status, 0), child, "waitpid");
        status
    };
    must_be!(status, 0, "status of the child");
    Ok(())
}

/// Allocates nothing: the child may have been forked while another thread held the allocator's lock.
fn plain_in_child(call: Unary) -> Option<()> {
    for x in 0..10 {
        let before = detours::conf_plain.calls();
        // SAFETY: a caller.
        (unsafe { call(x) } == 3 * x + 1).then_some(())?;
        // The other threads are not in the child.
        (detours::conf_plain.calls() == before + 1).then_some(())?;
    }
    Some(())
}

pub(super) fn fork(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_plain)?;
    let call = bench.unary(c"call_plain")?;
    fork_and_look(call)?; // the process never called it before
    plain(call)?;
    fork_and_look(call)?;
    in_a_thread(move || fork_and_look(call))?; // nor has this thread
    plain(call)
}

/// Runs `what` while other threads call `call` until it has ended.
fn while_others_call(call: Unary, what: impl FnOnce() -> Outcome) -> Outcome {
    let end = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let end = Arc::clone(&end);
            thread::spawn(move || {
                let mut wrong = 0;
                while !end.load(Ordering::SeqCst) {
                    // SAFETY: a caller.
                    wrong += (0..100).filter(|x| unsafe { call(*x) } != 3 * x + 1).count();
                }
                wrong
            })
        })
        .collect();
    let result = what();
    end.store(true, Ordering::SeqCst);
    for thread in threads {
        must_be!(thread.join().ok(), Some(0), "wrong results under load");
    }
    result
}

pub(super) fn fork_under_load(bench: &mut Bench) -> Outcome {
    bench.divert(&detours::conf_plain)?;
    let call = bench.unary(c"call_plain")?;
    while_others_call(call, || {
        // Some forks by threads that are new, so that others are in their first call.
        (0..100).try_for_each(|_| fork_and_look(call))?;
        (0..100).try_for_each(|_| {
            let first = thread::spawn(move || plain_in_child(call).is_some());
            let result = fork_and_look(call);
            must!(first.join().is_ok(), "the thread panicked");
            result
        })
    })
}

/// What a thread of the load test saw.
#[derive(Default)]
struct Seen {
    calls: usize,
    diverted: usize,
    /// Neither what the original gives nor what the detour gives.
    wrong: usize,
    /// Not diverted, although they began after `replace` had returned.
    lost: usize,
}

const THREADS: usize = 3;
/// What the functions of the load test add, and the number of the function.
const BASE: c_int = 1000;
/// How much the detours of the load test add to the result.
const MARK: c_int = 1_000_000;

/// Every round diverts another function while threads do nothing but call it.
pub(super) fn under_load(bench: &mut Bench) -> Outcome {
    let rounds = rounds();
    let mut functions = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let name = CString::new(format!("call_load_{round}")).map_err(|error| error.to_string())?;
        functions.push(bench.unary(&name)?);
    }
    // The round that the threads are in, and the one up to which functions are diverted; both count from 1.
    let (round, installed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let progress: Arc<Vec<AtomicUsize>> = Arc::new((0..THREADS).map(|_| AtomicUsize::new(0)).collect());
    let functions: Arc<[Unary]> = functions.into();
    let threads: Vec<_> = (0..THREADS)
        .map(|own| {
            let (round, installed, progress, functions) =
                (Arc::clone(&round), Arc::clone(&installed), Arc::clone(&progress), Arc::clone(&functions));
            thread::spawn(move || {
                let mut seen = Seen::default();
                let mut x = 0;
                loop {
                    let now = round.load(Ordering::SeqCst);
                    if now > functions.len() {
                        return seen;
                    }
                    if now == 0 {
                        thread::yield_now();
                        continue;
                    }
                    let done = installed.load(Ordering::SeqCst) >= now;
                    x = (x + 1) % 1000;
                    // SAFETY: a caller.
                    let result = unsafe { functions[now - 1](x) };
                    let expected = 3 * x + BASE + (now - 1) as c_int;
                    seen.calls += 1;
                    seen.diverted += usize::from(result == expected + MARK);
                    seen.lost += usize::from(done && result == expected);
                    seen.wrong += usize::from(result != expected && result != expected + MARK);
                    progress[own].fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    // Waits until every thread has called that often since.
    let all_call = |times: usize| {
        let target: Vec<usize> = progress.iter().map(|calls| calls.load(Ordering::SeqCst) + times).collect();
        while progress.iter().zip(&target).any(|(calls, target)| calls.load(Ordering::SeqCst) < *target) {
            thread::yield_now();
        }
    };
    let (mut slowest, mut total) = (Duration::ZERO, Duration::ZERO);
    let mut problem = None;
    for now in 1..=rounds {
        round.store(now, Ordering::SeqCst);
        all_call(200);
        let started = Instant::now();
        if let Err(refused) = divert_load(bench, now - 1)? {
            problem = Some(format!("round {now} was refused: {refused}"));
            break;
        }
        let took = started.elapsed();
        installed.store(now, Ordering::SeqCst);
        (slowest, total) = (slowest.max(took), total + took);
        all_call(200);
    }
    round.store(usize::MAX, Ordering::SeqCst);
    let mut sum = Seen::default();
    for thread in threads {
        let seen = thread.join().map_err(|_| "a thread panicked".to_owned())?;
        sum.calls += seen.calls;
        sum.diverted += seen.diverted;
        sum.wrong += seen.wrong;
        sum.lost += seen.lost;
    }
    let Seen { calls, diverted, wrong, lost } = sum;
    let figures = format!(
        "{rounds} rounds, {calls} calls, {diverted} diverted, {wrong} wrong, {lost} lost, {total:.0?} replacing, at most {slowest:.0?}"
    );
    if let Some(problem) = problem {
        return Err(problem);
    }
    must!(wrong == 0 && lost == 0 && diverted > 0, "{figures}");
    say(&mut std::io::stdout(), &figures);
    Ok(())
}

fn divert_load(bench: &mut Bench, round: usize) -> Result<Result<(), Refused>, String> {
    let name = |what: &str| CString::new(format!("{what}_load_{round}")).map_err(|error| error.to_string());
    let target_name = name("conf")?;
    let address = bench.targets.address(&target_name)?;
    let detour = bench.targets.address(&name("detour")?)?;
    let original = bench.targets.address(&name("original")?)?;
    // SAFETY: a `uintptr_t` of the library that is only used atomically; the detour has the target's signature.
    Ok(unsafe {
        let original = AtomicUsize::from_ptr(original.cast_mut().cast());
        bench.backend.replace(Target { name: &target_name, address }, detour, original)
    })
}

/// The functions that matter, as they are in libc, while threads use them.
pub(super) fn system_calls_under_load(bench: &mut Bench) -> Outcome {
    // SAFETY: its type.
    let call: Nullary = unsafe { bench.callers.function(c"call_system")? };
    let end = Arc::new(AtomicBool::new(false));
    let rounds = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (end, rounds) = (Arc::clone(&end), Arc::clone(&rounds));
            thread::spawn(move || {
                while !end.load(Ordering::SeqCst) {
                    // SAFETY: a caller.
                    let line = unsafe { call() };
                    must!(line == 0, "line {line} of callers.c");
                    rounds.fetch_add(1, Ordering::SeqCst);
                }
                Ok(())
            })
        })
        .collect();
    let wait = |times: usize| {
        let target = rounds.load(Ordering::SeqCst) + times;
        let started = Instant::now();
        while rounds.load(Ordering::SeqCst) < target && started.elapsed() < Duration::from_secs(10) {
            thread::yield_now();
        }
    };
    let all = [
        &detours::read,
        &detours::write,
        &detours::close,
        &detours::dup,
        &detours::poll,
        &detours::lseek,
        &detours::pipe2,
        &detours::open,
    ];
    let mut result = Ok(());
    for detour in all {
        wait(50);
        result = result.and_then(|()| bench.divert_call(detour));
    }
    wait(300);
    end.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked".to_owned())??;
    }
    result?;
    for detour in &all[..7] {
        must!(detour.calls() >= 300, "{:?}: {} calls of the detour", detour.name, detour.calls());
    }
    say(
        &mut std::io::stdout(),
        &format!("{} functions, {} rounds of pipe, dup, write, poll, read, lseek, close", all.len(), rounds.load(Ordering::SeqCst)),
    );
    Ok(())
}
