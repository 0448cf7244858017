//! What is done with a run that has ended: further transcripts, files, another scoring, and
//! its deletion.

use serde_json::json;

use super::Browser;
use super::datasets::{hidden, recordings};
use crate::support::{PRO, id, with};

const CSV: &str = "text/csv";

#[test]
fn transcripts_made_elsewhere_are_added_by_a_form() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two"), Some("three")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        let path = format!("/runs/{}", id(&run));
        let form = format!("{path}/transcripts");
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let page = browser.get(&path).await;
        assert!(
            page.text.contains("Add transcripts made elsewhere"),
            "{}",
            page.text
        );
        let table = "filename;transcript\n0.wav;one two\n1.wav;tree\n".as_bytes();
        let sent = Some(("table", "heard.csv", CSV, table));
        // What is wrong is told where it is to be mended, and what was typed stays.
        let unknown = "filename,transcript\n9.wav,one two\n".as_bytes();
        for (name, file, told) in [
            (
                "Mine <b>",
                sent,
                "Name of the model</a>: must have 1 to 63 characters",
            ),
            ("mine", None, "Table of transcripts</a>: must be chosen"),
            (
                "mine",
                Some(("table", "heard.csv", CSV, unknown)),
                "line 2: filename: no clip",
            ),
            (
                "mine",
                Some(("table", "heard.wav", CSV, table)),
                "is a recording",
            ),
        ] {
            let page = browser.send_form(&form, &[("name", name)], file).await;
            assert_eq!(page.status, 422, "{told}: {}", page.text);
            assert!(page.text.contains(told), "{told}: {}", page.text);
            assert!(page.text.contains("<details open>"), "{told}");
            assert!(page.text.contains("Please look at these again"));
            assert!(!page.text.contains("manifest_file_id"), "{}", page.text);
        }
        let files = w
            .get("/files?limit=100")
            .await
            .data(200)
            .as_array()
            .unwrap()
            .len();
        // Lines of other clips are left out once that was said.
        let more = "filename;transcript\n0.wav;one two\n8.wav;x\n1.wav;tree\n9.wav;y\n";
        let more = Some(("table", "heard.csv", CSV, more.as_bytes()));
        let page = browser.send_form(&form, &[("name", "mine")], more).await;
        assert_eq!(page.status, 422, "{}", page.text);
        let offer = "Leave out 2\u{a0}lines of clips that this dataset does not have";
        assert!(page.text.contains(offer), "{}", page.text);
        let kept = hidden(&page, "kept");
        let again = [("name", "mine"), ("kept", &*kept)];
        let page = browser.send_form(&form, &again, None).await;
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(page.text.contains(offer), "{}", page.text);
        // It holds for the lines of this table that were told, and for no others.
        let said = format!("{kept}:2");
        for other in ["true", &*format!("{kept}:1")] {
            let other = [&again[..], &[("leave_out", other)]].concat();
            let page = browser.send_form(&form, &other, None).await;
            assert_eq!(page.status, 422, "{}", page.text);
            assert!(page.text.contains(offer), "{}", page.text);
        }
        let third = "filename;transcript\n0.wav;one two\n6.wav;x\n7.wav;y\n";
        let third = Some(("table", "third.csv", CSV, third.as_bytes()));
        let ticked = [&again[..], &[("leave_out", &*said)]].concat();
        let page = browser.send_form(&form, &ticked, third).await;
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(page.text.contains(offer), "{}", page.text);
        let left = hidden(&page, "kept");
        assert_eq!(w.delete(&format!("/files/{left}")).await.status, 200);
        let said = [&again[..], &[("leave_out", &*said)]].concat();
        let page = browser.send_form(&form, &said, None).await;
        assert_eq!(
            (page.status, page.header("location")),
            (303, &*path),
            "{}",
            page.text
        );
        w.ended(&run).await;
        let page = browser.send_form(&form, &[("name", "mine")], sent).await;
        assert_eq!((page.status, page.header("location")), (303, &*path));
        let run = w.ended(&run).await;
        assert_eq!(run["providers"], json!([PRO, "imported/mine"]));
        assert_eq!(
            run["model_counts"]["imported/mine"]["completed"], 2,
            "{run}"
        );
        assert_eq!(run["score"]["imported/mine"]["wer"], 1.0 / 3.0);
        // The same again changes nothing; another table under the name is another matter.
        let page = browser.send_form(&form, &[("name", "mine")], sent).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let other = "filename;transcript\n0.wav;one\n".as_bytes();
        let other = Some(("table", "heard.csv", CSV, other));
        let page = browser.send_form(&form, &[("name", "mine")], other).await;
        assert_eq!(page.status, 409, "{}", page.text);
        assert!(page.text.contains("value=\"mine\""), "{}", page.text);
        // No table stays behind.
        let after = w
            .get("/files?limit=100")
            .await
            .data(200)
            .as_array()
            .unwrap()
            .len();
        assert_eq!(after, files);
    });
}

