//! Documents have the fields that the README tells, and no others.

use super::{Set, document, wav};
use crate::promised::holds;

#[test]
fn documents_have_the_fields_that_the_readme_tells() {
    let failed = br#"{"status": "error", "error": "no audio", "audio_url": "x"}"#;
    let set = Set::new(&[
        ("r.csv", b"id,reference\nu1,a b c\nu2,d\n"),
        ("a.csv", b"id,hypothesis\nu1,a b\n"),
        ("b.csv", b"id,hypothesis\nu1,a b x\nu2,d\n"),
        ("services/u1.json", failed),
        ("services/u2.json", br#"{"text": "d"}"#),
        ("set/a.wav", &wav()),
        (
            "set/t.csv",
            b"file_name,text,language,speaker,pred_text_x,scene\na.wav,one,en,s1,on,street\nb.wav,,en,s1,,\n",
        ),
    ]);
    let told = |arguments: &[&str]| document(&set.run(arguments));
    holds("check", &[told(&["check", "set", "--json"])]);
    let score = [
        told(&[
            "score",
            "r.csv",
            "a.csv",
            "b.csv",
            "services",
            "--json",
            "--fail-if",
            "wer>0.9",
        ]),
        told(&["score", "r.csv", "a.csv", "--json", "--no-intervals"]),
    ];
    holds("score", &score);
    holds("normalise", &[told(&["normalise", "x", "--json"])]);
    holds("man", &[told(&["man", "pages", "--json"])]);
    let refused = told(&["score", "nowhere", "--json"]);
    let keys: Vec<&str> = super::keys(&refused["error"]);
    assert_eq!(keys, ["code", "hint", "message", "rows"]);
}
