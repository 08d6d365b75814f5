//! Any text, read in every form, triaged, rendered and grouped.
#![no_main]

use ftsan::triage::{group, read, render_all};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(crashes) = read(&String::from_utf8_lossy(bytes)) {
        for format in ["text", "markdown", "json"] {
            let out = render_all(&crashes, format);
            assert!(!out.chars().any(|c| c.is_control() && c != '\n'), "{format}");
        }
        let named: Vec<_> = crashes.into_iter().map(|crash| (String::new(), crash)).collect();
        group(&named, "json");
    }
});
