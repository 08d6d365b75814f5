//! Which code is watched for data races: `--races` and `--races-exclude`.
//!
//! Code is first-party if its file is neither in the standard library nor in a folder of installed packages.  Code that was made at run
//! time has no file of its own: it belongs to the module whose globals it has, and if that has no file either, to the code that runs it.

use std::collections::BTreeSet;

/// Functions of the standard library that replace what the process has once, for a while, in the name of whoever calls them: they are
/// watched with the code that calls them.
const SWAPPERS: [(&str, &[&str]); 3] = [
    ("contextlib", &["_RedirectStream", "chdir"]),
    ("os", &["_Environ.__getitem__", "_Environ.__setitem__", "_Environ.__delitem__"]),
    ("unittest.mock", &["_patch.__enter__", "_patch.get_original", "_patch.__exit__", "_patch_dict", "_clear_dict"]),
];

/// Of what swappers keep of their own, what can stop another thread: while it is set, `unittest.mock` does not enter a patch again.
pub const REFUSES_WHILE: &str = "is_started";

/// Libraries of locks, events and queues that are made without a lock: their insides are not judged unless they are chosen by name,
/// and the order that they make is seen wherever they are.
const PRIMITIVES: [&str; 2] = ["aiologic", "culsans"];

/// Folders of installed packages.
const INSTALLED: [&str; 2] = ["site-packages", "dist-packages"];

/// Whose code this is: what is known of a code object where a function is made of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// The code object's file, as it says itself; `<string>` and the like for code without a file.
    pub file: &'a str,
    /// `__name__` of its globals; empty if they have none.
    pub module: &'a str,
    /// `__package__` of its globals; empty if they have none.
    pub package: &'a str,
    /// `__file__` of its globals; empty if they have none.
    pub module_file: &'a str,
    /// Whether the code that runs now is chosen.
    pub is_run_by_chosen: bool,
}

impl<'a> Origin<'a> {
    /// The name that packages are chosen by: a module that is run as a script goes by its package's.
    pub fn name(&self) -> &'a str {
        if self.module == "__main__" && !self.package.is_empty() { self.package } else { self.module }
    }
}

/// The value of `races`: whose code is watched.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chosen {
    all: bool,
    first_party: bool,
    packages: Vec<String>,
}

impl Chosen {
    /// Reads it.
    ///
    /// # Errors
    /// A word that is no name; one line.
    pub fn parse(races: &str) -> Result<Self, String> {
        let mut chosen = Chosen::default();
        for word in words(races) {
            match word {
                "all" => chosen.all = true,
                "first-party" => chosen.first_party = true,
                "none" if races == "none" => {}
                name if name != "none" && is_dotted_name(name) => chosen.packages.push(name.to_owned()),
                wrong => return Err(format!("\"{wrong}\" is not the name of a package or module")),
            }
        }
        Ok(chosen)
    }

    /// Whether any code is watched at all.
    pub fn is_none(&self) -> bool {
        !self.all && !self.first_party && self.packages.is_empty()
    }

    /// Names of packages and modules that are watched, and whether first-party code is.
    pub fn by_name(&self) -> (&[String], bool) {
        (&self.packages, self.first_party)
    }
}

/// The value of `races_exclude`: what of that is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excluded {
    modules: Vec<String>,
    /// (module, qualified name)
    functions: Vec<(String, String)>,
}

impl Excluded {
    /// Reads it.
    ///
    /// # Errors
    /// A word that is no name; one line.
    pub fn parse(exclude: &str) -> Result<Self, String> {
        let mut excluded = Excluded::default();
        for word in words(exclude) {
            match word.split_once(':') {
                None if is_dotted_name(word) => excluded.modules.push(word.to_owned()),
                Some((module, function)) if is_dotted_name(module) && !function.is_empty() => {
                    excluded.functions.push((module.to_owned(), function.to_owned()));
                }
                _ => return Err(format!("\"{word}\" is not the name of a package or module, or MODULE:FUNCTION")),
            }
        }
        Ok(excluded)
    }
}

