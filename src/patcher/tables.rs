//! The exception table and the line table of a code object (`InternalDocs/exception_handling.md` and `InternalDocs/code_objects.md` of
//! CPython), moved with the code.

/// Entries are (start, length, target, depth and lasti), big-endian groups of six bits; bit 7 marks a start.
pub(super) fn exception_entries(table: &[u8]) -> Option<Vec<[u32; 4]>> {
    let mut bytes = table.iter();
    let mut entries = Vec::new();
    while !bytes.as_slice().is_empty() {
        let mut entry = [0; 4];
        for number in &mut entry {
            let mut byte = *bytes.next()?;
            *number = u32::from(byte & 63);
            while byte & 64 != 0 {
                byte = *bytes.next()?;
                *number = number.checked_mul(64)? | u32::from(byte & 63);
            }
        }
        entries.push(entry);
    }
    Some(entries)
}

/// Where the handler begins of the `with` statement around the instruction at `unit` that finds so much on the stack when it is entered, as
/// seen from there: handlers lie in the ranges of those around them.
pub fn handler_of_with(table: &[u8], unit: u32, depth: u32) -> Option<u32> {
    let entries = exception_entries(table)?;
    let mut unit = unit;
    for _ in 0..entries.len() {
        let around = |[start, length, _, _]: &&[u32; 4]| unit.checked_sub(*start).is_some_and(|past| past < *length);
        let [_, _, target, deep] = entries.iter().find(around)?;
        // A handler that is given the instruction, too, is that of a `with` statement or of an `except` clause, which is deeper.
        if *deep == depth << 1 | 1 {
            return Some(*target);
        }
        unit = *target;
    }
    None
}

/// `moved` says where an instruction begins.
pub(super) fn move_exceptions(table: &[u8], moved: impl Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(table.len() + 8);
    for [start, length, target, depth] in exception_entries(table)? {
        let (from, to) = (moved(start)?, moved(start.checked_add(length)?)?);
        put_number(&mut out, from, true);
        put_number(&mut out, to.checked_sub(from)?, false);
        put_number(&mut out, moved(target)?, false);
        put_number(&mut out, depth, false);
    }
    Some(out)
}

fn put_number(out: &mut Vec<u8>, value: u32, is_first: bool) {
    let groups = (1..6).find(|groups| value >> (6 * groups) == 0).unwrap_or(6);
    for group in (0..groups).rev() {
        let more = if group > 0 { 64 } else { 0 };
        let mark = if is_first && group == groups - 1 { 128 } else { 0 };
        out.push((value >> (6 * group)) as u8 & 63 | more | mark);
    }
}

/// Entries are a head (bit 7, four bits of kind, length minus one) and their payload (bit 7 clear).  `moved` says where a unit is, together with
/// what is inserted before it.
pub(super) fn stretch_lines(table: &[u8], moved: impl Fn(u32) -> Option<u32>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(table.len() * 5 / 4);
    let (mut unit, mut from) = (0, moved(0)?);
    let mut rest = table;
    while let Some((&head, after)) = rest.split_first() {
        let length = after.iter().take_while(|byte| **byte & 128 == 0).count();
        let (payload, next) = after.split_at(length);
        rest = next;
        unit += u32::from(head & 7) + 1;
        let to = moved(unit)?;
        let mut units = to.checked_sub(from)?;
        from = to;
        let first = units.min(8);
        out.push(head & 0xf8 | first.checked_sub(1)? as u8);
        out.extend(payload);
        units -= first;
        while units > 0 {
            let now = units.min(8);
            put_same_place(&mut out, head >> 3 & 15, payload, now as u8 - 1);
            units -= now;
        }
    }
    Some(out)
}

/// The same location as in the entry before, with no step from its line.
fn put_same_place(out: &mut Vec<u8>, kind: u8, payload: &[u8], length: u8) {
    let kind = if let 10..=12 = kind { 10 } else { kind };
    out.push(0x80 | kind << 3 | length);
    match kind {
        13 => out.push(0),
        14 => {
            // A signed line step, then end line, column and end column; continuation is bit 6.
            let step = payload.iter().position(|byte| byte & 64 == 0).map_or(payload.len(), |last| last + 1);
            out.push(0);
            out.extend(&payload[step..]);
        }
        _ => out.extend(payload),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(entries: &[[u32; 4]]) -> Vec<u8> {
        let mut out = Vec::new();
        for entry in entries {
            entry.iter().zip(0..).for_each(|(number, at)| put_number(&mut out, *number, at == 0));
        }
        out
    }

    #[test]
    fn a_with_statement_is_found_from_inside_of_others() {
        // A `try` in a `with` in a `with`: the handler of the first lies in the range of the second, and so on.
        let table =
            table(&[[2, 98, 300, 5], [100, 10, 200, 9], [110, 10, 120, 8], [120, 8, 200, 9], [200, 4, 220, 13], [220, 4, 300, 5]]);
        assert_eq!([4, 2, 3, 6].map(|depth| handler_of_with(&table, 112, depth)), [Some(200), Some(300), None, Some(220)]);
        assert_eq!([4, 2].map(|depth| handler_of_with(&table, 50, depth)), [None, Some(300)]);
        assert_eq!(handler_of_with(&table, 400, 2), None);
    }

    #[test]
    fn a_table_in_a_circle_has_an_end() {
        assert_eq!(handler_of_with(&table(&[[0, 10, 20, 8], [20, 10, 0, 8]]), 5, 1), None);
    }
}
