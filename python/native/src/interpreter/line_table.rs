//! The line table of a code object (`Objects/locations.md` of CPython), for who may not call the interpreter.

/// Line of an instruction, given in code units; `None` if it has none, or the table is corrupt.
pub(crate) fn line(table: &[u8], first_line: i32, unit: usize) -> Option<i32> {
    /// `_PyCodeLocationInfoKind`, `Include/cpython/code.h`.
    const ONE_LINE: u8 = 10;
    const NO_COLUMNS: u8 = 13;
    const LONG: u8 = 14;
    const NONE: u8 = 15;
    let (mut line, mut end) = (first_line, 0);
    let mut at = 0;
    while let Some(&first) = table.get(at) {
        let kind = first >> 3 & 15;
        end += usize::from(first & 7) + 1;
        let delta = match kind {
            ONE_LINE..NO_COLUMNS => i32::from(kind - ONE_LINE),
            NO_COLUMNS | LONG => signed(table.get(at + 1..)?)?,
            _ => 0,
        };
        line = line.checked_add(delta)?;
        if unit < end {
            return (kind != NONE).then_some(line);
        }
        // The first byte of an entry is the one with the highest bit.
        at += 1 + table.get(at + 1..)?.iter().take_while(|byte| **byte & 0x80 == 0).count();
    }
    None
}

/// A number in six bits a byte, the lowest of which is its sign.
fn signed(bytes: &[u8]) -> Option<i32> {
    let (mut value, mut shift) = (0_u32, 0);
    for byte in bytes {
        value |= u32::from(byte & 63).checked_shl(shift)?;
        shift += 6;
        if byte & 64 == 0 {
            let magnitude = (value >> 1) as i32;
            return Some(if value & 1 == 1 { -magnitude } else { magnitude });
        }
    }
    None
}
