//! A dataset, its clips, and a new one.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stt_eval_html::dataset::{self, Draft, Shown};
use stt_eval_html::earlier::KeyNames;
use stt_eval_html::upload::{
    self, Clip, Field, Findings, Found, Given, Language, New, Preview, Quote, Recording,
};
use stt_eval_wire::datasets::{Dataset, Sample};
use stt_eval_wire::findings::Topic;

use crate::others::{HOSTILE, WHEN, check, frame, run};

fn made() -> Dataset {
    let value = json!({
        "id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "name": HOSTILE, "description": HOSTILE,
        "language": "ur-IN", "keywords": [HOSTILE, "شہر"],
        "dataset_metadata": { "sample_count": 180, "has_ground_truth_count": 179,
                              "total_duration_seconds": 2_232.0 },
        "inserted_at": WHEN, "updated_at": WHEN,
    });
    serde_json::from_value(value).unwrap()
}

fn sample(changes: Value) -> Sample {
    let mut value = json!({
        "id": "smp_01KAR8F3V4N7C3Q8Z5W2Y00000", "dataset_id": "ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
        "file_id": "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1", "filename": HOSTILE,
        "ground_truth": "مجھے بخار ہے", "reference_version": 3, "language": "ur-IN",
        "metadata": {}, "duration_seconds": 4.2, "inserted_at": WHEN, "updated_at": WHEN,
    });
    let into = value.as_object_mut().unwrap();
    into.extend(changes.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

fn shown<'a>(dataset: &'a Dataset, samples: &'a [Sample], may_edit: bool) -> Shown<'a> {
    Shown {
        dataset,
        samples,
        cursor: "abc",
        more: Some("/datasets/x?cursor=y"),
        edit: None,
        runs: &[],
        run_count: 0,
        may_edit,
        saved_in: None,
    }
}

#[test]
fn a_dataset_shows_its_clips_and_editors_can_change_what_is_said() {
    let dataset = made();
    let samples = [
        sample(json!({})),
        sample(json!({ "ground_truth": "" })),
        sample(json!({ "ground_truth": null })),
        sample(json!({ "ground_truth": "\nपहला </textarea><b>", "language": "hi-IN" })),
        sample(json!({ "ground_truth": "लंबा ".repeat(2_000), "language": "hi-IN" })),
    ];
    let runs = [run(json!({}))];
    let of = Shown {
        runs: &runs,
        run_count: 12,
        ..shown(&dataset, &samples, true)
    };
    let html = dataset::page(frame(), of).unwrap();
    check(&html);
    assert_eq!(html.matches("<article class=\"clip\"").count(), 5);
    assert!(
        html.contains("180\u{a0}clips, 179 with a reference · 37\u{a0}min"),
        "{html}"
    );
    assert!(
        html.contains("12\u{a0}runs; these are the newest."),
        "{html}"
    );
    let new_run = "href=\"/runs/new?dataset=ds_01KAR8F3V4N7C3Q8Z5W2Y0H6M1\">New run</a>";
    assert!(html.contains(new_run), "{html}");
    assert!(html.contains("lang=\"ur-IN\" dir=\"rtl\""));
    // A line break at the beginning would be swallowed, markup would end the field.
    assert!(html.contains(">&#10;\nपहला &#60;/textarea&#62;"), "{html}");
    assert!(html.contains("name=\"etag\" value=\"3\""));
    // A long one stands here once.
    assert_eq!(html.matches("<textarea").count(), 4);
    assert_eq!(html.matches("checked").count(), 1, "{html}");
    let html = dataset::page(frame(), shown(&dataset, &samples, false)).unwrap();
    check(&html);
    assert!(
        !html.contains("<textarea") && !html.contains("Delete"),
        "{html}"
    );
    assert!(html.contains("No run has used this dataset yet."));
}

/// The form of a clip on a page.
fn form_of(html: &str, clip: &str) -> String {
    let form = html.split(&format!("action=\"/samples/{clip}\"")).nth(1);
    form.unwrap().split("</form>").next().unwrap().to_owned()
}

#[test]
fn who_saves_a_reference_goes_on_with_the_next_clip_that_has_none() {
    let dataset = made();
    let ids = [0, 1, 2, 3].map(|at| format!("smp_01KAR8F3V4N7C3Q8Z5W2Y0000{at}"));
    let texts = [json!("one"), Value::Null, json!(""), Value::Null];
    let samples = ids.iter().zip(&texts);
    let samples: Vec<Sample> = samples
        .map(|(id, text)| sample(json!({ "id": id, "ground_truth": text })))
        .collect();
    let of = Shown {
        edit: Some(&ids[1]),
        ..shown(&dataset, &samples, true)
    };
    let html = dataset::page(frame(), of).unwrap();
    check(&html);
    for (from, next) in [(0, Some(1)), (1, Some(3)), (2, Some(3)), (3, None)] {
        let form = form_of(&html, &ids[from]);
        let goes_on = next.map(|next: usize| format!("name=\"next\" value=\"{}\"", ids[next]));
        match goes_on {
            Some(field) => assert!(form.contains(&field), "{form}"),
            None => assert!(!form.contains("name=\"next\""), "{form}"),
        }
    }
    // That of the address is open, and what is not there is told as such.
    assert_eq!(html.matches("<details open>").count(), 1, "{html}");
    assert_eq!(html.matches("class=\"hint\">no reference yet<").count(), 2);
    let open = html.split("<details open>").nth(1).unwrap();
    assert!(open.contains(&format!("id=\"text-{}\"", ids[1])), "{open}");
    assert!(!open.contains(&format!("id=\"text-{}\"", ids[0])), "{open}");
}

#[test]
fn a_reference_that_was_changed_meanwhile_stands_beside_what_was_written() {
    let stands = sample(json!({}));
    let page = |draft: Option<&Draft<'_>>| {
        let keys = KeyNames::new();
        dataset::sample(frame(), HOSTILE, &stands, "abc", true, draft, &keys).unwrap()
    };
    let draft = Draft {
        text: "mine",
        silent: false,
        problem: None,
    };
    let html = page(Some(&draft));
    check(&html);
    assert!(html.contains("Somebody changed this reference"), "{html}");
    assert!(
        html.contains("مجھے") && html.contains("&#10;mine</textarea>"),
        "{html}"
    );
    // What is sent next is of the version that stands.
    assert!(html.contains("name=\"etag\" value=\"3\""));
    let draft = Draft {
        problem: Some(HOSTILE),
        ..draft
    };
    let html = page(Some(&draft));
    check(&html);
    assert!(html.contains("aria-invalid=\"true\"") && !html.contains("Somebody changed"));
    let html = page(None);
    check(&html);
    assert!(!html.contains("role=\"alert\""));
}

#[test]
fn what_goes_with_a_dataset_is_told_before_it_is_deleted() {
    let html = dataset::delete(frame(), &made(), 3, 1).unwrap();
    check(&html);
    for part in [
        "3\u{a0}runs",
        "what reviewers said of them",
        "1\u{a0}run is under way, and is cancelled.",
        "<button class=\"danger\">Delete for good</button>",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let html = dataset::delete(frame(), &made(), 3, 0).unwrap();
    assert!(!html.contains("under way"), "{html}");
}

#[test]
fn what_a_reference_said_before_can_be_used_again() {
    let key = "key_01KAR8F3V4N7C3Q8Z5W2Y0H6M1";
    let by = |version: u32, text: Value, key: Option<&str>, name: Option<&str>| {
        json!({ "ground_truth": text, "reference_version": version, "written_by": key,
                "writer_name": name, "written_at": WHEN })
    };
    let earlier = json!({ "left_out": 4, "references": [
        by(7, json!("\nپہلا \"><b>"), Some(key), Some(HOSTILE)),
        by(6, json!(""), Some(key), None),
        by(5, Value::Null, None, None),
    ] });
    let of = sample(json!({ "earlier": earlier, "reference_version": 8 }));
    let keys = KeyNames::from([(key.parse().unwrap(), HOSTILE.to_owned())]);
    let page = |may_edit, keys: &KeyNames| {
        dataset::sample(frame(), "d", &of, "abc", may_edit, None, keys).unwrap()
    };
    let html = page(true, &keys);
    check(&html);
    assert!(html.contains("<details id=\"earlier\"><summary>Earlier wordings"));
    assert_eq!(html.matches("Use this wording").count(), 3, "{html}");
    // Each is sent as what follows the version that stands.
    assert_eq!(html.matches("name=\"etag\" value=\"8\"").count(), 4);
    assert!(
        html.contains("value=\"\nپہلا &#34;&#62;&#60;b&#62;\""),
        "{html}"
    );
    assert_eq!(
        html.matches("name=\"silent\" value=\"true\"><p>").count(),
        1
    );
    assert!(html.contains("with the key “"), "{html}");
    assert!(
        html.contains("4\u{a0}older versions are not kept"),
        "{html}"
    );
    let html = page(false, &KeyNames::new());
    check(&html);
    assert!(
        !html.contains("<form method=\"post\" action=\"/samples"),
        "{html}"
    );
    assert!(html.contains("with a key that is revoked"), "{html}");
}

fn given() -> Given<'static> {
    Given {
        files: "01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
        table: Some(("file_01KAR8F3V4N7C3Q8Z5W2Y0H6M2", HOSTILE)),
        name: "Fever <calls>",
        language: "ur",
        split: None,
    }
}

#[test]
fn a_new_dataset_says_what_is_wrong_at_the_field() {
    let recordings = [Recording {
        id: "file_01KAR8F3V4N7C3Q8Z5W2Y0H6M1",
        name: HOSTILE,
    }];
    let languages = [Language {
        tag: "ur",
        name: "Urdu",
    }];
    let page = |problem| {
        let of = New {
            project: "demo",
            given: given(),
            recordings: &recordings,
            languages: &languages,
            problem,
        };
        upload::new(frame(), of).unwrap()
    };
    let html = page(None);
    check(&html);
    assert!(html.contains("data-project=\"demo\"") && !html.contains("aria-invalid"));
    assert!(!html.contains("name=\"split\""));
    assert_eq!(
        html.matches("value=\"01KAR8F3V4N7C3Q8Z5W2Y0H6M1\"").count(),
        1
    );
    for field in [Field::Recording, Field::Table, Field::Name, Field::Language] {
        let html = page(Some((field, HOSTILE)));
        check(&html);
        assert_eq!(
            html.matches("aria-invalid=\"true\"").count(),
            1,
            "{field:?}"
        );
        assert_eq!(html.matches("id=\"problem\"").count(), 1, "{field:?}");
        assert!(html.contains("problem\""), "{field:?}");
        // Who sent it begins at the top, where it is told too.
        assert_eq!(html.matches("role=\"alert\"").count(), 1, "{field:?}");
        let top = html.split("data-dataset").next().unwrap();
        assert!(top.contains("tabindex=\"-1\" autofocus>"), "{top}");
        let id = top.split("<li><a href=\"#").find_map(|part| {
            let id = part.split('"').next().unwrap();
            ["file", "table", "name", "language"]
                .contains(&id)
                .then(|| id.to_owned())
        });
        let field = format!("<input id=\"{}\"", id.unwrap());
        let field = html.split(&*field).nth(1).unwrap();
        let field = field.split('>').next().unwrap();
        assert!(field.contains("aria-invalid=\"true\""), "{field}");
    }
}

#[test]
fn what_was_found_is_shown_before_anything_is_saved() {
    let long = "بہت ".repeat(200);
    let told: Vec<String> = (0..25)
        .map(|line| format!("line {line}: {HOSTILE}"))
        .collect();
    let found = |said, quote| Found { said, quote };
    let findings = [
        Findings {
            topic: Topic::MissingAudio,
            is_left_out: true,
            count: 25,
            first: told.iter().map(|told| found(told, None)).collect(),
        },
        Findings {
            topic: Topic::WrongScript,
            is_left_out: false,
            count: 1,
            first: vec![found(
                "line 7, b.wav: the text is in another script",
                Some(Quote {
                    text: &long,
                    language: "ur-IN",
                }),
            )],
        },
    ];
    let clips = [
        Clip {
            file: HOSTILE,
            text: Some(&long),
            language: "ur-IN",
        },
        Clip {
            file: "b.wav",
            text: None,
            language: "ur-IN",
        },
    ];
    let several = BTreeMap::from([("test".to_owned(), 20), ("<b>".to_owned(), 80)]);
    let split_of = |splits, split, without_split| {
        let of = Preview {
            splits,
            without_split,
            split,
            given: given(),
            usable: 2,
            refused: 0,
            without_row: 0,
            waiting: 0,
            findings: &[],
            clips: &[],
            problem: None,
        };
        upload::preview(frame(), of).unwrap()
    };
    let html = split_of(&several, Some("test"), 4);
    check(&html);
    assert!(html.contains("80; 4\u{a0}rows name none.") || html.contains("20; 4\u{a0}rows"));
    assert!(html.contains("Only “test” is taken, and no row that names no split."));
    assert!(html.contains("This table has splits: "), "{html}");
    assert!(html.contains("name=\"split\" value=\"test\" aria-current=\"true\">test 20</button>"));
    assert!(html.contains("type=\"hidden\" name=\"split\" value=\"test\""));
    let html = split_of(&several, None, 0);
    check(&html);
    assert!(html.contains("name=\"split\" value=\"\" aria-current=\"true\">all of them together"));
    assert!(html.contains("type=\"hidden\" name=\"split\" value=\"\""));
    let none = BTreeMap::new();
    assert!(!split_of(&none, None, 0).contains("split"));
    let page = |usable, refused, waiting, problem| {
        let of = Preview {
            splits: &none,
            without_split: 0,
            split: None,
            given: given(),
            usable,
            refused,
            without_row: usable,
            waiting,
            findings: &findings,
            clips: &clips,
            problem,
        };
        upload::preview(frame(), of).unwrap()
    };
    let html = page(2, 26, 1, Some(HOSTILE));
    check(&html);
    for part in [
        "2\u{a0}clips can be saved, 26 can’t. 2\u{a0}recordings are in no row of the table.",
        "<h2 id=\"left-out\">Left out of the dataset</h2><h3>Missing audio <small>25</small></h3>",
        "and 5 more",
        "<h2 id=\"saved-too\">Saved, but look at these</h2><h3>Wrong script for the language",
        "line 7, b.wav: the text is in another script <q><bdi lang=\"ur-IN\" dir=\"rtl\">بہت ",
        "<span class=\"hint\">no reference yet</span>",
        ">Save dataset</button>",
        ">Check again</button>",
        "name=\"leave_out\"",
        "lang=\"ur-IN\" dir=\"rtl\"",
        "…",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let html = page(2, 0, 0, None);
    check(&html);
    assert!(!html.contains("leave_out") && !html.contains("Check again"));
    let html = page(0, 2, 0, None);
    check(&html);
    assert!(
        !html.contains("Save dataset"),
        "nothing can be saved: {html}"
    );
}
