//! Datasets from tables that were uploaded.

use serde_json::{Value, json};
use stt_eval_tests::Answer;

use crate::support::{Expect, World, audio, each, id, text, with};

const CSV: &str = "text/csv";
const TSV: &str = "text/tab-separated-values";
const JSONL: &str = "application/jsonl";

async fn make(w: &World, name: &str, manifest: &str) -> Answer {
    let body = json!({ "name": name, "language": "hi", "manifest_file_id": manifest });
    w.post("/datasets", &body).await
}

/// Uploads a table and makes a dataset of it.
async fn of(w: &World, name: &str, kind: &str, table: &str) -> Answer {
    let manifest = w.file(name, kind, table.as_bytes().to_vec()).await;
    make(w, name, &manifest).await
}

async fn samples(w: &World, made: &Answer) -> Value {
    let path = format!("/datasets/{}?include_samples=true", id(made.data(201)));
    w.get(&path).await.data(200)["samples"].clone()
}

#[test]
fn one_split_of_a_table_is_taken_where_it_is_named_and_several_are_told() {
    with(async |w| {
        for name in ["1.wav", "2.wav", "3.wav"] {
            w.file(name, "audio/wav", audio()).await;
        }
        let table = "filename,ground_truth,split\n1.wav,एक,train\n2.wav,दो,test\n3.wav,तीन,train\n";
        let manifest = w.file("t.csv", CSV, table.into()).await;
        let all = make(w, "all", &manifest).await.data(201).clone();
        assert_eq!(all["splits"], json!({ "test": 1, "train": 2 }));
        assert_eq!(all["dataset_metadata"]["sample_count"], 3);
        let shown = w.get(&format!("/datasets/{}", id(&all))).await;
        assert!(shown.data(200).get("splits").is_none());
        let of = async |name: &str, split: &str| {
            let body = json!({ "name": name, "language": "hi", "manifest_file_id": manifest,
                               "split": split });
            w.post("/datasets", &body).await
        };
        let trained = of("trained", "training").await;
        assert_eq!(trained.data(201)["dataset_metadata"]["sample_count"], 2);
        assert!(trained.data(201).get("splits").is_none());
        let none = of("none", "dev").await;
        assert_eq!(none.refused(422), ["split"]);
        let body = json!({ "name": "inline", "language": "hi", "split": "test",
                           "samples": [{ "file_id": w.recording().await }] });
        let inline = w.post("/datasets", &body).await;
        assert_eq!(inline.refused(422), ["split"]);
    });
}

#[test]
fn tables_and_json_lines_say_the_same() {
    with(async |w| {
        let one = w.file("एक, दो.wav", "audio/wav", audio()).await;
        let two = w.file("2.wav", "audio/wav", audio()).await;
        let csv = "\u{feff}filename,ground_truth,language,speaker\r\n\
                   \"एक, दो.wav\",\"नमस्ते \"\"आप\"\"\",en,s1\r\n2.wav,,,\r\n";
        let tsv = format!(
            "speaker\tfile_id\tground_truth\tlanguage\ns1\t{one}\tनमस्ते \"\"आप\"\"\ten\n\t{two}\t\t\n"
        );
        let jsonl = format!(
            "{}\n\n{}\n",
            json!({ "file_id": one, "ground_truth": "नमस्ते \"आप\"", "language": "en", "speaker": "s1" }),
            json!({ "filename": "2.wav", "ground_truth": null, "metadata": {} })
        );
        let tsv = tsv.replace("नमस्ते \"\"आप\"\"", "\"नमस्ते \"\"आप\"\"\"");
        for (name, kind, table) in [("c", CSV, csv), ("t", TSV, &tsv), ("j", JSONL, &jsonl)] {
            let made = of(w, name, kind, table).await;
            assert_eq!(
                made.data(201)["dataset_metadata"]["sample_count"],
                2,
                "{name}"
            );
            assert_eq!(
                made.data(201)["dataset_metadata"]["has_ground_truth_count"],
                1,
                "{name}"
            );
            let samples = samples(w, &made).await;
            assert_eq!(each(&samples, "file_id"), [&one, &two], "{name}");
            let truths = each(&samples, "ground_truth");
            assert_eq!(truths, [&json!("नमस्ते \"आप\""), &Value::Null], "{name}");
            assert_eq!(each(&samples, "language"), ["en", "hi"], "{name}");
            assert_eq!(samples[0]["metadata"], json!({ "speaker": "s1" }), "{name}");
            assert_eq!(samples[1]["metadata"], json!({}), "{name}");
        }
    });
}

