//! Is a file the program's own, or of a package that was installed?
//!
//! Asked on cold paths only: it looks into folders.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

static KNOWN: Mutex<Option<HashMap<String, bool>>> = Mutex::new(None);

static OWN: OnceLock<Vec<String>> = OnceLock::new();

/// These packages are the program's own, wherever they are.
pub(crate) fn set_own(packages: &[String]) {
    let _ = OWN.set(packages.to_vec());
}

/// The package that a file belongs to, and the folder that it is installed in; `None` if it is the program's own.
pub(crate) fn package_of(file: &str) -> Option<(String, String)> {
    let path = Path::new(file);
    let folder = path.ancestors().skip(1).find(|folder| has_distributions(folder))?;
    let inside = path.strip_prefix(folder).ok()?.components().next()?.as_os_str().to_string_lossy().into_owned();
    let name = inside.strip_suffix(".py").map_or(inside.clone(), str::to_owned);
    let is_own = OWN.get().is_some_and(|own| own.contains(&name));
    (!is_own).then(|| (name, folder.to_string_lossy().into_owned()))
}

static FILES: Mutex<Option<HashMap<String, bool>>> = Mutex::new(None);

/// Whether a file is of a package that was installed, and not the program's own.
pub(crate) fn is_file_of_package(file: &str) -> bool {
    let known = FILES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().get(file).copied();
    known.unwrap_or_else(|| {
        let is = package_of(file).is_some();
        FILES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(file.to_owned(), is);
        is
    })
}

static CODE: Mutex<Option<HashMap<usize, bool>>> = Mutex::new(None);

/// Whether a code object, which is never freed, is of an installed package or frozen; `file` is its file.
pub(crate) fn is_code_of_package(code: usize, file: impl FnOnce() -> String) -> bool {
    let known = CODE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().get(&code).copied();
    known.unwrap_or_else(|| {
        let file = file();
        let is = file.starts_with("<frozen ") || is_file_of_package(&file);
        CODE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(code, is);
        is
    })
}

/// Whether this folder has installed packages: those leave a note beside them.
fn has_distributions(folder: &Path) -> bool {
    let name = folder.to_string_lossy().into_owned();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    *known.get_or_insert_default().entry(name).or_insert_with_key(|name| {
        let entries = std::fs::read_dir(name).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().as_encoded_bytes().ends_with(b".dist-info"))
    })
}

/// Name and version of the distribution that a file was installed by, from the lists of files beside it.
pub(crate) fn owner_of(file: &str) -> Option<String> {
    let (package, folder) = package_of(file)?;
    let inside = Path::new(file).strip_prefix(&folder).ok()?.to_string_lossy().into_owned();
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let lists = entries.into_iter().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        let files = std::fs::read_to_string(entry.path().join("RECORD")).ok()?;
        Some((name.strip_suffix(".dist-info")?.rsplit_once('-').map(|(name, version)| format!("{name} {version}"))?, files))
    });
    let is_listed = |files: &str| files.lines().any(|line| line.strip_prefix(&inside).is_some_and(|rest| rest.starts_with(',')));
    let listed = lists.into_iter().find_map(|(distribution, files)| is_listed(&files).then_some(distribution));
    listed.or_else(|| distribution_of(&(package, folder)))
}

/// Name and version of the distribution that a package belongs to, from the note beside it.
pub(crate) fn distribution_of((package, folder): &(String, String)) -> Option<String> {
    let plain = |name: &str| name.to_lowercase().replace(['-', '.'], "_");
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().find_map(|entry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        let (name, version) = file.strip_suffix(".dist-info")?.rsplit_once('-')?;
        (plain(name) == plain(package)).then(|| format!("{name} {version}"))
    })
}
