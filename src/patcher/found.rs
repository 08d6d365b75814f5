//! A place for a probe.

use super::point::Point;

/// A point and where it goes.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) instruction: u32,
    pub(super) is_after: bool,
    pub(super) point: Point<'a>,
}