#[test]
fn silence_can_be_said_in_json_lines() {
    with(async |w| {
        let one = w.recording().await;
        let table = json!({ "file_id": one, "ground_truth": "" }).to_string();
        let made = of(w, "j", JSONL, &table).await;
        assert_eq!(
            made.data(201)["dataset_metadata"]["has_ground_truth_count"],
            1
        );
        assert_eq!(samples(w, &made).await[0]["ground_truth"], "");
    });
}

#[test]
fn every_line_that_is_wrong_is_named_and_nothing_is_made() {
    with(async |w| {
        let good = w.file("good.wav", "audio/wav", audio()).await;
        w.file("same.wav", "audio/wav", audio()).await;
        w.file("same.wav", "audio/wav", audio()).await;
        w.announce("awaited.wav", "audio/wav", 5).await;
        let unknown = "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
        let stranger = w.stranger().await;
        let foreign = id(&w
            .machine
            .upload(&stranger, "f.wav", "audio/wav", &audio())
            .await);
        let rows = (0..10_001)
            .map(|n| format!("{n}.wav\n"))
            .collect::<String>();
        for (what, kind, table, place, reason) in [
            (
                "no such name",
                CSV,
                "filename\ngood.wav\nnone.wav\n",
                "line 3",
                "name",
            ),
            (
                "not ready",
                CSV,
                "filename\nawaited.wav\n",
                "line 2",
                "name",
            ),
            (
                "two of a name",
                CSV,
                "filename\nsame.wav\n",
                "line 2",
                "2 files",
            ),
            ("foreign name", CSV, "filename\nf.wav\n", "line 2", "name"),
            (
                "unknown id",
                CSV,
                &format!("file_id\n{unknown}\n"),
                "line 2",
                "no such file",
            ),
            (
                "foreign id",
                CSV,
                &format!("file_id\n{foreign}\n"),
                "line 2",
                "no such file",
            ),
            ("odd id", TSV, "file_id\nx\n", "line 2", "not a file id"),
            (
                "twice",
                CSV,
                &format!("file_id\n{good}\n{good}\n"),
                "line 3",
                "same file",
            ),
            (
                "markup",
                CSV,
                "filename,ground_truth\ngood.wav,{a|\n",
                "line 2",
                "character 1",
            ),
            (
                "language",
                CSV,
                "filename,language\ngood.wav,tlh\n",
                "line 2",
                "supported",
            ),
            ("no file", CSV, "filename,x\n,1\n", "line 2", "filename"),
            ("ragged", CSV, "filename,x\ngood.wav\n", "line 2", "columns"),
            (
                "no object",
                JSONL,
                "{\"filename\":\"good.wav\"}\n[1]\n",
                "line 2",
                "object",
            ),
            (
                "no column",
                CSV,
                "name\ngood.wav\n",
                "manifest_file_id",
                "file_id or filename",
            ),
            (
                "a column twice",
                CSV,
                "filename,filename\na,b\n",
                "manifest_file_id",
                "twice",
            ),
            ("no rows", CSV, "filename\n", "manifest_file_id", "no rows"),
            (
                "too many",
                CSV,
                &format!("filename\n{rows}"),
                "manifest_file_id",
                "10000",
            ),
        ] {
            let answer = of(w, "broken", kind, table).await;
            assert_eq!(answer.status, 422, "{what}: {}", answer.text);
            let fields = answer.refused(422);
            assert!(fields[0].contains(place), "{what}: {}", answer.text);
            let told = answer.text.replace("10,000", "10000");
            assert!(told.contains(reason), "{what}: {}", answer.text);
        }
        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 0);
        of(w, "broken", CSV, "filename\ngood.wav\n").await.ok(201);
    });
}

