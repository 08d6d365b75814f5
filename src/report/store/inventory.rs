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

    #[test]
    fn objects_of_one_origin_are_one_item() {
        let item = |thread: &str| Item {
            what: "Stats.n".to_owned(),
            r#type: "app.Stats".to_owned(),
            created: Vec::new(),
            threads: vec![thread.to_owned()],
            guard: None,
            reads: 1,
            writes: 2,
            objects: 1,
        };
        let mut inventory = Inventory::default();
        inventory.add(item("b"));
        inventory.add(item("a"));
        inventory.add(Item { guard: Some("a lock".to_owned()), ..item("a") });
        assert_eq!(inventory.shared.len(), 2);
        assert_eq!((inventory.shared[0].objects, inventory.shared[0].threads.len()), (2, 2));
    }
}
