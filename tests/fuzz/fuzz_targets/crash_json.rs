//! Any `crash.json`, triaged and rendered.
#![no_main]

use ftsan::triage::{from_json, render};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(crash) = from_json(text) {
        for format in ["text", "markdown", "json"] {
            render(&crash, format);
        }
    }
});
