//! Writes pages of sample contexts into a folder, to be looked at:
//! `cargo run -p stt-eval-html --example preview -- FOLDER`.
#![allow(
    clippy::unwrap_used,
    reason = "a tool for developers; it ends where it fails"
)]

#[path = "../../tests/pages/samples.rs"]
mod samples;

use std::path::PathBuf;

use askama::Template;
use stt_eval_html::assets::ASSETS;
use stt_eval_html::report;
use stt_eval_html::transcript::{Invisible, Line, pieces};

const HINDI: [&str; 4] = ["बुखार", "बूखार", "है", "तो"];

/// Languages, what was said, and what was heard.
const CLIPS: [(&str, &str, &str); 5] = [
    (
        "hi-IN",
        "मुझे कल से बहुत तेज़ बुखार है",
        "मुझे कल से बोहोत तेज बूखार है जी",
    ),
    (
        "ta-IN",
        "இன்று மழை பெய்யும் என்று சொன்னார்கள்",
        "இன்று மழை பெயும் என்று",
    ),
    (
        "ur-IN",
        "آج بہت گرمی ہے اور پانی نہیں ہے",
        "آج بہت گرمی ہیں اور پانی نہی ہے",
    ),
    ("bn-IN", "আমার ছেলের জ্বর হয়েছে", "আমার ছেলে জর হয়েছে"),
    (
        "en-IN",
        "The colour of the bottle is not blue",
        "the color of a bottle \u{202e}is not",
    ),
];

fn transcripts() -> String {
    let style = ASSETS
        .iter()
        .find(|asset| asset.name == "style.css")
        .unwrap();
    let mut html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport \
         content='width=device-width'><style>{}</style><main><h1>Transcripts</h1>",
        style.plain
    );
    for (language, said, heard) in CLIPS {
        let alignment = samples::aligned(said, heard);
        for mode in [Invisible::Work, Invisible::Labelled] {
            let made = pieces(said, heard, &alignment, mode);
            html.push_str(&Line::new(language, &made).render().unwrap());
        }
    }
    html
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, html: String| std::fs::write(folder.join(name), html).unwrap();
    write("transcripts.html", transcripts());
    let models = samples::models();
    let tied = samples::report("District survey, round 3", &models, HINDI, true);
    write("report-tied.html", report::file(&tied).unwrap());
    let two = samples::report(
        "Two models",
        &models[1..3],
        ["வணக்கம்", "வனக்கம்", "இல்லை", "ஆம்"],
        true,
    );
    write("report-clear.html", report::file(&two).unwrap());
    let going = samples::report(
        "Still going",
        &models[..2],
        ["کتاب", "کتب", "ہے", "تو"],
        false,
    );
    write("report-provisional.html", report::file(&going).unwrap());
    let one = samples::report("One model", &models[..1], HINDI, true);
    write("report-one.html", report::file(&one).unwrap());
}
