//! `score --html`: a page that says what the document says.

use super::{Set, code, document, text};

const REFERENCES: &str = "घर जाओ अब (s1-u1)\nठीक है जी (s1-u2)\nनहीं (s2-u3)\n";

fn set() -> Set {
    Set::new(&[
        ("r.trn", REFERENCES.as_bytes()),
        (
            "good.trn",
            "घर जाओ अब (s1-u1)\nठीक है (s1-u2)\nनहीं (s2-u3)\n".as_bytes(),
        ),
        ("bad.trn", "घर जा (s1-u1)\nठीक हूँ जी (s1-u2)\n".as_bytes()),
    ])
}

fn percent(rate: &serde_json::Value) -> String {
    format!("{:.1}\u{202f}%", rate.as_f64().unwrap() * 100.0)
}

#[test]
fn a_page_says_what_the_document_says() {
    let set = set();
    let arguments = [
        "score",
        "r.trn",
        "good.trn",
        "bad.trn",
        "--html",
        "page.html",
    ];
    let told = set.run(&[&arguments[..], &["--json", "--fail-if", "wer>0.5"]].concat());
    assert_eq!(code(&told), 100, "{told:?}");
    assert_eq!(
        text(&told.stderr).lines().next(),
        Some("written: page.html")
    );
    let score = document(&told);
    let page = std::fs::read_to_string(set.path("page.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    for system in score["systems"].as_array().unwrap() {
        for rate in ["wer", "cer"] {
            let shown = percent(&system[rate]);
            assert!(page.contains(&shown), "{shown} of {system}");
        }
    }
    // The best is named only as far as the test goes.
    assert_eq!(score["comparisons"][0]["distinguishable"], false);
    assert!(page.contains("not distinguishable from it"));
    // Word by word, the worst first; a missing one is told.
    let (first, second) = (page.find("<bdi>s1-u1</bdi>"), page.find("<bdi>s1-u2</bdi>"));
    assert!(first.unwrap() < second.unwrap());
    assert!(page.contains("1 reference without a hypothesis of bad; each counts as an empty one"));
    assert!(page.contains("no hypothesis; it counts as an empty one"));
    assert!(page.contains("instead of </span>जाओ"), "{page}");
    for gate in score["gates"].as_array().unwrap() {
        let message = gate["message"].as_str().unwrap().replace('>', "&#62;");
        assert!(page.contains(&message), "{gate}");
    }
    assert!(
        page.contains("<dt>References</dt><dd>r.trn (TRN), 3 texts</dd>"),
        "{page}"
    );
    // Nothing of the network, no script, nothing of the clock.
    for absent in ["http:", "https:", "src=", "<script", "<link", "1970"] {
        assert!(!page.contains(absent), "{absent}");
    }
    let again = set.run(&arguments);
    assert_eq!(code(&again), 0);
    assert!(text(&again.stdout).contains("good and bad"), "{again:?}");
    let unjudged = std::fs::read_to_string(set.path("page.html")).unwrap();
    assert!(!unjudged.contains("The gate"));
    let left = std::fs::read_dir(set.path("")).unwrap().count();
    assert_eq!(left, 4, "what was written on the way is gone");
}

#[test]
fn a_page_on_standard_output_is_alone_there() {
    let set = set();
    let told = set.run(&["score", "r.trn", "bad.trn", "--html", "-", "--no-intervals"]);
    assert_eq!(code(&told), 0, "{told:?}");
    let page = text(&told.stdout);
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(page.contains("There is no other model to compare it with."));
    assert!(page.contains("There are no two models to compare"));
    let both = set.run(&["score", "r.trn", "bad.trn", "--html", "-", "--json"]);
    assert_eq!(code(&both), 2);
    assert_eq!(document(&both)["error"]["code"], "usage");
}

#[test]
fn a_page_that_cant_be_written_is_told_before_and_leaves_what_was_there() {
    let set = set();
    std::fs::create_dir(set.path("folder")).unwrap();
    for (path, reason) in [
        ("nowhere/page.html", "--html: there is no folder nowhere"),
        ("folder", "folder is there, and is no file"),
    ] {
        let told = set.run(&["score", "r.trn", "bad.trn", "--html", path]);
        assert_eq!(code(&told), 2, "{told:?}");
        assert!(text(&told.stderr).contains(reason), "{told:?}");
        assert!(told.stdout.is_empty());
    }
    std::fs::write(set.path("kept.html"), "before").unwrap();
    let told = set.run(&["score", "r.trn", "nothing.trn", "--html", "kept.html"]);
    assert_ne!(code(&told), 0);
    let kept = std::fs::read_to_string(set.path("kept.html")).unwrap();
    assert_eq!(kept, "before");
}

#[test]
fn texts_from_elsewhere_steer_no_page() {
    let hostile = r#"{"id": "<img src=x>\u202e", "text": "<script>alert(1)</script> a\u0007b \u202ec", "language": "\"><b>"}
{"id": "u2", "text": "یہ کتاب ہے", "language": "ur", "speaker": "</td>"}
{"id": "u3", "text": "இது ஒரு புத்தகம்", "language": "ta", "speaker": "s"}
{"id": "u4", "text": "{a|b} \\ <*>", "language": "en", "speaker": "s"}
"#;
    let heard = r#"{"id": "<img src=x>\u202e", "hypothesis": "</p><script src=//x> \u202e", "model": "<svg onload=1>"}
{"id": "u2", "hypothesis": "یہ کتب", "model": "<svg onload=1>"}
{"id": "u3", "hypothesis": "இது புத்தகம்", "model": "<svg onload=1>"}
{"id": "u4", "hypothesis": "a", "model": "<svg onload=1>"}
"#;
    let set = Set::new(&[
        ("r.jsonl", hostile.as_bytes()),
        ("h.jsonl", heard.as_bytes()),
    ]);
    let told = set.run(&["score", "r.jsonl", "h.jsonl", "--html", "page.html"]);
    assert_eq!(code(&told), 0, "{told:?}");
    let page = std::fs::read_to_string(set.path("page.html")).unwrap();
    for absent in [
        "<script",
        "<img",
        "<svg onload",
        "<b>\"",
        "\u{202e}",
        "\u{7}",
        "</td></td>",
    ] {
        assert!(!page.contains(absent), "{absent:?}");
    }
    assert!(
        page.contains("&#60;script&#62;alert(1)&#60;/script&#62;"),
        "{page}"
    );
    assert!(page.contains("⟨RLO⟩"));
    assert!(page.contains("lang=\"ur\" dir=\"rtl\""));
    assert!(page.contains("lang=\"ta\" dir=\"ltr\""));
    // By language, as there are several.
    assert!(page.contains(">Where it differs</h2>"));
}

#[test]
fn one_block_is_told_as_one() {
    let set = Set::new(&[("r.txt", b"a b\n"), ("h.txt", b"a c\n")]);
    let page = set.run(&["score", "r.txt", "h.txt", "--html", "-"]).stdout;
    assert!(text(&page).contains("there is 1 clip:"), "{}", text(&page));
}
