//! "Did you mean": names that are like one that does not exist.

/// How alike two words must be, from 0 to 1: what clap takes for its subcommands and options.
const ALIKE: f64 = 0.7;

/// How many are suggested at most.
const MOST: usize = 3;

/// Those of `known` that are like `word`, the likest first; case does not matter.
pub fn similar<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let alike = known.into_iter().map(|name| (strsim::jaro_winkler(&word, &name.to_lowercase()), name));
    let mut alike: Vec<(f64, &str)> = alike.filter(|(likeness, _)| *likeness > ALIKE).collect();
    // Stable: those that are equally like stay in their order.
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    alike.into_iter().take(MOST).map(|(_, name)| name).collect()
}

/// "; did you mean X or Y?", or nothing.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let similar = similar(word, known);
    if similar.is_empty() { String::new() } else { format!("; did you mean {}?", similar.join(" or ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likest_comes_first_and_what_is_not_like_does_not_come() {
        let known = ["stale-read", "lost-update", "loop-gone"];
        assert_eq!(similar("Lost-updat", known).first(), Some(&"lost-update"));
        assert_eq!(did_you_mean("xyzzy", known), "");
        assert_eq!(did_you_mean("stale-raed", known), "; did you mean stale-read?");
    }
}
