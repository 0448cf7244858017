//! Datasets: looked at, changed and deleted, and made of recordings and a table.

use std::time::Duration;

use serde_json::{Value, json};
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::store::Store;
use stt_eval_tests::audio::wav;

use super::{Browser, Page, key};
use crate::support::{PRO, World, audio, id, items, text, with};

impl Browser {
    /// Sends a form with a file in it.
    pub(super) async fn send_form(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        file: Option<(&str, &str, &str, &[u8])>,
    ) -> Page {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!(
                "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(part.as_bytes());
        }
        if let Some((field, name, kind, bytes)) = file {
            let part = format!(
                "--x\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\
                 Content-Type: {kind}\r\n\r\n"
            );
            body.extend_from_slice(part.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--x--\r\n");
        let request = self
            .request("POST", path)
            .header("origin", &self.base)
            .header("content-type", "multipart/form-data; boundary=x")
            .body(body);
        self.send(request).await
    }
}

/// The value of a hidden field of a page.
pub(super) fn hidden(page: &Page, name: &str) -> String {
    let place = format!("name=\"{name}\" value=\"");
    let value = page.text.split(&*place).nth(1);
    let value = value.unwrap_or_else(|| panic!("no {name}: {}", page.text));
    value.split('"').next().unwrap().to_owned()
}

pub(super) async fn samples(w: &World, dataset: &str) -> Vec<Value> {
    let path = format!("/datasets/{dataset}?include_samples=true");
    let shown = w.get(&path).await.data(200).clone();
    items(&shown["samples"]).clone()
}

/// Recordings of these names as forms know them.
pub(super) async fn recordings(w: &World, names: &[&str]) -> String {
    let mut ids = Vec::new();
    for name in names {
        let id = w.file(name, "audio/wav", audio()).await;
        ids.push(id.strip_prefix("file_").unwrap().to_owned());
    }
    ids.join(".")
}

#[test]
fn a_dataset_shows_its_clips_and_is_of_its_project_alone() {
    with(async |w| {
        let references: Vec<Option<&str>> = vec![Some("one <b>two</b>"); 27];
        let made = w.dataset("clips & more", &references).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let list = browser.get("/datasets").await;
        let link = format!("href=\"/datasets/{}\"", made.id);
        assert!(list.text.contains(&link), "{}", list.text);
        assert!(list.text.contains(">New dataset</a>"));
        let page = browser.get(&format!("/datasets/{}", made.id)).await;
        assert_eq!(page.status, 200);
        assert_eq!(page.text.matches("<article class=\"clip\"").count(), 25);
        assert!(page.text.contains("one &#60;b&#62;two"), "{}", page.text);
        assert!(
            page.text
                .contains(&format!("/runs/new?dataset={}", made.id))
        );
        let more = page
            .text
            .split("href=\"")
            .find(|part| part.contains("?cursor="));
        let more = more.unwrap().split('"').next().unwrap().to_owned();
        let rest = browser.get(&more).await;
        assert_eq!(rest.text.matches("<article class=\"clip\"").count(), 2);
        assert!(rest.text.contains("Clip 27"), "{}", rest.text);

        let sample = id(&samples(w, &made.id).await[0]);
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        for path in [
            format!("/datasets/{}", made.id),
            format!("/datasets/{}/delete", made.id),
            format!("/samples/{sample}"),
        ] {
            assert_eq!(stranger.get(&path).await.status, 404, "{path}");
        }
        let page = stranger
            .post(&format!("/datasets/{}/delete", made.id), &[])
            .await;
        assert_eq!(page.status, 404);
        let fields = [("etag", "1"), ("ground_truth", "x")];
        let page = stranger.post(&format!("/samples/{sample}"), &fields).await;
        assert_eq!(page.status, 404);

        let (viewer, _) = key(w, "viewer").await;
        let mut viewer = Browser::signed_in(w, &viewer).await;
        let page = viewer.get(&format!("/datasets/{}", made.id)).await;
        assert!(page.status == 200 && !page.text.contains("<textarea"));
        assert!(!viewer.get("/datasets").await.text.contains("New dataset"));
        for path in [
            "/datasets/new".to_owned(),
            format!("/datasets/{}/delete", made.id),
        ] {
            assert_eq!(viewer.get(&path).await.status, 403, "{path}");
        }
        let page = viewer.post(&format!("/samples/{sample}"), &fields).await;
        assert_eq!(page.status, 403);
        for path in ["/uploads", "/datasets", "/datasets/preview"] {
            assert_eq!(
                viewer.send_form(path, &[], None).await.status,
                403,
                "{path}"
            );
        }

        w.run(&made.id, &[PRO]).await;
        w.start(&made.id, &[PRO]).await;
        let page = browser.get(&format!("/datasets/{}/delete", made.id)).await;
        for part in [
            "This can’t be undone.",
            "2\u{a0}runs",
            "1\u{a0}run is under way, and is cancelled.",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        let page = browser
            .post(&format!("/datasets/{}/delete", made.id), &[])
            .await;
        let told = "/datasets?deleted=clips%20%26%20more";
        assert_eq!((page.status, page.header("location")), (303, told));
        let page = browser.get(told).await;
        let told = "“<bdi>clips &#38; more</bdi>” was deleted.";
        assert!(page.text.contains(told), "{}", page.text);
        assert_eq!(
            browser.get(&format!("/datasets/{}", made.id)).await.status,
            404
        );
    });
}

#[test]
fn a_reference_is_edited_where_it_stands_and_nothing_is_lost() {
    with(async |w| {
        let made = w.dataset("edited", &[Some("one"), None]).await;
        let sample = id(&samples(w, &made.id).await[0]);
        let path = format!("/samples/{sample}");
        let mut asha = Browser::signed_in(w, &w.project.key).await;
        let fields = [("etag", "1"), ("ground_truth", "एक\r\nदो"), ("cursor", "")];
        let page = asha.post(&path, &fields).await;
        let back = format!("/datasets/{}?version=2&written={sample}#{sample}", made.id);
        assert_eq!(
            (page.status, page.header("location")),
            (303, &*back),
            "{}",
            page.text
        );
        let stands = samples(w, &made.id).await;
        assert_eq!(stands[0]["ground_truth"], "एक\nदो");
        assert_eq!(stands[0]["reference_version"], 2);
        // Sent twice, it is saved once.
        assert_eq!(asha.post(&path, &fields).await.status, 303);
        assert_eq!(samples(w, &made.id).await[0]["reference_version"], 2);
        // What a form goes on with is a clip of its own dataset; nothing else leads anywhere.
        let next = id(&samples(w, &made.id).await[1]);
        let other = w.dataset("other", &[Some("x")]).await;
        let other = id(&samples(w, &other.id).await[0]);
        let there = format!("/datasets/{}?version=2&written={sample}", made.id);
        for (next, place) in [
            (&*next, format!("&edit={next}#text-{next}")),
            (&*other, format!("#{sample}")),
            ("//elsewhere", format!("#{sample}")),
        ] {
            let on = [&fields[..], &[("next", next)]].concat();
            let page = asha.post(&path, &on).await;
            let back = format!("{there}{place}");
            assert_eq!((page.status, page.header("location")), (303, &*back));
        }
        let page = asha.get(&format!("{there}&edit={next}")).await;
        let open = page.text.split("<details open>").nth(1);
        let field = format!("<textarea id=\"text-{next}\"");
        assert!(open.is_some_and(|open| open.contains(&field)));
        // Another who read the first version is shown both.
        let late = [("etag", "1"), ("ground_truth", "mine"), ("cursor", "")];
        let page = asha.post(&path, &late).await;
        assert_eq!(page.status, 412);
        assert!(
            page.text.contains("एक") && page.text.contains("&#10;mine<"),
            "{}",
            page.text
        );
        assert_eq!(hidden(&page, "etag"), "2");
        assert_eq!(samples(w, &made.id).await[0]["ground_truth"], "एक\nदो");
        let again = [("etag", "2"), ("ground_truth", "mine"), ("cursor", "")];
        assert_eq!(asha.post(&path, &again).await.status, 303);

        for (fields, wrong) in [
            (
                vec![("etag", "3"), ("ground_truth", "{a")],
                ">reference markup at character 1",
            ),
            (
                vec![("etag", "3"), ("ground_truth", "a"), ("silent", "true")],
                "clear one of the two",
            ),
        ] {
            let page = asha.post(&path, &fields).await;
            assert_eq!(page.status, 422);
            assert!(page.text.contains(wrong), "{}", page.text);
        }
        for fields in [vec![("ground_truth", "a")], vec![("etag", "x")]] {
            assert_eq!(asha.post(&path, &fields).await.status, 422);
        }
        // What it said before is told with who wrote it, and can be said again.
        let page = asha.get(&path).await;
        assert!(page.text.contains("Earlier wordings"), "{}", page.text);
        assert!(page.text.contains("version 2 · by Asha"), "{}", page.text);
        assert!(page.text.contains("name=\"ground_truth\" value=\"एक\nदो\""));
        let used = [("etag", "3"), ("ground_truth", "एक\r\nदो"), ("cursor", "")];
        assert_eq!(asha.post(&path, &used).await.status, 303);
        assert_eq!(samples(w, &made.id).await[0]["ground_truth"], "एक\nदो");
        let used = [("etag", "4"), ("ground_truth", "mine"), ("cursor", "")];
        assert_eq!(asha.post(&path, &used).await.status, 303);
        // Nothing is said, and not known what.
        let silent = [("etag", "5"), ("ground_truth", ""), ("silent", "true")];
        assert_eq!(asha.post(&path, &silent).await.status, 303);
        assert_eq!(samples(w, &made.id).await[0]["ground_truth"], "");
        // Blanks are no text, also those that nobody sees.
        let unknown = [("etag", "6"), ("ground_truth", " \u{200b} ")];
        assert_eq!(asha.post(&path, &unknown).await.status, 303);
        assert_eq!(samples(w, &made.id).await[0]["ground_truth"], Value::Null);
    });
}

#[test]
fn uploads_are_announced_to_scripts_of_our_own_pages() {
    with(async |w| {
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let body = |kind: &str| json!({ "files": [{ "filename": "a.wav", "content_type": kind, "size_bytes": audio().len() }] });
        let post = |browser: &Browser, origin: &str, body: &Value| {
            browser
                .request("POST", "/uploads")
                .header("origin", origin)
                .header("content-type", "application/json")
                .body(body.to_string())
        };
        let own = browser.base.clone();
        let request = post(&browser, &own, &body("audio/wav"));
        let page = browser.send(request).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, "application/json")
        );
        let made: Value = serde_json::from_str(&page.text).unwrap();
        let made = &made["files"][0];
        let mut request = browser.http.put(text(&made["upload"]["url"])).body(audio());
        for (name, value) in made["upload"]["headers"].as_object().unwrap() {
            request = request.header(name, text(value));
        }
        let arrived = request.header("origin", &own).send().await.unwrap();
        assert_eq!(arrived.status(), 200);
        assert_eq!(arrived.headers()["access-control-allow-origin"], "*");
        let file = w.registered(text(&made["file"]["id"])).await;
        assert_eq!(file["status"], "ready");

        // A table that is never checked goes by itself; a recording stays.
        let request = post(&browser, &own, &body("text/csv"));
        let page = browser.send(request).await;
        let table: Value = serde_json::from_str(&page.text).unwrap();
        let store: &Store = &w.machine.node.app.store;
        let project = w.project.name.parse().unwrap();
        for (made, goes) in [(made, false), (&table["files"][0], true)] {
            let id = text(&made["file"]["id"]).parse().unwrap();
            let file = store.file(&project, id).await.unwrap().unwrap();
            let until = file.kept_until.map(|until| until.since(file.inserted_at));
            assert_eq!(until, goes.then_some(Duration::from_hours(24)), "{file:?}");
            assert_eq!(file.due_at.is_some(), goes, "{file:?}");
        }

        let request = post(&browser, &own, &body("text/html"));
        let page = browser.send(request).await;
        assert_eq!(page.status, 422);
        let told: Value = serde_json::from_str(&page.text).unwrap();
        let error = text(&told["error"]);
        assert!(
            error.contains("content_type: is not taken; allowed are audio/mpeg"),
            "{error}"
        );
        let request = post(&browser, "http://127.0.0.1:1", &body("audio/wav"));
        assert_eq!(browser.send(request).await.status, 403);
        browser.cookie = None;
        let request = post(&browser, &own, &body("audio/wav"));
        let page = browser.send(request).await;
        assert_eq!(page.status, 303);
        assert!(page.header("location").starts_with("/sign-in"));
    });
}

#[test]
fn without_scripts_recordings_are_sent_one_by_one() {
    with(async |w| {
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let bytes = audio();
        let one = ("file", "क.wav", "application/octet-stream", &*bytes);
        let page = browser
            .send_form("/uploads", &[("files", "")], Some(one))
            .await;
        assert_eq!(page.status, 303, "{}", page.text);
        let page = browser.get(page.header("location")).await;
        assert!(page.text.contains("<bdi>क.wav</bdi>"), "{}", page.text);
        let files = hidden(&page, "files");
        for (file, wrong) in [
            (None, "must be chosen"),
            (
                Some(("file", "a.wav", "audio/wav", &b"just text"[..])),
                ">It ",
            ),
            (
                Some(("file", "a.exe", "application/x-msdownload", &*bytes)),
                "is not taken",
            ),
            (
                Some(("file", "a.csv", "text/csv", &b"a,b"[..])),
                "is a table",
            ),
        ] {
            let page = browser
                .send_form("/uploads", &[("files", &*files)], file)
                .await;
            assert_eq!(page.status, 422, "{wrong}");
            assert!(page.text.contains(wrong), "{wrong}: {}", page.text);
            // What was sent before is kept.
            assert_eq!(hidden(&page, "files"), files);
        }
        let page = browser
            .send_form("/uploads", &[("files", "x")], Some(one))
            .await;
        assert_eq!(page.status, 422);
        let form = [
            ("name", "no table"),
            ("language", "Hindi"),
            ("files", &*files),
        ];
        let page = browser.send_form("/datasets/preview", &form, None).await;
        assert!(
            page.text.contains("1\u{a0}clip can be saved."),
            "{}",
            page.text
        );
        let page = browser.send_form("/datasets", &form, None).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let page = browser.get(page.header("location")).await;
        assert!(page.text.contains("data-saved") && page.text.contains("क.wav"));
    });
}

#[test]
fn a_table_is_judged_before_it_is_saved() {
    with(async |w| {
        let names = ["a.wav", "b.wav", "c.wav", "d.wav", "e.wav", "spare.wav"];
        let files = recordings(w, &names).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        // As Excel saves it in many places: UTF-16, a semicolon, another's folder.
        let table = "Audio File;Transcript;speaker\r\n\
             C:\\clips\\a.wav;नमस्ते जी;s1\r\n\
             b.wav;\"एक; दो {तीन\";s2\r\n\
             c.wav;;s1\r\n\
             d.wav;good morning to you all;s1\r\n\
             gone.wav;कल;s1\r\n\
             a.wav;फिर;s1\r\n\
             e.wav;पाँच;s1\r\n";
        let mut wide = vec![0xff, 0xfe];
        wide.extend(table.encode_utf16().flat_map(u16::to_le_bytes));
        let form = [
            ("name", "Fever calls"),
            ("language", "Hindi"),
            ("files", &*files),
        ];
        let sent = Some(("table", "आवाज़.csv", "text/csv", &*wide));
        let page = browser.send_form("/datasets/preview", &form, sent).await;
        assert_eq!(page.status, 200, "{}", page.text);
        for part in [
            "5\u{a0}clips can be saved, 2 can’t. 1\u{a0}recording is in no row of the table.",
            "Missing audio <small>1</small>",
            "<li>line 6: gone.wav is not there <q><bdi lang=\"hi\" dir=\"ltr\">कल</bdi></q></li>",
            "Recordings without a row in the table <small>1</small>",
            "spare.wav",
            "line 7: a.wav is that of line 2 too <q><bdi lang=\"hi\" dir=\"ltr\">फिर</bdi></q>",
            "Empty text <small>1</small>",
            "<li>line 4, c.wav: the text is empty",
            "Wrong script for the language <small>1</small>",
            "<li>line 5, d.wav: the text is in another script than its language \
             <q><bdi lang=\"hi\" dir=\"ltr\">good morning to you all</bdi></q>",
            "<p>नमस्ते जी</p>",
            ">Save dataset</button>",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
        // What is left out stands apart from what is saved all the same.
        let (left_out, saved_too) = page.text.split_once("id=\"saved-too\"").unwrap();
        for heading in ["Missing audio", "Recordings without a row", "Duplicates"] {
            assert!(left_out.contains(&format!("<h3>{heading}")), "{left_out}");
            assert!(
                !saved_too.contains(&format!("<h3>{heading}")),
                "{saved_too}"
            );
        }
        for heading in ["Empty text", "Wrong script"] {
            assert!(saved_too.contains(&format!("<h3>{heading}")), "{saved_too}");
        }
        let kept = hidden(&page, "kept");
        let form = [
            ("name", "Fever calls"),
            ("language", "Hindi"),
            ("files", &*files),
            ("kept", &*kept),
        ];
        // The table is a file of this day only, unless a dataset is made of it.
        let store: &Store = &w.machine.node.app.store;
        let project = w.project.name.parse().unwrap();
        let of_table = store.file(&project, kept.parse().unwrap()).await.unwrap();
        let until = of_table.unwrap().due_at.unwrap().since(Timestamp::now());
        assert!(until > Duration::from_hours(23) && until <= Duration::from_hours(24));
        // What can't be used is left out only where that was said.
        let page = browser.send_form("/datasets", &form, None).await;
        assert_eq!(page.status, 422);
        assert!(page.text.contains("say that it is to be left out"));
        let change = [&form[..], &[("change", "true")]].concat();
        let page = browser.send_form("/datasets/preview", &change, None).await;
        assert!(page.text.contains("value=\"Fever calls\""), "{}", page.text);
        assert!(page.text.contains("<bdi>आवाज़.csv</bdi>"), "{}", page.text);
        let all = [&form[..], &[("leave_out", "true")]].concat();
        let page = browser.send_form("/datasets", &all, None).await;
        assert_eq!(page.status, 303, "{}", page.text);
        let dataset = page
            .header("location")
            .split(['/', '?'])
            .nth(2)
            .unwrap()
            .to_owned();
        let made = samples(w, &dataset).await;
        let made: Vec<_> = made
            .iter()
            .map(|sample| (text(&sample["filename"]), &sample["ground_truth"]))
            .collect();
        assert_eq!(
            made,
            [
                ("a.wav", &json!("नमस्ते जी")),
                ("b.wav", &json!("एक; दो \\{तीन")),
                ("c.wav", &Value::Null),
                ("d.wav", &json!("good morning to you all")),
                ("e.wav", &json!("पाँच")),
            ]
        );
        assert_eq!(
            samples(w, &dataset).await[0]["metadata"],
            json!({ "speaker": "s1" })
        );
        // The table has done its work; sent again, the name says what there is.
        assert_eq!(w.get(&format!("/files/{kept}")).await.status, 404);
        let page = browser.send_form("/datasets", &all, None).await;
        assert_eq!(page.status, 422);
        assert!(
            page.text.contains("of this name exists already"),
            "{}",
            page.text
        );
    });
}

#[test]
fn recordings_of_one_name_in_two_formats_are_nothing_double() {
    with(async |w| {
        let files = recordings(w, &["talk.wav", "talk.mp3"]).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let form = [("name", "Stems"), ("language", "en"), ("files", &*files)];
        let named = "file_name,text\ntalk.wav,one two\ntalk.mp3,three four\n";
        let ids = "id,file_name,text\n7,talk.wav,one two\n7,talk.mp3,three four\n";
        for (table, is_told) in [(named, false), (ids, true)] {
            let sent = Some(("table", "t.csv", "text/csv", table.as_bytes()));
            let page = browser.send_form("/datasets/preview", &form, sent).await;
            assert!(
                page.text.contains("2\u{a0}clips can be saved"),
                "{}",
                page.text
            );
            // Ids of their own that are the same may tell of a row that was copied.
            assert_eq!(
                page.text.contains("line 2 has the same id"),
                is_told,
                "{}",
                page.text
            );
            assert_eq!(page.text.contains("Duplicates"), is_told, "{}", page.text);
        }
    });
}

#[test]
fn one_recording_under_two_names_is_told() {
    with(async |w| {
        let bytes = audio();
        let mut ids = Vec::new();
        for name in ["a.wav", "b.wav"] {
            let id = w.file(name, "audio/wav", bytes.clone()).await;
            ids.push(id.strip_prefix("file_").unwrap().to_owned());
        }
        let files = format!("{}.{}", ids.join("."), recordings(w, &["c.wav"]).await);
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let form = [("name", "Copies"), ("language", "en"), ("files", &*files)];
        let table = "file_name,text\na.wav,one two\nb.wav,three\nc.wav,four\n";
        for sent in [None, Some(("table", "t.csv", "text/csv", table.as_bytes()))] {
            let page = browser.send_form("/datasets/preview", &form, sent).await;
            for part in [
                "Duplicates <small>1</small>",
                "b.wav is the same recording as a.wav",
                "3\u{a0}clips can be saved",
            ] {
                assert!(page.text.contains(part), "{part}: {}", page.text);
            }
        }
    });
}

#[test]
fn what_some_models_can_not_take_is_told_before_it_is_saved() {
    with(async |w| {
        let short = recordings(w, &["short.wav"]).await;
        let sound = wav(7, 1_405.0);
        let long = w
            .machine
            .upload(&w.project, "long.wav", "audio/wav", &sound)
            .await;
        let long = id(&long).strip_prefix("file_").unwrap().to_owned();
        let files = format!("{short}.{long}");
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let form = [("name", "Two"), ("language", "hi"), ("files", &*files)];
        let page = browser.send_form("/datasets/preview", &form, None).await;
        assert_eq!(page.status, 200, "{}", page.text);
        for part in [
            "2\u{a0}clips can be saved.",
            "What some models can’t take <small>1</small>",
            "long.wav: the model takes audio of 1400 s at most (OpenAI GPT Transcribe)",
        ] {
            assert!(page.text.contains(part), "{part}: {}", page.text);
        }
    });
}

#[test]
fn what_can_not_be_a_dataset_is_told_at_its_field() {
    with(async |w| {
        let files = recordings(w, &["a.wav"]).await;
        let taken = w.dataset("taken", &[Some("x")]).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let good = b"file,text\na.wav,x\n";
        let long = "x".repeat(256);
        let cases: [(&str, &str, &str, &[u8], &str); 13] = [
            ("", "hi", &files, good, ">must not be empty"),
            (&long, "hi", &files, good, ">must have 1 to 255"),
            ("taken", "hi", &files, good, "of this name exists already"),
            ("n", "", &files, good, ">must be given: write its English"),
            (
                "n",
                "klingon",
                &files,
                good,
                ">is not known here: write its English name or its tag, such as Hindi or hi-IN<",
            ),
            ("n", "hi", "", good, ">upload at least one<"),
            ("n", "hi", &files, b"what,ever\n1,2\n", "table"),
            ("n", "hi", &files, b"\x00\x01\x02", "id=\"problem\">"),
            ("n", "hi", &files, b"  \n", ">is empty<"),
            (
                "n",
                "hi",
                &files,
                b"PK\x03\x04\x14\0\x06\0",
                ">is a workbook or an archive: save its sheet as CSV",
            ),
            (
                "n",
                "hi",
                &files,
                b"\xd0\xcf\x11\xe0\xa1\xb1",
                "save its sheet as CSV",
            ),
            // A title stands above the header.
            (
                "n",
                "hi",
                &files,
                b"Calls of March\n\na.wav;x\n",
                "begin the table with a line that names its columns, such as file_name,text",
            ),
            (
                "n",
                "hi",
                &files,
                b"file,one,other\na.wav,good day to you,how do you do\n",
                "call the one that is the reference `text`",
            ),
        ];
        for (name, language, files, table, wrong) in cases {
            let form = [("name", name), ("language", language), ("files", files)];
            let sent = Some(("table", "t.csv", "text/csv", table));
            for path in ["/datasets/preview", "/datasets"] {
                let page = browser.send_form(path, &form, sent).await;
                assert_eq!(page.status, 422, "{path} {wrong}: {}", page.text);
                assert!(page.text.contains(wrong), "{path} {wrong}: {}", page.text);
                assert!(page.text.contains("aria-invalid"), "{path} {wrong}");
                assert!(page.text.contains("Please look at these again"));
            }
        }
        // What belongs to others is as if it were not there.
        let stranger = w.stranger().await;
        let mut stranger = Browser::signed_in(w, &stranger.key).await;
        let form = [("name", "n"), ("language", "hi"), ("files", &*files)];
        let page = stranger.send_form("/datasets/preview", &form, None).await;
        assert!(page.text.contains("No clip can be saved"), "{}", page.text);
        assert!(!page.text.contains("a.wav"), "{}", page.text);
        let page = stranger.get(&format!("/datasets/new?files={files}")).await;
        assert!(page.status == 200 && !page.text.contains("a.wav"));
        assert_eq!(w.get(&format!("/datasets/{}", taken.id)).await.status, 200);
    });
}

#[test]
fn a_table_of_which_no_dataset_is_made_goes_by_itself() {
    with(async |w| {
        let files = recordings(w, &["a, b.wav"]).await;
        let mut browser = Browser::signed_in(w, &w.project.key).await;
        let form = [("name", "Later"), ("language", "Hindi"), ("files", &*files)];
        // As spreadsheets save with TABs: a name with a comma is in quotes.
        let table = "file_name\ttext\r\n\"a, b.wav\"\tनमस्ते\r\n".as_bytes();
        let sent = Some(("table", "later.txt", "text/plain", table));
        let page = browser.send_form("/datasets/preview", &form, sent).await;
        assert!(
            page.text.contains("1\u{a0}clip can be saved."),
            "{}",
            page.text
        );
        let kept = hidden(&page, "kept");
        let path = format!("/files/{kept}");
        assert_eq!(w.get(&path).await.status, 200);
        let store: &Store = &w.machine.node.app.store;
        let project = w.project.name.parse().unwrap();
        let file = store.file(&project, kept.parse().unwrap()).await.unwrap();
        let due = file.unwrap().postponed(Timestamp::now());
        store.save_file(&due).await.unwrap();
        w.machine
            .wait("the table goes", async || {
                (w.get(&path).await.status == 404).then_some(())
            })
            .await;
        let again = [&form[..], &[("kept", &*kept)]].concat();
        let page = browser.send_form("/datasets", &again, None).await;
        assert_eq!(page.status, 422, "{}", page.text);
        assert!(page.text.contains("there is no such file"), "{}", page.text);
    });
}