/// Which code a process watches for data races.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    chosen: Chosen,
    excluded: Excluded,
    /// Installed packages that are first-party nevertheless.
    project: Vec<String>,
    /// Folders of the standard library; they end in a slash.
    standard_library: Vec<String>,
}

/// The functions of a module that swap.
fn swappers(module: &str) -> Option<&'static [&'static str]> {
    SWAPPERS.iter().find(|(known, _)| *known == module).map(|(_, functions)| *functions)
}

/// Whether code of this file swaps what is the process's.
pub fn is_swapper(file: &str) -> bool {
    let is_of = |module: &str| {
        let path = file.strip_suffix(".py").is_some_and(|path| path.ends_with(&format!("/{}", module.replace('.', "/"))));
        path || file == format!("<frozen {module}>")
    };
    SWAPPERS.iter().any(|(module, _)| is_of(module))
}

fn is_part_of(function: &str, of: &str) -> bool {
    function.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl Scope {
    /// As the options say.
    pub fn new(chosen: Chosen, excluded: Excluded, project: Vec<String>) -> Self {
        Scope { chosen, excluded, project, standard_library: Vec::new() }
    }

    /// Says where the standard library is.
    pub fn set_standard_library<'a>(&mut self, folders: impl IntoIterator<Item = &'a str>) {
        self.standard_library = folders.into_iter().map(|folder| format!("{}/", folder.trim_end_matches('/'))).collect();
    }

    /// Whether code of this origin is watched.
    pub fn includes(&self, origin: &Origin<'_>) -> bool {
        let is_needed = || swappers(origin.module).is_some() || self.trusts(origin.module);
        self.is_chosen(origin) || !self.chosen.is_none() && is_needed()
    }

    /// Whether what the code of this module does inside is not judged, but orders threads.
    pub fn trusts(&self, module: &str) -> bool {
        let is_named = |package: &String| is_inside(module, package);
        PRIMITIVES.iter().any(|library| is_inside(module, library)) && !self.chosen.packages.iter().any(is_named)
    }

    fn is_chosen(&self, origin: &Origin<'_>) -> bool {
        if is_inside(origin.module, "ftsan") || self.excluded.modules.iter().any(|excluded| is_inside(origin.name(), excluded)) {
            return false;
        }
        self.chosen.all
            || self.chosen.packages.iter().any(|package| is_inside(origin.name(), package))
            || (self.chosen.first_party && self.is_first_party(origin))
    }

    /// The word of the options by which this origin is chosen or excluded, as [`Scope::unseen`] wants it among what was seen; by
    /// its package where that is first-party code.
    pub fn seen_as(&self, origin: &Origin<'_>) -> Option<String> {
        let names = |word: &&String| is_inside(origin.name(), word);
        if let Some(word) = self.excluded.modules.iter().find(names) {
            return Some(format!("{word}{EXCLUDED}"));
        }
        let package = || origin.name().split('.').next().unwrap_or("?").to_owned();
        self.includes(origin)
            .then(|| format!("{}{CHOSEN}", self.chosen.packages.iter().find(names).cloned().unwrap_or_else(package)))
    }

    /// The same of a function that is excluded.
    pub fn function_seen_as(&self, module: &str, function: &str) -> Option<String> {
        let excluded = self.excluded.functions.iter().find(|(of, name)| of == module && is_part_of(function, name));
        excluded.map(|(of, name)| format!("{of}:{name}{EXCLUDED}"))
    }

    /// The names in the options of which nothing ever came, as sentences; `seen` is what [`Scope::seen_as`] said in all processes
    /// of a run.
    pub fn unseen(&self, seen: &BTreeSet<String>) -> Vec<String> {
        let functions = self.excluded.functions.iter().map(|(of, name)| format!("{of}:{name}"));
        let excluded = self.excluded.modules.iter().cloned().chain(functions);
        let never = |word: &String, kind: &str| !seen.contains(&format!("{word}{kind}"));
        let chosen = self.chosen.packages.iter().filter(|word| never(word, CHOSEN) && !self.excluded.modules.contains(word));
        let chosen = chosen.map(|word| format!("races: no Python code of {word} ran: was it imported, and is the name right?"));
        let excluded = excluded.filter(|word| never(word, EXCLUDED));
        chosen.chain(excluded.map(|word| format!("races_exclude: there was nothing of {word} to leave out"))).collect()
    }

    /// Whether this function of a chosen module, or one that it is defined in, is left out.
    pub fn excludes(&self, module: &str, function: &str) -> bool {
        let is_only_for_swappers = !self.is_chosen(&Origin { module, file: "<frozen >", ..Origin::default() });
        let is_other = |swappers: &[&str]| !swappers.iter().any(|swapper| is_part_of(function, swapper));
        is_only_for_swappers && swappers(module).is_some_and(is_other) || self.is_excluded_function(module, function)
    }

    fn is_excluded_function(&self, module: &str, function: &str) -> bool {
        self.excluded.functions.iter().any(|(of, name)| of == module && is_part_of(function, name))
    }

    fn is_first_party(&self, origin: &Origin<'_>) -> bool {
        if origin.file.starts_with("<frozen ") {
            return false;
        }
        if self.project.iter().any(|package| is_inside(origin.name(), package)) {
            return true;
        }
        match (origin.file.starts_with('<'), origin.module_file) {
            (false, _) => !self.is_installed(origin.file),
            (true, "") => origin.module == "__main__" || origin.is_run_by_chosen,
            (true, file) => !self.is_installed(file),
        }
    }

    fn is_installed(&self, file: &str) -> bool {
        self.standard_library.iter().any(|folder| file.starts_with(folder.as_str()))
            || file.split('/').any(|part| INSTALLED.contains(&part))
    }
}

