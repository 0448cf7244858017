//! A source is only read: it may be a disc, or belong to somebody else.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use super::{Bench, code, text, with};

/// Everything in a folder, itself among it: times, modes and bytes. Who runs tests as root may
/// write into what is read-only, so that nothing was written is looked at, and not only asked for.
fn all(folder: &Path) -> BTreeMap<String, (SystemTime, u32, Vec<u8>)> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let facts = std::fs::symlink_metadata(&path).unwrap();
        let bytes = match facts.is_dir() {
            true => {
                let entries = std::fs::read_dir(&path).unwrap();
                open.extend(entries.map(|entry| entry.unwrap().path()));
                Vec::new()
            }
            false => std::fs::read(&path).unwrap(),
        };
        let mode = facts.permissions().mode();
        let name = path.display().to_string();
        found.insert(name, (facts.modified().unwrap(), mode, bytes));
    }
    found
}

fn set_mode(path: &Path, mode: u32) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, mode).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_folder_is_read_and_left_as_it_is() {
    let bench = Bench::new().await;
    let set = bench.home.path().join("set");
    let files = || {
        std::fs::read_dir(&set)
            .unwrap()
            .map(|file| file.unwrap().path())
    };
    files().for_each(|file| set_mode(&file, 0o444));
    set_mode(&set, 0o555);
    let before = all(&set);
    assert_eq!(before.len(), 6);
    for asked in [
        &["check", "set"][..],
        &["check", "set/metadata.csv", "--no-probe"],
        &["run", "set", "--dry-run"],
        &with(&["--yes"]),
        &with(&["--fail-if", "wer>0.5", "--export", "csv", "--export", "trn"]),
        &["score", "set/metadata.csv", "set/metadata.csv"],
    ] {
        let told = bench.run(asked).await;
        assert_eq!(code(&told), 0, "{asked:?} {}", text(&told.stderr));
        assert_eq!(all(&set), before, "{asked:?}");
    }
    // From within it as well: the journal, and what is unpacked, lie elsewhere.
    let mut within = bench.command(&["run", ".", "-p", "gemini-2.5-pro", "--language", "en"]);
    within.args(["--yes", "--json"]).current_dir(&set);
    let told = bench.told(within.output().await.unwrap());
    assert_eq!(code(&told), 0, "{}", text(&told.stderr));
    assert_eq!(all(&set), before);
    set_mode(&set, 0o755);
    bench.machine.stop().await;
}
