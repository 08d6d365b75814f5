//! A recording with anything written anywhere: the input is pieces of twelve bytes, four for where and eight for what.
#![no_main]

use ftsan::recording::{MAGIC, SIZE, VERSION, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|pieces: &[u8]| {
    let mut bytes = vec![0; SIZE];
    for piece in pieces.chunks_exact(12) {
        let (place, word) = piece.split_at(4);
        let place = u32::from_le_bytes(place.try_into().unwrap()) as usize % (SIZE - 8);
        bytes[place..place + 8].copy_from_slice(word);
    }
    bytes[..8].copy_from_slice(&MAGIC.to_le_bytes());
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    read::read(&bytes).expect("it has its head");
});