#[test]
fn a_form_of_transcripts_forgets_tables_of_forms_alone() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        let path = format!("/runs/{}", id(&run));
        let form = format!("{path}/transcripts");
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let recording = recordings(w, &["spare.wav"]).await;
        let table = b"filename,transcript\n0.wav,one two\n".to_vec();
        let table = w.file("mine.csv", CSV, table).await;
        for file in [format!("file_{recording}"), table] {
            let fields = [("name", "mine"), ("kept", &*file)];
            browser.send_form(&form, &fields, None).await;
            assert_eq!(w.get(&format!("/files/{file}")).await.status, 200, "{file}");
            // Nor does one of datasets see to it that it goes.
            let fields = [
                ("name", "n"),
                ("language", "hi"),
                ("files", &*recording),
                ("kept", &*file),
            ];
            let page = browser.send_form("/datasets/preview", &fields, None).await;
            assert_eq!(page.status, 422, "{}", page.text);
        }
    });
}

#[test]
fn of_a_table_of_another_dataset_it_is_told_what_to_do() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        let form = format!("/runs/{}/transcripts", id(&run));
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let lines: String = (1..31)
            .map(|line| format!("other-{line}.wav,x\n"))
            .collect();
        let table = format!("filename,transcript\n{lines}");
        let sent = Some(("table", "o.csv", CSV, table.as_bytes()));
        let page = browser.send_form(&form, &[("name", "mine")], sent).await;
        assert_eq!(page.status, 422, "{}", page.text);
        for told in [
            "none of its 30 lines is of a clip of this dataset: send the table of this dataset",
            "27 more of this kind",
        ] {
            assert!(page.text.contains(told), "{told}: {}", page.text);
        }
        assert!(!page.text.contains("Leave out"), "{}", page.text);
    });
}

#[test]
fn a_run_is_taken_along_scored_again_and_deleted() {
    with(async |w| {
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.run(&made.id, &[PRO]).await;
        let path = format!("/runs/{}", id(&run));
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        for (name, begins) in [("csv", "\u{feff}id,audio"), ("jsonl", "{\"")] {
            let page = browser.get(&format!("{path}/results.{name}")).await;
            assert_eq!(page.status, 303, "{}", page.text);
            let file = browser.http.get(page.header("location")).send();
            let file = file.await.unwrap();
            assert!(file.text().await.unwrap().starts_with(begins), "{name}");
        }
        let page = browser.get(&path).await;
        assert!(page.text.contains(">Score again</button>"), "{}", page.text);
        let changed = "The reference of 1 clip was changed since this was scored.";
        assert!(!page.text.contains(changed), "{}", page.text);
        let listed = format!("/datasets/{}?include_samples=true", made.id);
        let sample = id(&w.get(&listed).await.data(200)["samples"][0]);
        let fields = json!({ "ground_truth": "one too", "metadata": { "place <1>": "Pune" } });
        let saved = w.patch(&format!("/samples/{sample}"), &fields).await;
        assert_eq!(saved.status, 200, "{}", saved.text);
        let page = browser.get(&path).await;
        assert!(page.text.contains(changed), "{}", page.text);
        let page = browser.get(&format!("{path}/report")).await;
        assert!(
            page.text
                .contains("1 reference of the dataset was changed since")
        );
        // To the minute, as other times are.
        let last = page.text.split("(last at ").nth(1).unwrap();
        let last = last.split(')').next().unwrap();
        assert!(last.len() == 20 && last.ends_with(" UTC"), "{last}");
        // Clips can be parted by what their table says of them.
        let option = "<option value=\"place &#60;1&#62;\">place &#60;1&#62;</option>";
        assert!(page.text.contains(option), "{}", page.text);
        let parted = format!("{path}/report?group_by=place+%3C1%3E&scoring=1");
        let page = browser.get(&parted).await;
        assert!(page.text.contains("By place &#60;1&#62;"), "{}", page.text);
        assert!(
            page.text
                .contains("<option value=\"place &#60;1&#62;\" selected>")
        );
        assert!(
            page.text
                .contains("type=\"hidden\" name=\"scoring\" value=\"1\"")
        );
        assert!(page.text.contains("<option value=\"\">clip</option>"));
        let page = browser.post(&format!("{path}/rescore"), &[]).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let asked = browser.get(&format!("{path}/delete")).await;
        assert!(asked.text.contains("The dataset and its recordings stay"));
        let page = browser.post(&format!("{path}/delete"), &[]).await;
        assert_eq!((page.status, page.header("location")), (303, "/runs"));
        assert_eq!(browser.get(&path).await.status, 404);
        assert_eq!(
            browser.post(&format!("{path}/delete"), &[]).await.status,
            404
        );
        assert_eq!(w.get(&format!("/datasets/{}", made.id)).await.status, 200);
    });
}
