//! Parts of objects that are no names or keys, as numbers.

pub(crate) const STRUCTURE: u64 = 0x5354_5255;
pub(crate) const POSITION: u64 = 0x504f_5349;
pub(crate) const CONTENT: u64 = 0x434f_4e54;
pub(crate) const ELEMENT: u64 = 0x454c_454d;
/// Which number an element has: others may be moved.
pub(crate) const MOVED: u64 = 0x4d4f_5645;
/// Whether there are as many elements as there were.
pub(crate) const LENGTH: u64 = 0x4c45_4e47;
/// Whether there is room for another element.
pub(crate) const ROOM: u64 = 0x524f_4f4d;
