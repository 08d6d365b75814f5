//! Lines of the program around those that stacks name, as they are on disk when the page is made.

use crate::safe_file;
use std::collections::HashMap;
use std::path::Path;

/// How large a file may be, in bytes, and how many files are read for one page.
const LARGEST: u64 = 4 << 20;
const FILES: usize = 2000;
/// How many lines before and after one are shown, and of how many characters at most.
const AROUND: usize = 2;
const WIDEST: usize = 240;

/// Files that were read.
#[derive(Debug, Default)]
pub struct Sources(HashMap<String, Option<String>>);

impl Sources {
    /// The line and its neighbours, each with its number; nothing if the file cannot be read or is no Python source.  Reports come from
    /// elsewhere, too: the other files of this machine are none of their business.
    pub fn around(&mut self, file: &str, line: u32) -> Vec<(usize, String)> {
        let is_source =
            Path::new(file).extension().is_some_and(|end| ["py", "pyw", "pyx", "pxi"].iter().any(|known| end == *known));
        if !is_source || line == 0 || (self.0.len() >= FILES && !self.0.contains_key(file)) {
            return Vec::new();
        }
        let text = self.0.entry(file.to_owned()).or_insert_with(|| safe_file::read_text_input(Path::new(file), LARGEST).ok());
        let first = (line as usize).saturating_sub(AROUND).max(1);
        let lines = text.as_deref().unwrap_or_default().lines().enumerate().skip(first - 1);
        let shown = lines.take_while(|(index, _)| *index < line as usize + AROUND);
        let shown: Vec<_> = shown.map(|(index, text)| (index + 1, text.chars().take(WIDEST).collect::<String>())).collect();
        // A file that is shorter than the line is another one by now.
        if shown.iter().any(|(number, _)| *number == line as usize) { shown } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_around_and_only_of_sources() {
        let folder = std::env::temp_dir().join(format!("ftsan-source-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let text: String = (1..=9).map(|number| format!("line {number}\n")).collect();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        for name in ["a.py", "secret.txt"] {
            std::fs::write(path(name), &text).unwrap();
        }
        let mut sources = Sources::default();
        let mut numbers = |name: &str, line| sources.around(&path(name), line).into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(numbers("a.py", 5), [3, 4, 5, 6, 7]);
        assert_eq!(numbers("a.py", 1), [1, 2, 3]);
        assert_eq!(numbers("a.py", 9), [7, 8, 9]);
        assert_eq!(numbers("a.py", 10), [] as [usize; 0]);
        assert_eq!(numbers("secret.txt", 5), [] as [usize; 0]);
        assert_eq!(sources.around(&path("a.py"), 5)[2].1, "line 5");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn so_many_files_are_read_and_their_lines_are_still_shown() {
        let folder = std::env::temp_dir().join(format!("ftsan-sources-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("a.py").to_str().unwrap().to_owned();
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let mut sources = Sources::default();
        assert_eq!(sources.around(&path, 1).len(), 2);
        (1..FILES).for_each(|number| drop(sources.0.insert(format!("{number}.py"), None)));
        assert_eq!((sources.around(&path, 2).len(), sources.around(&path, 0).len()), (2, 0));
        let another = folder.join("b.py").to_str().unwrap().to_owned();
        std::fs::write(&another, "one\n").unwrap();
        assert_eq!(sources.around(&another, 1), []);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
