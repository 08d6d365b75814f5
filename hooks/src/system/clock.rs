//! The clock of the recording, and how fast it runs.

/// A counter that costs nothing to read.
#[inline(always)]
pub(crate) fn now() -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: reads a counter that every x86-64 has.
    return unsafe { core::arch::x86_64::_rdtsc() };
    #[cfg(not(target_arch = "x86_64"))]
    nanoseconds()
}

fn nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes the given place.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// How much [`now`] advances in a microsecond: measured over the twentieth of a millisecond.
pub(crate) fn ticks_per_us() -> u32 {
    let (start, ticks) = (nanoseconds(), now());
    let mut end = start;
    while end - start < 50_000 {
        end = nanoseconds();
    }
    ((now() - ticks) * 1000 / (end - start)).max(1) as u32
}
