//! Fingerprints: the name of a finding across runs and edits.
//!
//! Made of the rule, the type of the object and what the racing sides did in which functions.  Not of line numbers,
//! addresses, thread names, the order in which the sides were seen, or what the owner happened to be doing.

use super::access::{Access, Frame, Role};

/// How many frames of a stack count: enough to tell callers apart, few enough to survive a refactoring further out.
const FRAMES: usize = 3;

pub(super) fn of(rule: &str, object_type: &str, accesses: &[Access]) -> String {
    let mut sides: Vec<String> = accesses
        .iter()
        .filter(|access| matches!(access.role, Role::Offending | Role::Earlier))
        .map(|access| {
            let frames = access.stack.iter().take(FRAMES).map(function);
            format!("{}@{}", access.operation, frames.collect::<Vec<_>>().join("<"))
        })
        .collect();
    sides.sort_unstable();
    format!("{:016x}", fnv1a(&format!("{rule}|{object_type}|{}", sides.join("|"))))
}

/// Of all that two functions do without order to what they call the same: on each side the frame, and the name in its function.
pub(super) fn of_mistake(rule: &str, sides: [(&Frame, &str); 2]) -> String {
    let mut sides = sides.map(|(frame, name)| format!("{name}@{}", function(frame)));
    sides.sort_unstable();
    format!("{:016x}", fnv1a(&format!("{rule}|{}", sides.join("|"))))
}

fn function(frame: &Frame) -> String {
    let file = frame.file.rsplit('/').next().unwrap_or(&frame.file);
    format!("{file}:{}", frame.function)
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
    fn which_side_of_a_race_was_first_does_not_count() {
        let mut accesses = samples::call_soon().accesses;
        accesses[1].role = Role::Earlier;
        let first = fingerprint(&accesses);
        accesses.reverse();
        (accesses[0].role, accesses[1].role) = (Role::Offending, Role::Earlier);
        assert_eq!(fingerprint(&accesses), first);
    }

    /// Users keep fingerprints in their baselines: they must not change, whatever else does.
    #[test]
    fn is_the_same_in_every_version() {
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c, "as in its definition");
        let mut accesses = samples::call_soon().accesses;
        assert_eq!(fingerprint(&accesses), "fec4d518a24be245");
        accesses[1].role = Role::Earlier;
        assert_eq!(fingerprint(&accesses), "a8f271b3da1904cb");
        let frames = ["/a/f.py:one", "/b/g.py:two", "h.py:three", "i.py:four"];
        let frames = frames.map(|frame| frame.split_once(':').expect("a colon"));
        accesses[0].stack = frames.map(|(file, function)| samples::frame(file, 1, function)).into();
        assert_eq!(fingerprint(&accesses), "0cbe47047274ce27");
        accesses[0].stack[3].function = "other".to_owned();
        assert_eq!(fingerprint(&accesses), "0cbe47047274ce27", "three frames count");
        assert_eq!(of("FT101", "", &accesses), "24f15fbfc395a419");
        assert_eq!(of("FT102", "Loop", &[]), "7778839aa09d1aa6");
        let side = samples::frame("/a/f.py", 1, "one");
        assert_eq!(of_mistake("FT401", [(&side, "self"), (&side, "self")]), "55816537580c24a2");
    }

    #[test]
    fn what_is_done_and_to_what_counts() {
        let accesses = samples::call_soon().accesses;
        let mut changed = accesses.clone();
        changed[0].operation = "stop".to_owned();
        let other = [of("FT102", "Loop", &accesses), of("FT101", "Task", &accesses), fingerprint(&changed)];
        assert!(!other.contains(&fingerprint(&accesses)));
        changed.clone_from(&accesses);
        changed[1].operation = "step".to_owned();
        assert_eq!(fingerprint(&changed), fingerprint(&accesses), "but not what the owner was doing");
    }
}
