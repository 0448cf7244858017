//! Parts of a report, as words.

use serde_json::json;

use super::{Bench, code, text};

#[tokio::test(flavor = "multi_thread")]
async fn parts_have_figures_of_their_own_from_ten_samples_on() {
    let bench = Bench::new().await;
    let lines: Vec<_> = (0..12)
        .map(|at| {
            let region = if at < 10 { "north" } else { "south" };
            let heard = format!("one two n{at}");
            json!({"text": format!("{heard} four"), "whisper": heard, "region": region})
        })
        .collect();
    bench.set_of("parts", 700, &lines);
    let run = ["run", "parts", "--language", "en", "--hyp", "whisper"];
    let run = bench.run(&run).await;
    assert_eq!(code(&run), 0, "{}", text(&run.stderr));

    let plain = text(&bench.run(&["report", "latest"]).await.stdout);
    let parted = bench
        .run(&["report", "latest", "--group-by", "region"])
        .await;
    let words = text(&parted.stdout);
    assert!(!plain.contains("region"), "{plain}");
    let row = |part: &str| -> Vec<String> {
        let mut lines = words.lines().skip_while(|line| *line != part);
        let heading = lines.nth(1).unwrap_or_default();
        assert!(heading.trim_start().starts_with("model "), "{words}");
        let row = lines.next().unwrap_or_default().split_whitespace();
        row.map(str::to_owned).collect()
    };
    let north = row("region: north");
    assert_eq!(north[..3], ["imported/whisper", "25.0", "%"], "{words}");
    assert_eq!(north.last().unwrap(), "10", "{words}");
    let south = row("region: south");
    assert_eq!(south, ["imported/whisper", "–", "–", "–", "2"], "{words}");
    assert!(
        words.contains("Of fewer than 10 samples no rate is told.\n"),
        "{words}"
    );
    bench.machine.stop().await;
}