#[test]
fn what_is_no_manifest_is_refused() {
    with(async |w| {
        let field = "manifest_file_id";
        let recording = w.recording().await;
        World::names(&make(w, "d", &recording).await, 422, field);
        World::names(
            &make(w, "d", "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1").await,
            422,
            field,
        );
        World::names(&make(w, "d", "x").await, 422, field);
        let awaited = w.announce("m.csv", CSV, 5).await;
        World::names(
            &make(w, "d", text(&awaited["file"]["id"])).await,
            422,
            field,
        );
        let latin = w
            .file("latin.csv", CSV, b"filename\n\xe9.wav\n".to_vec())
            .await;
        let answer = make(w, "d", &latin).await;
        World::names(&answer, 422, field);
        assert!(answer.text.contains("UTF-8"), "{}", answer.text);
        // A table that was rejected says why.
        let rejected = w.machine.upload(w, "nul.csv", CSV, b"filename\n\0\n").await;
        let answer = make(w, "d", text(&rejected["id"])).await;
        World::names(&answer, 422, field);
        assert!(
            answer
                .text
                .contains("was rejected: the file is not a table")
        );
        let manifest = w
            .file("m.csv", CSV, b"filename\nrecording.wav\n".to_vec())
            .await;
        let both = json!({
            "name": "d", "language": "hi", "manifest_file_id": manifest,
            "samples": [{ "file_id": recording }],
        });
        World::names(&w.post("/datasets", &both).await, 422, field);
        let stranger = w.stranger().await;
        let body = json!({ "name": "d", "language": "hi", "manifest_file_id": manifest });
        World::names(&stranger.post("/datasets", &body).await, 422, field);
        assert_eq!(w.get("/datasets").await.body["metadata"]["total"], 0);
    });
}

#[test]
fn a_filename_means_the_one_file_that_can_be_used() {
    with(async |w| {
        let first = w.file("x.wav", "audio/wav", audio()).await;
        w.delete(&format!("/files/{first}")).await.ok(200);
        w.announce("x.wav", "audio/wav", 5).await;
        let table = "filename\nx.wav\n";
        of(w, "none", CSV, table).await.no(422);
        let text_file = w
            .machine
            .upload(w, "x.wav", "audio/wav", b"text and no sound")
            .await;
        assert_eq!(text_file["status"], "rejected");
        let usable = w.file("x.wav", "audio/wav", audio()).await;
        let made = of(w, "one", CSV, table).await;
        assert_eq!(samples(w, &made).await[0]["file_id"], usable);
        // However the name is spelt, and whatever looks like a path in it.
        let key = format!("incoming/{}/día 1/ஒலி.wav", w.project.name);
        crate::support::store::drop_object(w, &key, &audio()).await;
        let dropped = w
            .machine
            .wait("the dropped file is ready", async || {
                let listed = w.get("/files?limit=1").await;
                let newest = listed.data(200)[0].clone();
                (newest["filename"] == "día 1/ஒலி.wav").then_some(newest)
            })
            .await;
        let made = of(w, "dropped", CSV, "filename\ndi\u{301}a 1/ஒலி.wav\n").await;
        assert_eq!(samples(w, &made).await[0]["file_id"], dropped["id"]);
    });
}

#[test]
fn what_people_save_from_a_spreadsheet_is_read() {
    with(async |w| {
        for name in ["आ.wav", "b.wav"] {
            w.file(name, "audio/wav", audio()).await;
        }
        let table = "Audio File;Transcript;Lang;Speaker;;\r\n\
             C:\\clips\\आ.wav;\"एक, दो\";hi-IN;s1;;\r\n\
             b.wav;;;s2;;\r\n";
        let wide = |text: &str| {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            [0xff, 0xfe].into_iter().chain(units).collect::<Vec<u8>>()
        };
        let tabs = table.replace(';', "\t");
        for (name, table, said) in [
            ("semicolons", table.as_bytes().to_vec(), "एक, दो"),
            ("tabs", tabs.clone().into_bytes(), "एक, दो"),
            ("wide", wide(&tabs), "एक, दो"),
        ] {
            let manifest = w.file(name, CSV, table).await;
            let made = make(w, name, &manifest).await;
            let samples = samples(w, &made).await;
            assert_eq!(each(&samples, "filename"), ["आ.wav", "b.wav"], "{name}");
            assert_eq!(each(&samples, "ground_truth"), [&json!(said), &Value::Null]);
            assert_eq!(each(&samples, "language"), ["hi-IN", "hi"], "{name}");
            assert_eq!(samples[1]["metadata"], json!({ "Speaker": "s2" }), "{name}");
        }
        let odd = "file;text\r\n\r\nb.wav;{a\r\nnone.wav;x;y\r\n";
        let manifest = w.file("odd", CSV, wide(odd)).await;
        let made = make(w, "odd", &manifest).await;
        assert_eq!(made.refused(422), ["line 4"]);
    });
}
