//! Is a file the program's own, or of a package that was installed?
//!
//! A folder of installed packages is named so (`site-packages`), or has the notes of what was installed there: `pip install --target`
//! makes folders of any name, of which a program's may be one.  There the lists of files in the notes tell its own from what was installed.
//!
//! Looks into folders, into each once.  No lock is waited for: a thread that held it may be gone after a fork.

use ftsan::scope;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, TryLockError};

/// What lies in a folder that installed packages may be in.
#[derive(Debug, Default)]
struct Notes {
    /// Whether there are any, in a folder that has nothing but installed packages.
    are_of_all: bool,
    /// Files that were installed, by the lists of the distributions, as paths in the folder.
    files: HashSet<String>,
    /// Distributions that have no list, as packages are called.
    unlisted: Vec<String>,
}

impl Notes {
    fn read(folder: &Path) -> Self {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let notes = names.filter(|name| name.ends_with(".dist-info") || name.ends_with(".egg-info"));
        if folder.file_name().and_then(|name| name.to_str()).is_some_and(scope::is_for_installed) {
            return Notes { are_of_all: notes.into_iter().next().is_some(), ..Notes::default() };
        }
        let mut found = Notes::default();
        for name in notes {
            found.add(folder, &name);
        }
        found
    }

    fn add(&mut self, folder: &Path, note: &str) {
        let list = |name: &str| std::fs::read_to_string(folder.join(note).join(name)).ok();
        // An `.egg-info` without a list stands beside the sources of a project.
        let Some(distribution) = note.strip_suffix(".dist-info") else {
            let files = list("installed-files.txt").unwrap_or_default();
            self.files.extend(files.lines().filter_map(|line| line.strip_prefix("../")).map(str::to_owned));
            return;
        };
        match list("RECORD") {
            Some(files) => {
                let paths = files.lines().filter_map(|line| line.rsplitn(3, ',').nth(2));
                let code =
                    paths.map(|path| path.trim_matches('"')).filter(|path| !path.ends_with(".pyc") && !path.starts_with(note));
                self.files.extend(code.map(str::to_owned));
            }
            None => self.unlisted.extend(distribution.rsplit_once('-').map(|(name, _)| plain(name))),
        }
    }

    /// Whether a file, by its path in the folder, was installed.
    fn name(&self, inside: &Path) -> bool {
        self.are_of_all
            || inside.to_str().is_some_and(|inside| self.files.contains(inside))
            || !self.unlisted.is_empty() && top(inside).is_some_and(|package| self.unlisted.contains(&plain(&package)))
    }
}

/// The package or module that a file is of, by its path in the folder that it is imported from.
fn top(inside: &Path) -> Option<String> {
    let name = inside.components().next()?.as_os_str().to_string_lossy().into_owned();
    Some(name.strip_suffix(".py").map_or(name.clone(), str::to_owned))
}

/// A name as packages and distributions are compared by.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['-', '.'], "_")
}

static OWN: OnceLock<Vec<String>> = OnceLock::new();

/// These packages are the program's own, wherever they are.
pub(crate) fn set_own(packages: &[String]) {
    let _ = OWN.set(packages.to_vec());
}

/// The package that a file belongs to, and the folder that it is installed in; `None` if it is the program's own.
pub(crate) fn package_of(file: &str) -> Option<(String, String)> {
    place_of(file).filter(|(name, _)| !OWN.get().is_some_and(|own| own.contains(name)))
}

/// The package that a file belongs to, whoever's that is, and the folder that it is installed in.
fn place_of(file: &str) -> Option<(String, String)> {
    let path = Path::new(file);
    let inside = |folder: &Path| path.strip_prefix(folder).unwrap_or(path);
    let folder = path.ancestors().skip(1).find(|folder| has_installed(folder, inside(folder)))?;
    Some((top(inside(folder))?, folder.to_string_lossy().into_owned()))
}

/// What is known already, if no other thread is about to say so.
fn known<T>(of: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match of.try_lock() {
        Ok(known) => Some(known),
        Err(TryLockError::Poisoned(known)) => Some(known.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

static FOLDERS: Mutex<Option<HashMap<String, Notes>>> = Mutex::new(None);

/// Whether a file, by its path in this folder, was installed there.
fn has_installed(folder: &Path, inside: &Path) -> bool {
    match known(&FOLDERS) {
        Some(mut folders) => {
            let folders = folders.get_or_insert_default();
            folders.entry(folder.to_string_lossy().into_owned()).or_insert_with(|| Notes::read(folder)).name(inside)
        }
        None => Notes::read(folder).name(inside),
    }
}

static FILES: Mutex<Option<HashMap<String, bool>>> = Mutex::new(None);

/// Whether a file is of a package that was installed, whoever's that is.
pub(crate) fn is_file_of_any_package(file: &str) -> bool {
    let found = known(&FILES).and_then(|mut files| files.get_or_insert_default().get(file).copied());
    found.unwrap_or_else(|| {
        let is = place_of(file).is_some();
        if let Some(mut files) = known(&FILES) {
            files.get_or_insert_default().insert(file.to_owned(), is);
        }
        is
    })
}

/// Whether a file is of a package that was installed, and not the program's own.
pub(crate) fn is_file_of_package(file: &str) -> bool {
    is_file_of_any_package(file) && package_of(file).is_some()
}

static CODE: Mutex<Option<HashMap<usize, bool>>> = Mutex::new(None);

/// Whether a code object, which is never freed, is of an installed package or frozen; `file` is its file.
pub(crate) fn is_code_of_package(code: usize, file: impl FnOnce() -> String) -> bool {
    let found = known(&CODE).and_then(|mut all| all.get_or_insert_default().get(&code).copied());
    found.unwrap_or_else(|| {
        let file = file();
        let is = file.starts_with("<frozen ") || is_file_of_package(&file);
        if let Some(mut all) = known(&CODE) {
            all.get_or_insert_default().insert(code, is);
        }
        is
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
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.into_iter().find_map(|entry| {
        let file = entry.file_name().to_string_lossy().into_owned();
        let (name, version) = file.strip_suffix(".dist-info")?.rsplit_once('-')?;
        (plain(name) == plain(package)).then(|| format!("{name} {version}"))
    })
}
