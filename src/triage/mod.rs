//! Triage: why a process died, how sure that is, and what to do next.
//!
//! | module | what it holds |
//! |---|---|
//! | [`crash`] | what is known of a crash |
//! | [`faulthandler`] | a dump, pasted or in a log, as a crash |
//! | `lines` | pasted text back into the lines that were printed |
//! | [`paths`] | what the paths of a dump tell |
//! | `facts` | the crashing thread without the frames of those who report the crash |
//! | [`known_crashes`] | the table of known crashes |
//! | [`conditions`] | what may be asked of a crash |
//! | `racing` | who else was at it |
//! | [`signature`] | the name of a crash across runs and machines |
//! | [`verdict`] | whose it is |
//! | `by_stacks` | whose it is by the stacks alone |
//! | [`text`], [`markdown`] | a verdict for a terminal, and for an upstream issue |

mod by_stacks;
pub mod conditions;
pub mod crash;
mod facts;
pub mod faulthandler;
pub mod known_crashes;
mod lines;
pub mod markdown;
pub mod paths;
mod racing;
pub mod signature;
pub mod text;
pub mod verdict;

use crash::Crash;

/// A crash from the `crash.json` of a crash folder; the error is one line for the user.
pub fn from_json(text: &str) -> Result<Crash, String> {
    serde_json::from_str(text).map_err(|error| format!("not a crash as ftsan writes it: {error}"))
}

/// The verdict on a crash as "json", "markdown" or, for any other word, text.
pub fn render(crash: &Crash, format: &str) -> String {
    let verdict = verdict::of(crash);
    match format {
        "json" => serde_json::to_string_pretty(&verdict).map_or_else(|error| error.to_string(), |json| json + "\n"),
        "markdown" => markdown::block(crash, &verdict),
        _ => text::verdict(crash, &verdict),
    }
}
