//! When something was put where others find it, beside when it was completed.

use super::*;

fn write(location: u64) -> Access {
    Access { location, ..access(AccessKind::Write, 1) }
}

fn add(location: u64) -> Access {
    Access { location, ..access(AccessKind::Insert, 2) }
}

fn make(location: u64) -> Access {
    write(location).with(AccessFacts::MADE)
}

#[test]
fn what_is_made_is_known_to_others_until_a_read_of_it_is_told() {
    let bench = Bench::new();
    let threads = bench.threads();
    let made = |thread: usize| bench.shadow.spot(1).made_elsewhere(threads[thread]).is_some();
    bench.go(threads, 0, make(1));
    assert_eq!([made(0), made(1)], [false, true]);
    let read = Access { location: 1, ..access(AccessKind::Read, 3) };
    assert_eq!(worst(&bench.go(threads, 1, read)), Some(Severity::Info));
    assert!(made(1), "it is not known when this one got the object");
    let given = Access { site: 4, ..read.with(AccessFacts::GIVEN) };
    assert_eq!(worst(&bench.go(threads, 1, given)), Some(Severity::Warning));
    assert!(!made(1), "told");
    bench.go(threads, 0, make(1));
    assert!(made(1));
    bench.go(threads, 0, write(1));
    assert!(!made(1), "written again");
}

#[test]
fn an_object_is_put_somewhere_before_something_of_it_is_made_or_after() {
    for (name, before, after, expected) in [
        ("by nobody", &[][..], &[][..], None),
        ("before", &[(0, write(2))], &[], Some(true)),
        ("after", &[], &[(0, write(2))], Some(false)),
        ("again", &[(0, write(2))], &[(0, write(2))], Some(false)),
        ("by another thread", &[(1, write(2))], &[], Some(false)),
        ("another one in its place", &[(0, write(2))], &[(1, write(2))], Some(false)),
        ("added", &[(0, add(2))], &[], Some(true)),
        ("added beside another one", &[(0, add(2))], &[(1, add(2))], Some(true)),
        ("added by another thread", &[(1, add(2))], &[(1, add(2))], Some(false)),
        ("more is added by the same thread", &[(0, add(2))], &[(0, add(2))], Some(false)),
        ("added, and all replaced", &[(0, add(2))], &[(1, write(2))], Some(false)),
    ] {
        let bench = Bench::new();
        let threads = bench.threads();
        let go = |accesses: &[(usize, Access)]| {
            for (thread, access) in accesses {
                bench.go(threads, *thread, *access);
            }
        };
        go(before);
        go(&[(0, make(1))]);
        go(after);
        let made = bench.shadow.spot(1).made_elsewhere(threads[1]).expect("it is made");
        assert_eq!(bench.shadow.last_written(2, made).map(|put| put.is_before(made)), expected, "{name}");
    }
}
