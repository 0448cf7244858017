//! Sources as a whole: what braces in them mean, and why they can't be used.

use stt_eval_formats::markup::Markup;
use stt_eval_formats::{Code, FindingKind, Options, judge};

use super::{count, files, folder};

#[test]
fn markup_of_asr_eval_is_asked_for() {
    let set = files(&[
        (
            "m.csv",
            "file,text\na.wav,{पच्चीस|25} रुपये {जी} <*>\nb.wav,{broken\n",
        ),
        ("a.wav", ""),
        ("b.wav", ""),
    ]);
    let plain = judge(&set, None, &Options::default()).unwrap();
    assert_eq!(
        plain.samples[0].ground_truth(),
        Some("\\{पच्चीस\\|25\\} रुपये \\{जी\\} \\<*>")
    );
    assert_eq!(count(&plain, FindingKind::LossySource), 1);
    let asked = Options {
        markup: Some(Markup::AsrEval),
        ..Options::default()
    };
    let asked = judge(&set, None, &asked).unwrap();
    assert_eq!(
        asked.samples[0].ground_truth(),
        Some("{पच्चीस|25} रुपये {जी|} <*>")
    );
    assert_eq!(count(&asked, FindingKind::BadMarkup), 1);
    assert!(!asked.samples[1].usable);
}

#[test]
fn what_is_wrong_with_a_whole_source_is_told() {
    let told = |all: &[(&str, &str)]| judge(&files(all), None, &Options::default()).unwrap_err();
    assert_eq!(told(&[]).code, Code::Nothing);
    assert_eq!(told(&[("readme.md", "x")]).code, Code::Nothing);
    assert_eq!(told(&[("a.tar", "x")]).code, Code::Unsupported);
    let three = told(&[
        ("m.csv", "file,col_b,col_c,notes\na.wav,a b,c d,e f\n"),
        ("a.wav", ""),
    ]);
    assert_eq!(three.code, Code::ChooseColumn);
    assert_eq!(
        three.message,
        "3 columns could hold the text: \"col_b\", \"col_c\", \"notes\""
    );
    let two = told(&[
        ("a.csv", "file,text\na.wav,x\n"),
        ("b.csv", "file,text\na.wav,y\n"),
        ("a.wav", ""),
    ]);
    assert_eq!(two.code, Code::Ambiguous);
    let outside = folder(&[
        ("m.csv", "file,text\n../../etc/passwd.wav,x\n"),
        ("a.wav", ""),
    ]);
    assert_eq!(count(&outside, FindingKind::OutsideFolder), 1);
}