/// Reads names of packages and modules.
///
/// # Errors
/// A word that is no name; one line.
pub fn names(list: &str) -> Result<Vec<String>, String> {
    match words(list).find(|word| !is_dotted_name(word)) {
        Some(wrong) => Err(format!("\"{wrong}\" is not the name of a package or module")),
        None => Ok(words(list).map(str::to_owned).collect()),
    }
}

/// A word of the options that was seen is listed with one of these after it.
const CHOSEN: &str = " (races)";
const EXCLUDED: &str = " (excluded)";

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

fn is_dotted_name(name: &str) -> bool {
    name.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// Whether a module is this one or below it.
fn is_inside(module: &str, package: &str) -> bool {
    module.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(races: &str, exclude: &str) -> Scope {
        let mut scope = Scope::new(Chosen::parse(races).unwrap(), Excluded::parse(exclude).unwrap(), Vec::new());
        scope.set_standard_library(["/usr/lib/python3.14"]);
        scope
    }

    fn of<'a>(file: &'a str, module: &'a str) -> Origin<'a> {
        Origin { file, module, ..Origin::default() }
    }

    #[test]
    fn first_party_is_what_is_neither_the_standard_library_nor_installed() {
        let scope = scope("first-party", "");
        assert!(scope.includes(&of("/home/me/app.py", "__main__")));
        assert!(scope.includes(&of("app/models.py", "app.models")));
        assert!(!scope.includes(&of("/usr/lib/python3.14/queue.py", "queue")));
        assert!(!scope.includes(&of("/usr/lib/python3.14/site-packages/attr/__init__.py", "attr")));
        assert!(!scope.includes(&of("/home/me/.venv/lib/python3.14t/site-packages/flask/app.py", "flask.app")));
        assert!(!scope.includes(&of("/usr/lib/python3/dist-packages/yaml.py", "yaml")));
        assert!(!scope.includes(&of("<frozen posixpath>", "posixpath")));
        assert!(!scope.includes(&of("/home/me/ftsan/process.py", "ftsan.process")));
    }

    #[test]
    fn code_without_a_file_belongs_to_its_module_or_to_who_runs_it() {
        let scope = scope("first-party", "");
        let made = |module_file, module, is_run_by_chosen| {
            scope.includes(&Origin { file: "<string>", module, module_file, is_run_by_chosen, package: "" })
        };
        assert!(made("/home/me/app.py", "app", false));
        assert!(!made("/usr/lib/python3.14/dataclasses.py", "dataclasses", true));
        assert!(made("", "__main__", false));
        assert!(made("", "", true));
        assert!(!made("", "namedtuple_Point", false));
    }

    #[test]
    fn packages_go_by_name_and_exclusions_win() {
        let scope = scope("hawkapi, first-party", "hawkapi.cli,app:Slow.run");
        assert!(scope.includes(&of("/x/site-packages/hawkapi/app.py", "hawkapi.app")));
        assert!(!scope.includes(&of("/x/site-packages/hawkapi/cli/main.py", "hawkapi.cli.main")));
        assert!(!scope.includes(&of("/x/site-packages/hawkapi_extra.py", "hawkapi_extra")));
        let script = Origin { package: "hawkapi", ..of("/x/site-packages/hawkapi/__main__.py", "__main__") };
        assert!(scope.includes(&script));
        assert!(scope.excludes("app", "Slow.run"));
        assert!(scope.excludes("app", "Slow.run.<locals>.inner"));
        assert!(!scope.excludes("app", "Slow.runner"));
    }

    #[test]
    fn the_project_under_test_is_first_party_wherever_it_is_installed() {
        let scope = |races: &str| {
            let excluded = Excluded::parse("mine.vendored").unwrap();
            Scope::new(Chosen::parse(races).unwrap(), excluded, names("mine,_mine").unwrap())
        };
        let first_party = scope("first-party");
        assert!(first_party.includes(&of("/x/site-packages/mine/app.py", "mine.app")));
        assert!(first_party.includes(&of("/x/site-packages/_mine.py", "_mine")));
        assert!(!first_party.includes(&of("/x/site-packages/mine/vendored/six.py", "mine.vendored.six")));
        assert!(!first_party.includes(&of("/x/site-packages/miner.py", "miner")));
        assert_eq!(first_party.unseen(&BTreeSet::new()), ["races_exclude: there was nothing of mine.vendored to leave out"]);
        assert!(!scope("none").includes(&of("/x/site-packages/mine/app.py", "mine.app")), "races are not looked for at all");
        assert_eq!(names("my-app").unwrap_err(), "\"my-app\" is not the name of a package or module");
    }

    #[test]
    fn what_was_named_and_never_came_is_said() {
        let scope = scope("hawkapi,first-party,typo.sub", "hawkapi.cli,gone,app:Slow.run,app:Gone");
        let mut seen = BTreeSet::new();
        let mut see = |file: &str, module: &str| seen.extend(scope.seen_as(&of(file, module)));
        see("/x/site-packages/hawkapi/app.py", "hawkapi.app");
        see("/x/site-packages/hawkapi/cli.py", "hawkapi.cli");
        see("/home/me/app.py", "app");
        see("/x/site-packages/typo/__init__.py", "typo");
        see("/usr/lib/python3.14/queue.py", "queue");
        seen.extend(scope.function_seen_as("app", "Slow.run.<locals>.inner"));
        let all: Vec<&str> = seen.iter().map(String::as_str).collect();
        assert_eq!(all, ["app (races)", "app:Slow.run (excluded)", "hawkapi (races)", "hawkapi.cli (excluded)"]);
        let unseen = scope.unseen(&seen).join("\n");
        let expected = "races: no Python code of typo.sub ran: was it imported, and is the name right?
races_exclude: there was nothing of gone to leave out
races_exclude: there was nothing of app:Gone to leave out";
        assert_eq!(unseen, expected);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let chosen = |races: &str| Chosen::parse(races).unwrap_err();
        assert_eq!(chosen("none,app"), "\"none\" is not the name of a package or module");
        assert_eq!(chosen("my-app"), "\"my-app\" is not the name of a package or module");
        let excluded = Excluded::parse("app:").unwrap_err();
        assert_eq!(excluded, "\"app:\" is not the name of a package or module, or MODULE:FUNCTION");
    }

    #[test]
    fn all_and_none_are_what_they_say() {
        assert!(Chosen::parse("none").unwrap().is_none());
        assert!(scope("all", "").includes(&of("/usr/lib/python3.14/queue.py", "queue")));
        assert!(!scope("all", "queue").includes(&of("/usr/lib/python3.14/queue.py", "queue")));
    }
}
