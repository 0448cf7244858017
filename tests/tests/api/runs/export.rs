//! Runs as files.

use std::io::Read;

use flate2::read::DeflateDecoder;
use futures::StreamExt;
use gemini_sim::{Fault, FaultRule, Route};
use serde_json::{Value, json};
use stt_eval_tests::Client;
use stt_eval_tests::audio::wav;

use crate::support::{Expect, FLASH, PRO, World, audio, id, items, machine, text, with};

/// What is at the address of an answer.
async fn file(told: &Value) -> Vec<u8> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(text(&told["url"])).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kind = answer.headers()["content-disposition"].to_str().unwrap();
    assert!(kind.starts_with("attachment; filename=\"run_"), "{kind}");
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(told["bytes"], bytes.len());
    bytes.into()
}

async fn exported(client: &Client, run: &Value, format: &str) -> Vec<u8> {
    let path = format!("/runs/{}/export?format={format}", id(run));
    file(client.get(&path).await.data(200)).await
}

async fn lines(w: &World, run: &Value, format: &str) -> Vec<String> {
    let text = String::from_utf8(exported(w, run, format).await).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn number(bytes: &[u8], at: usize, len: usize) -> usize {
    let bytes = bytes[at..at + len].iter().rev();
    bytes.fold(0, |all, byte| (all << 8) | usize::from(*byte))
}

/// The files of an archive, by the list at its end.
fn archived(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let end = bytes.len() - 22;
    let mut at = number(bytes, end + 16, 4);
    let mut found = Vec::new();
    while at < end {
        let (packed, name) = (number(bytes, at + 20, 4), number(bytes, at + 28, 2));
        let head = number(bytes, at + 42, 4);
        let mut content = Vec::new();
        DeflateDecoder::new(&bytes[head + 30 + name..][..packed])
            .read_to_end(&mut content)
            .unwrap();
        let called = &bytes[at + 46..][..name];
        found.push((String::from_utf8(called.into()).unwrap(), content));
        at += 46 + name;
    }
    found
}

/// The same of texts.
fn unpacked(bytes: &[u8]) -> Vec<(String, String)> {
    let text = |(name, content)| (name, String::from_utf8(content).unwrap());
    archived(bytes).into_iter().map(text).collect()
}

#[test]
fn an_archive_tells_what_a_service_failed_at() {
    with(async |w| {
        let refused = Fault::Status {
            code: 400,
            message: Some("no".to_owned()),
            after_commit: false,
            retry_after: None,
        };
        let mut rule: FaultRule = w.fault(refused).on(Route::BatchCreate);
        rule.model = Some(FLASH.to_owned());
        w.strike(rule);
        let made = w.dataset("d", &[Some("one two"), None]).await;
        let run = w.run(&made.id, &[PRO, FLASH]).await;
        let files = unpacked(&exported(w, &run, "trn").await);
        let names: Vec<&str> = files.iter().map(|(name, _)| &**name).collect();
        let (pro, flash) = (format!("hyp.{PRO}.trn"), format!("hyp.{FLASH}.trn"));
        assert_eq!(names, ["ref.trn", &pro, &flash, "failed.jsonl"]);
        let told: Vec<Value> = files[3]
            .1
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        // A line for each that has a reference, as the other files have them.
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["system"], FLASH);
        let line = format!("({})", text(&told[0]["id"]));
        assert!(files[2].1.trim().ends_with(&line), "{files:?}");
    });
}

#[test]
fn what_has_no_result_has_a_reason() {
    with(async |w| {
        w.strike(w.fault(Fault::Stuck {
            state: "RUNNING".to_owned(),
        }));
        let made = w.dataset("d", &[Some("one two")]).await;
        let run = w.start(&made.id, &[PRO]).await;
        let told = async || {
            let csv = lines(w, &run, "csv").await[1].clone();
            let json: Value = serde_json::from_str(&lines(w, &run, "jsonl").await[0]).unwrap();
            let trn = unpacked(&exported(w, &run, "trn").await);
            let failed: Value = serde_json::from_str(&trn[2].1).unwrap();
            let cells: Vec<&str> = csv.split(',').collect();
            assert_eq!((cells[5], cells[6]), ("one two", ""), "{csv}");
            let of_json = text(&json["results"][PRO]["error"]).to_owned();
            [
                cells[9].to_owned(),
                of_json,
                text(&failed["error"]).to_owned(),
            ]
        };
        assert_eq!(told().await, ["pending"; 3]);
        let path = format!("/runs/{}/cancel", id(&run));
        let cancelled = w.post(&path, &json!({})).await;
        assert!([200, 202].contains(&cancelled.status), "{}", cancelled.text);
        assert_eq!(told().await, ["cancelled"; 3]);
    });
}

