//! Folders with more recordings than a process may have files open.

use stt_eval_tests::audio::wav;

use super::{Bench, document};

const FILES: u32 = 100;

#[tokio::test(flavor = "multi_thread")]
async fn many_recordings_need_few_open_files() {
    let bench = Bench::new().await;
    let set = bench.home.path().join("many");
    std::fs::create_dir(&set).unwrap();
    let mut table = "file_name,transcription\n".to_owned();
    for seed in 1_000..1_000 + FILES {
        std::fs::write(set.join(format!("{seed}.wav")), wav(seed, 0.1)).unwrap();
        table += &format!("{seed}.wav,one two {seed}\n");
    }
    std::fs::write(set.join("metadata.csv"), table).unwrap();
    let mut command = bench.within("ulimit -n 64");
    command.args(["run", "many", "-p", "gemini-2.5-pro", "--language", "en"]);
    command.args(["--yes", "--detach", "--json"]);
    let begun = document(&bench.told(command.output().await.unwrap()));
    assert_eq!(begun["run"]["total"], FILES, "{begun}");
    bench.machine.stop().await;
}
