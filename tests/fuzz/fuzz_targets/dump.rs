//! Any text, read as a dump, triaged and rendered.
#![no_main]

use ftsan::triage::{faulthandler, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(crash) = faulthandler::read(&String::from_utf8_lossy(bytes)) {
        for format in ["text", "markdown", "json"] {
            render(&crash, format);
        }
    }
});
