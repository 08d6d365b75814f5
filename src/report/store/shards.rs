//! Reports of several runs made one: shards of a test suite, machines of a fleet.

use super::file;
use super::journal;
use crate::report::model::tree::{Merging, News, Report};
use crate::report::render::json;
use crate::safe_file::Target;
use std::io;
use std::path::{Path, PathBuf};

/// Writes to `out` what the reports at `paths` say together.  One that cannot be read is left out: returned with the reason.
///
/// # Errors
/// There is something at `out` that is no report, it cannot be written, or none of the reports can be read; nothing is written then.
pub fn merge(paths: &[PathBuf], out: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let target = Target::at(out)?;
    file::check_ours(&target)?;
    let mut skipped = Vec::new();
    let mut merging: Option<Merging> = None;
    for path in paths {
        match journal::read(path) {
            Ok(report) => match &mut merging {
                Some(merging) => merging.add(News { report, withdrawn: Vec::new() }),
                None => merging = Some(Merging::new(report)),
            },
            Err(error) => skipped.push((path.clone(), error.to_string())),
        }
    }
    let merged: Report = merging.ok_or_else(|| io::Error::other("none of the reports can be read"))?.finish();
    target.replace(|file| json::write(&merged, file))?;
    Ok(skipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::tree::samples::news;
    use std::fs;

    #[test]
    fn one_finding_of_many_shards_is_one_record_and_a_torn_shard_is_left_out() {
        let folder = std::env::temp_dir().join(format!("ftsan-shards-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let paths: Vec<PathBuf> = (0..20_u32)
            .map(|number| {
                let path = folder.join(format!("{number}.json"));
                let mut report = news().report;
                report.findings[0].pids.insert(number);
                fs::write(&path, serde_json::to_vec(&report).unwrap()).unwrap();
                path
            })
            .collect();
        let torn = fs::read(&paths[7]).unwrap();
        fs::write(&paths[7], &torn[..torn.len() / 2]).unwrap();
        let out = folder.join("all.json");
        let skipped = merge(&paths, &out).unwrap();
        assert_eq!(skipped.iter().map(|(path, _)| path).collect::<Vec<_>>(), [&paths[7]]);
        let report = json::read(&fs::read(&out).unwrap()).unwrap();
        assert_eq!((report.findings.len(), report.findings[0].count, report.findings[0].pids.len()), (1, 19, 19));
        assert_eq!(report.watched.processes, 19);
        fs::write(&out, "not a report").unwrap();
        assert!(merge(&paths, &out).is_err());
        assert_eq!(fs::read_to_string(&out).unwrap(), "not a report");
        assert!(merge(&paths[7..8], &folder.join("none.json")).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
