//! The inventory of shared mutable state: one file for a whole process tree, as `--inventory` asks for it.

use super::file::{self, LARGEST, PATIENCE};
use crate::report::model::access::Frame;
use crate::report::render::json;
use crate::safe_file::Target;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::Path;

/// Version of the format.
const SCHEMA: u32 = 1;

/// Something that more than one thread used and at least one changed: all objects of one origin together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// What it is, in the words of the program: `Stats.n`.
    pub what: String,
    /// Qualified name of the object's type.
    pub r#type: String,
    /// Where it was made, innermost frame first; empty if that is not known.
    pub created: Vec<Frame>,
    /// Names of the threads.
    pub threads: Vec<String>,
    /// The lock that was held at every access, and where that was made; `None` for no lock.
    pub guard: Option<String>,
    /// How often it was read.
    pub reads: u64,
    /// How often it was written.
    pub writes: u64,
    /// How many objects.
    pub objects: u64,
}

impl Item {
    fn is_like(&self, other: &Item) -> bool {
        (&self.what, &self.r#type, &self.created, &self.guard) == (&other.what, &other.r#type, &other.created, &other.guard)
    }
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Version of the format.
    pub schema: u32,
    /// What is shared; unguarded first.
    pub shared: Vec<Item>,
}

impl Default for Inventory {
    fn default() -> Self {
        Inventory { schema: SCHEMA, shared: Vec::new() }
    }
}

impl Inventory {
    /// Adds an object.
    pub fn add(&mut self, item: Item) {
        match self.shared.iter_mut().find(|known| known.is_like(&item)) {
            Some(known) => {
                known.reads += item.reads;
                known.writes += item.writes;
                known.objects += item.objects;
                known.threads.extend(item.threads);
                known.threads.sort_unstable();
                known.threads.dedup();
            }
            None => self.shared.push(item),
        }
    }
}

/// Adds what this process has seen to the inventory at `path`.
///
/// # Errors
/// Another process holds the inventory for too long, or the file cannot be written.  It is as it was before then.
pub fn merge_into(path: &Path, news: Inventory) -> io::Result<()> {
    let target = Target::at(path)?;
    let _lock = target.lock(PATIENCE)?;
    file::check_ours(&target)?;
    // Nothing yet, or an inventory of another version: the state that we saw is worth more than what cannot be read.
    let before = target.read(LARGEST)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let mut inventory: Inventory = before.unwrap_or_default();
    news.shared.into_iter().for_each(|item| inventory.add(item));
    inventory.shared.sort_by(|a, b| (a.guard.is_some(), &a.what).cmp(&(b.guard.is_some(), &b.what)));
    target.replace(|out| json::write(&inventory, out))
}

/// Starts a new inventory at `path`, where there may be nothing yet, an empty file, or another inventory.
///
/// # Errors
/// There is something else, or the file cannot be written there.
pub fn start(path: &Path) -> io::Result<()> {
    file::start(&Target::at(path)?, &Inventory::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(what: &str, thread: &str, guard: Option<&str>) -> Item {
        Item {
            what: what.to_owned(),
            r#type: "app.Stats".to_owned(),
            created: Vec::new(),
            threads: vec![thread.to_owned()],
            guard: guard.map(str::to_owned),
            reads: 1,
            writes: 2,
            objects: 3,
        }
    }

    #[test]
    fn objects_of_one_origin_are_one_item() {
        let mut inventory = Inventory::default();
        for thread in ["b", "a", "b"] {
            inventory.add(item("Stats.n", thread, None));
        }
        inventory.add(item("Stats.n", "a", Some("a lock")));
        let [free, guarded] = &inventory.shared[..] else { panic!("{inventory:?}") };
        assert_eq!((free.reads, free.writes, free.objects), (3, 6, 9));
        assert_eq!(free.threads, ["a", "b"]);
        assert_eq!(*guarded, item("Stats.n", "a", Some("a lock")));
    }

    #[test]
    fn processes_add_to_one_file_in_which_the_unguarded_comes_first() {
        let folder = std::env::temp_dir().join(format!("ftsan-inventory-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("shared.json");
        let read = || serde_json::from_slice::<Inventory>(&std::fs::read(&path).unwrap()).unwrap();
        let say = |shared| merge_into(&path, Inventory { shared, ..Inventory::default() });
        say(vec![item("Stats.a", "a", Some("a lock")), item("Stats.n", "a", None)]).unwrap();
        say(vec![item("Stats.n", "b", None), item("Stats.m", "b", None)]).unwrap();
        let told: Vec<(String, u64)> = read().shared.into_iter().map(|item| (item.what, item.objects)).collect();
        assert_eq!(told, [("Stats.m", 3), ("Stats.n", 6), ("Stats.a", 3)].map(|(what, objects)| (what.to_owned(), objects)));
        start(&path).unwrap();
        assert_eq!(read(), Inventory::default());
        std::fs::write(&path, "import app\n").unwrap();
        assert!(start(&path).is_err() && say(Vec::new()).is_err(), "a file that is none is not replaced");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
