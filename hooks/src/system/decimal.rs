//! Numbers as text, without an allocation.

/// Writes a number and a zero.
pub(crate) fn write(mut number: u32, into: &mut [u8]) {
    let mut digits = [0_u8; 10];
    let mut count = 0;
    loop {
        digits[count] = b'0' + (number % 10) as u8;
        number /= 10;
        count += 1;
        if number == 0 {
            break;
        }
    }
    for (slot, digit) in into.iter_mut().zip(digits[..count].iter().rev().chain(&[0])) {
        *slot = *digit;
    }
}
