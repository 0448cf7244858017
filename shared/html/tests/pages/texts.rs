//! The report of texts that were compared without a run.

use proptest::prelude::*;
use stt_eval_html::report::{Condition, Heard, Misheard, Outcome, Texts, of_texts};

use crate::samples::{aligned, models, report};

const WORDS: [&str; 4] = ["बुखार", "बूखार", "है", "तो"];

fn heard<'a>(model: &'a str, said: &str, text: Option<&'a str>, note: &'a str) -> Heard<'a> {
    Heard {
        model,
        text,
        alignment: text.map(|text| aligned(said, text)),
        errors: text.map(|_| (1, 4)),
        note,
    }
}

fn page(name: &str, said: &str, text: &str) -> String {
    let report = report(name, &models()[..2], WORDS, true);
    let worst = [Misheard {
        id: name.to_owned(),
        language: "und",
        reference: said,
        marked: said,
        heard: vec![
            heard(name, said, Some(text), ""),
            heard("b", said, None, text),
        ],
    }];
    let gate = [Condition {
        outcome: Outcome::Failed,
        message: text,
    }];
    let texts = Texts {
        report: &report,
        gate: &gate,
        worst: &worst,
        read: &[("References", said.to_owned())],
    };
    of_texts(&texts).unwrap()
}

#[test]
fn what_only_a_run_has_is_not_there() {
    let html = page("refs.trn", "आज बुखार है", "आज बूखार");
    for heading in [
        "Who wins",
        "The gate",
        "Models",
        "Pairs",
        "Highest error rates",
        "What normalisation forgave",
        "How errors are spread",
        "How this was measured",
    ] {
        let found = html.matches(&format!(">{heading}</h2>")).count();
        assert_eq!(found, 1, "{heading}");
    }
    for absent in [
        ">Cost</h2>",
        "US$ an hour",
        ">Dataset<",
        "run_",
        "ds_",
        "href=\"/",
    ] {
        assert!(!html.contains(absent), "{absent}");
    }
    assert!(html.contains("<dt>References</dt><dd>आज बुखार है</dd>"));
    assert!(html.contains("<bdi class=\"replaced\">"), "{html}");
    assert!(
        html.contains("<del><span class=\"said\" lang=\"en\">missing </span><bdi>है</bdi></del>")
    );
    assert!(html.contains("<b><span aria-hidden=\"true\">✗ </span>failed:</b>"));
    // A link in the page for each heading but the first.
    assert_eq!(
        html.matches("<li><a href=\"#").count(),
        html.matches("</h2>").count() - 2
    );
}

#[test]
fn a_text_of_no_known_language_runs_as_its_letters_do() {
    let html = page("r", "یہ کتاب ہے", "یہ کتب");
    assert_eq!(
        html.matches("<div class=\"transcript\" lang=\"und\" dir=\"rtl\">")
            .count(),
        2
    );
    let html = page("r", "यह किताब है", "यह");
    assert_eq!(
        html.matches("<div class=\"transcript\" lang=\"und\" dir=\"ltr\">")
            .count(),
        2
    );
}

/// What holds of a page whatever stands in it: its tags are the template's.
#[track_caller]
fn check(html: &str, plain: &str) {
    let tags = |html: &str| -> Vec<String> {
        let all = html.split('<').skip(1);
        let names = all.map(|tag| tag.split(['>', ' ']).next().unwrap().to_owned());
        let own = [
            "h1", "/h1", "section", "/section", "script", "img", "style", "/style", "main",
        ];
        names.filter(|name| own.contains(&name.as_str())).collect()
    };
    assert_eq!(tags(html), tags(plain));
    for c in ['\0', '\u{1b}', '\u{202e}', '\u{2066}', '\u{7f}'] {
        assert!(!html.contains(c), "{c:?}");
    }
}

#[test]
fn hostile_texts_are_shown_as_they_are() {
    let plain = page("a", "b", "c");
    for hostile in [
        "<script>alert(1)</script>",
        "</style><img src=x onerror=alert(1)>",
        "\" onload=\"alert(1)",
        "\u{202e}\0\u{1b}[31m\u{2066}",
        "&lt;img&gt;",
        "{{ name }}",
    ] {
        check(&page(hostile, hostile, hostile), &plain);
    }
}

proptest! {
    #[test]
    fn any_texts_make_the_same_page(
        name in "[<>&\"'=/a\\x00-\\x1f\u{202a}-\u{202e}\u{2066}-\u{2069} ]{0,24}|\\PC{0,24}",
        said in "[<>&\"'=/aक\u{200d}\u{301}\\x00 \u{202e}]{0,40}|.{0,40}",
        text in "[<>&\"'=/aक\u{200d}\u{301}\\x00 \u{202e}]{0,40}|.{0,40}",
    ) {
        check(&page(&name, &said, &text), &page("a", "b", "c"));
    }
}
