//! How `FTSAN_OPTIONS` is written: `key=value:key=value`, escaped so that any byte survives.

/// The items of `key=value:key=value`: at colons that are not escaped.
pub(super) fn split(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut is_escaped = false;
    text.split(move |byte| {
        let is_end = *byte == b':' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    })
}

pub(super) fn unescape(value: &[u8]) -> Vec<u8> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F');
    let digit = |byte: u8| if byte <= b'9' { byte - b'0' } else { byte - b'A' + 10 };
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    loop {
        rest = match rest {
            [b'\\', escaped @ (b':' | b'\\'), rest @ ..] => {
                bytes.push(*escaped);
                rest
            }
            [b'%', high, low, rest @ ..] if is_digit(*high) && is_digit(*low) => {
                bytes.push(digit(*high) << 4 | digit(*low));
                rest
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
            [] => return bytes,
        };
    }
}

pub(super) fn escape(value: &[u8]) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value {
        match byte {
            b'%' | b':' | b'\\' | 0..=0x1F | 0x7F.. => text.push_str(&format!("%{byte:02X}")),
            _ => text.push(char::from(*byte)),
        }
    }
    text
}