#[test]
fn a_run_is_exported_as_what_others_read() {
    with(async |w| {
        let references = [
            Some("One {two|2} three"),
            Some("=five six"),
            None,
            Some("red green"),
        ];
        let made = w.dataset("d", &references).await;
        w.record(&made.audio[0], PRO, "one two, three.");
        w.record(&made.audio[0], FLASH, "+one");
        w.record_finish(&made.audio[3], FLASH, "SAFETY");
        let set = format!("/datasets/{}?include_samples=true", made.id);
        let samples = w.get(&set).await.data(200)["samples"].clone();
        let sample = |n: usize| id(&items(&samples)[n]);
        let body = json!({ "metadata": { "speaker": "a-b", "place": "Pune" } });
        w.patch(&format!("/samples/{}", sample(0)), &body)
            .await
            .ok(200);
        let run = w.run(&made.id, &[PRO, FLASH]).await;

        let csv = lines(w, &run, "csv").await;
        let head = format!(
            "\u{feff}id,audio,duration,language,speaker,reference,{PRO},{FLASH},{PRO} wer,{PRO} cer,\
             {PRO} error,{PRO} is_correct,{PRO} comment,{PRO} reviews,{PRO} proposed_references,{FLASH} wer,\
             {FLASH} cer,{FLASH} error,{FLASH} is_correct,{FLASH} comment,\
             {FLASH} reviews,{FLASH} proposed_references,reference_from,scored_by,metadata.place"
        );
        assert_eq!(csv[0], head);
        let first = format!(
            "{},0.wav,0.2,en,a-b,One {{two|2}} three,\"one two, three.\",'+one,0,0,,,,",
            sample(0)
        );
        assert!(csv[1].starts_with(&first), "{}", csv[1]);
        assert!(
            csv[2].contains(",'=five six,'=five six,six,0,"),
            "{}",
            csv[2]
        );
        assert!(csv[4].contains("blocked"), "{}", csv[4]);
        assert_eq!(csv.len(), 5);
        // What has no reference has it from nowhere.
        let scoring = &run["scorings"][0];
        let normalizer = text(&scoring["normalizer"]);
        let scorer = text(&scoring["scorer_version"]);
        let by = format!("{normalizer}, scorer {scorer}, reference version 1");
        assert!(
            csv[1].ends_with(&format!(",dataset,\"{by}\",Pune")),
            "{}",
            csv[1]
        );
        assert!(csv[3].ends_with(",,,"), "{}", csv[3]);

        let json: Vec<Value> = lines(w, &run, "jsonl")
            .await
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(json[0]["reference"], "One {two|2} three");
        assert_eq!(json[0]["metadata"], json!({ "place": "Pune" }));
        assert_eq!(json[0]["hypotheses"][FLASH], "+one");
        assert_eq!(
            (&json[0]["reference_from"], &json[2]["reference_from"]),
            (&"dataset".into(), &Value::Null)
        );
        let by =
            json!({ "normalizer": normalizer, "scorer_version": scorer, "reference_version": 1 });
        assert_eq!(json[0]["results"][PRO]["scored_by"], by);
        assert_eq!(json[2]["results"][PRO]["scored_by"], Value::Null);
        let aligned = &json[0]["results"][PRO]["alignment"];
        assert_eq!(items(aligned).len(), 3, "{aligned}");
        assert_eq!(json[2]["results"][PRO]["wer"], Value::Null);
        assert_eq!(json[3]["hypotheses"][FLASH], Value::Null);
        assert!(json[3]["results"][FLASH]["error"].is_string());
        assert_eq!(json.len(), 4);

        // Other tools know no markup.
        let nemo = lines(w, &run, "nemo").await;
        let nemo: Value = serde_json::from_str(&nemo[0]).unwrap();
        assert_eq!(nemo["text"], "One two three");
        assert_eq!(nemo["audio_filepath"], "0.wav");
        assert_eq!(nemo[format!("pred_text_{PRO}")], "one two, three.");

        // A line for every reference, as it was scored.
        let trn = unpacked(&exported(w, &run, "trn").await);
        let ids = [
            format!("(a.b-{})", sample(0)),
            format!("(utt-{})", sample(1)),
            format!("(utt-{})", sample(3)),
        ];
        let wanted = [
            (
                "ref.trn".to_owned(),
                ["one two three", "=five six", "red green"],
            ),
            (
                format!("hyp.{PRO}.trn"),
                ["one two three", "=five six", "red green"],
            ),
            (format!("hyp.{FLASH}.trn"), ["+one", "six", ""]),
        ];
        for ((name, said), (wanted, words)) in trn.iter().zip(wanted) {
            let wanted_lines = words
                .iter()
                .zip(&ids)
                .map(|(text, id)| format!("{text} {id}\n"));
            assert_eq!((name, said), (&wanted, &wanted_lines.collect()));
        }
        // What the model was stopped at, which its line does not tell.
        assert_eq!((trn.len(), &*trn[3].0), (4, "failed.jsonl"));
        let failed: Value = serde_json::from_str(&trn[3].1).unwrap();
        assert_eq!(failed["system"], FLASH, "{failed}");

        let page = String::from_utf8(exported(w, &run, "html").await).unwrap();
        assert!(page.contains(FLASH) && page.contains("</html>"));

        // Made once for a state of the run; what people find is another state.
        let path = format!("/runs/{}/export?format=csv", id(&run));
        let place = async || {
            let told = w.get(&path).await.data(200).clone();
            text(&told["url"]).split('?').next().unwrap().to_owned()
        };
        let before = place().await;
        assert_eq!(place().await, before);
        let result = &w.results(&run, "").await[0];
        let wording = "One {two|2} three {|=}";
        let body = json!({
            "is_correct": true, "comment": "well, heard", "proposed_reference": wording,
        });
        w.patch(&format!("/results/{}", id(result)), &body)
            .await
            .ok(200);
        assert_ne!(place().await, before);
        let csv = lines(w, &run, "csv").await;
        let said = format!(",true,\"well, heard\",\"API: right: well, heard\",{wording},");
        assert!(csv[1].contains(&said), "{}", csv[1]);
        let json = lines(w, &run, "jsonl").await;
        let json: Value = serde_json::from_str(&json[0]).unwrap();
        let proposed = |model: &str| json["results"][model]["proposed_references"].clone();
        let reviews = json["results"][PRO]["reviews"].clone();
        let wanted = json!([
            { "reviewer": "API", "verdict": "right", "reasons": [], "comment": "well, heard" }
        ]);
        assert_eq!(reviews, wanted);
        assert_eq!(
            (proposed(PRO), proposed(FLASH)),
            (json!([wording]), json!([]))
        );

        let http = reqwest::Client::builder().no_proxy();
        let http = http.redirect(reqwest::redirect::Policy::none()).build();
        let request = w.request("GET", &format!("{path}&redirect=true")).build();
        let moved = http.unwrap().execute(request.unwrap()).await.unwrap();
        assert_eq!(moved.status(), 303);
        assert_eq!(moved.headers()["cache-control"], "no-store");
        let to = moved.headers()["location"].to_str().unwrap();
        let to = json!({ "url": to, "bytes": exported(w, &run, "csv").await.len() });
        assert!(!file(&to).await.is_empty());

        let path = format!("/runs/{}/export", id(&run));
        for (query, status, field) in [
            ("format=", 422, "format"),
            ("format=xlsx", 422, "format"),
            ("format=csv&redirect=yes", 422, "redirect"),
            ("formats=csv", 400, "formats"),
        ] {
            World::names(&w.get(&format!("{path}?{query}")).await, status, field);
        }
        let stranger = w.stranger().await;
        stranger.get(&format!("{path}?format=csv")).await.no(404);

        // Of one under way, how things stand; and what was made goes with its run.
        let under_way = w.start(&made.id, &[PRO]).await;
        assert_eq!(lines(w, &under_way, "csv").await.len(), 5);
        w.delete(&format!("/runs/{}", id(&run))).await.ok(200);
        w.get(&format!("{path}?format=csv")).await.no(404);
        let _ = w.ended(&under_way).await;
    });
}

