//! Folders with more recordings than a process may have files open: files are opened as few at
//! once, and memory does not grow with what is in them.

use stt_eval_tests::audio::wav;

use super::{Bench, document};

/// A folder of recordings with a text each.
fn folder(bench: &Bench, name: &str, seeds: std::ops::Range<u32>) {
    let set = bench.home.path().join(name);
    std::fs::create_dir(&set).unwrap();
    let mut table = "file_name,transcription\n".to_owned();
    for seed in seeds {
        std::fs::write(set.join(format!("{seed}.wav")), wav(seed, 0.1)).unwrap();
        table += &format!("{seed}.wav,one two {seed}\n");
    }
    std::fs::write(set.join("metadata.csv"), table).unwrap();
}

/// Most memory that a process has had so far, in KiB; `None` once it is gone.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Runs a folder of so many with 64 open files at most; gives the most memory that was seen.
async fn most(bench: &Bench, name: &str, files: u32) -> Option<u64> {
    let mut command = bench.within("ulimit -n 64");
    command.args(["run", name, "-p", "gemini-2.5-pro", "--language", "en"]);
    command.args(["--yes", "--detach", "--json"]);
    let child = command.spawn().unwrap();
    let pid = child.id().unwrap();
    // It is what it was at most, so a look now and then sees nearly all of it.
    let looks = tokio::spawn(async move {
        let mut most = None;
        while std::path::Path::new(&format!("/proc/{pid}/status")).exists() {
            most = peak(pid).or(most);
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        most
    });
    let begun = document(&bench.told(child.wait_with_output().await.unwrap()));
    assert_eq!(begun["run"]["total"], files, "{begun}");
    looks.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_recordings_need_few_open_files_and_little_memory() {
    let bench = Bench::new().await;
    folder(&bench, "few", 10_000..10_200);
    folder(&bench, "many", 20_000..22_000);
    let few = most(&bench, "few", 200).await;
    let many = most(&bench, "many", 2_000).await;
    // Elsewhere the machine does not tell.
    if let (Some(few), Some(many)) = (few, many) {
        // Ten times as many need some kilobytes for each, which is less than the program itself:
        // not ten times as much, and nothing of what is in them.
        assert!(many <= 2 * few, "{few} and {many} KiB");
        assert!(many <= 128 * 1024, "{many} KiB");
    }
    bench.machine.stop().await;
}
