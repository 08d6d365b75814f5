//! Fingerprints: the name of a finding across runs and edits.
//!
//! Made of the rule, the type of the object and what the racing sides did in which functions.  Not of line numbers,
//! addresses, thread names, the order in which the sides were seen, or what the owner happened to be doing.

use super::finding::{Access, Role};

/// How many frames of a stack count: enough to tell callers apart, few enough to survive a refactoring further out.
const FRAMES: usize = 3;

pub(super) fn of(rule: &str, object_type: &str, accesses: &[Access]) -> String {
    let mut sides: Vec<String> = accesses
        .iter()
        .filter(|access| matches!(access.role, Role::Offending | Role::Earlier))
        .map(|access| {
            let frames = access.stack.iter().take(FRAMES).map(|frame| {
                let file = frame.file.rsplit('/').next().unwrap_or(&frame.file);
                format!("{file}:{}", frame.function)
            });
            format!("{}@{}", access.operation, frames.collect::<Vec<_>>().join("<"))
        })
        .collect();
    sides.sort_unstable();
    format!("{:016x}", fnv1a(&format!("{rule}|{object_type}|{}", sides.join("|"))))
}

/// FNV-1a, 64 bits: stable across versions and machines, which `std`'s hashers do not promise.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::super::finding::samples;
    use super::*;

    fn fingerprint(accesses: &[Access]) -> String {
        of("FT101", "Loop", accesses)
    }

    #[test]
    fn order_and_lines_do_not_count_but_functions_do() {
        let accesses = samples::call_soon().accesses;
        let original = fingerprint(&accesses);
        let mut changed = accesses.clone();
        changed.reverse();
        changed[1].stack[0].line = 999;
        changed[1].thread.as_mut().unwrap().name = "Thread-9".to_owned();
        assert_eq!(fingerprint(&changed), original);
        changed[1].stack[0].function = "other".to_owned();
        assert_ne!(fingerprint(&changed), original);
    }

    #[test]
    fn is_the_same_in_every_version() {
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
    }
}