/// Samples of a run that takes several requests: a page, and one more.
const COUNT: usize = 26;

/// What the next requests bring, and how many there were.
async fn in_steps(client: &Client, path: &str) -> (Vec<u8>, usize) {
    for steps in 1.. {
        let answer = client.get(path).await;
        if answer.status == 200 {
            return (file(answer.data(200)).await, steps);
        }
        assert_eq!(answer.status, 202, "{}", answer.text);
        assert_eq!(answer.header("retry-after"), Some("1"));
        let told = text(&answer.data(202)["message"]).to_owned();
        assert!(told.contains("of 26 samples so far"), "{told}");
        assert!(steps < 40, "it never ends");
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_takes_longer_than_a_request_is_gone_on_with_by_the_next() {
    let (machine, client) = machine(vec![("REPORT_SECONDS", "0")]).await;
    // One is longer than what is in memory at once.
    let recordings: Vec<Vec<u8>> = (0..COUNT)
        .map(|n| if n == 3 { wav(7, 300.0) } else { audio() })
        .collect();
    let sent = recordings.iter().enumerate().map(|(n, bytes)| {
        let (machine, client) = (&machine, &client);
        async move {
            let name = format!("{n}.wav");
            machine.upload(client, &name, "audio/wav", bytes).await
        }
    });
    let sent: Vec<Value> = futures::stream::iter(sent).buffered(8).collect().await;
    let (mut samples, mut told, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for (n, file) in sent.iter().enumerate() {
        // Two have references; the others are long, and a page of them is more than is
        // held before it is sent.
        let reference = (n >= 24).then(|| format!("one two {n}"));
        let heard = match n {
            24.. => format!("One, {n}"),
            _ => vec![format!("{n:02}"); 62_000 / 3].join(" "),
        };
        samples.push(json!({ "file_id": file["id"], "ground_truth": reference }));
        told.push(json!({ "file_id": file["id"], "text": heard }).to_string());
        texts.push(heard);
    }
    let body = json!({ "name": "long", "language": "en", "samples": samples });
    let dataset = id(client.post("/datasets", &body).await.data(201));
    let (table, kind) = (told.join("\n"), "application/jsonl");
    let table = machine
        .upload(&client, "t.jsonl", kind, table.as_bytes())
        .await;
    let lists = ["a", "b", "c", "d", "e", "f"];
    let lists = lists.map(|name| json!({ "name": name, "manifest_file_id": table["id"] }));
    let body = json!({ "run_name": "r", "dataset_id": dataset, "transcripts": lists });
    let run = client.post("/runs", &body).await.data(202).clone();
    let run = machine.ended(&client, &run).await;
    assert_eq!(run["counts"]["completed"], 6 * COUNT, "{run}");

    let path = format!("/runs/{}/export?format=jsonl", id(&run));
    let (bytes, steps) = in_steps(&client, &path).await;
    // What ends a run may change it once more, and the file is begun anew.
    assert!((2..=3).contains(&steps), "{steps}");
    let lines = String::from_utf8(bytes).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), COUNT);
    for (line, text) in lines.iter().zip(&texts) {
        for model in ["imported/a", "imported/f"] {
            assert!(line["hypotheses"][model] == **text, "{}", line["id"]);
        }
    }

    // Each of the seven files of the archive is two pages.
    let path = format!("/runs/{}/export?format=trn", id(&run));
    let (bytes, steps) = in_steps(&client, &path).await;
    assert_eq!(steps, 14);
    let files = unpacked(&bytes);
    assert_eq!(files[6].0, "hyp.imported-f.trn");
    let sample = |n: usize| lines[n]["id"].as_str().unwrap();
    let wanted = ["one two", "one"].map(|said| {
        let lines = [24, 25].map(|n| format!("{said} {n} (utt-{})\n", sample(n)));
        lines.concat()
    });
    assert_eq!([&files[0].1, &files[6].1], [&wanted[0], &wanted[1]]);

    // A recording a request, one of them two, and then the list of them.
    let path = format!("/runs/{}/export?format=audiofolder", id(&run));
    let (bytes, steps) = in_steps(&client, &path).await;
    assert_eq!(steps, COUNT + 2);
    let files = archived(&bytes);
    let name = |n: usize| format!("{:05}-{n}.wav", n + 1);
    for (n, (file, recording)) in files.iter().zip(&recordings).enumerate() {
        assert_eq!(file.0, name(n));
        assert!(file.1 == *recording, "{}", file.0);
    }
    let (list, content) = &files[COUNT];
    assert_eq!((files.len(), &**list), (COUNT + 1, "metadata.csv"));
    let rows: Vec<&str> = std::str::from_utf8(content).unwrap().lines().collect();
    assert_eq!(rows[0], "file_name,transcription,language,speaker");
    assert_eq!(rows.len(), COUNT + 1);
    assert_eq!(rows[1], format!("{},,en,", name(0)));
    assert_eq!(rows[26], format!("{},one two 25,en,", name(25)));
    machine.stop().await;
}
