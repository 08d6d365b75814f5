//! Files as a project calls them: from its root.

use std::path::{Path, PathBuf};

/// The folder that a CI service relates paths to: of the repository that the current folder is in, or the current folder.
pub(super) fn project_root() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    Some(here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here).to_owned())
}

/// A file as it is called from the folder `root`; as it is if it lies elsewhere.
pub(super) fn below<'a>(file: &'a str, root: Option<&Path>) -> &'a str {
    let relative = root.and_then(|root| Path::new(file).strip_prefix(root).ok()).and_then(Path::to_str);
    relative.filter(|relative| !relative.is_empty()).unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_a_folder_around_the_current_one() {
        let (root, here) = (project_root().unwrap(), std::env::current_dir().unwrap());
        assert!(root.is_absolute() && here.starts_with(&root), "{}", root.display());
    }
}
