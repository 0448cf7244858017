//! Tables of recordings without a header: never read as audio without texts.

use stt_eval_formats::{Code, Format, Options, judge};

use super::{files, folder, said};

#[test]
fn a_table_without_a_header_is_told() {
    let rows = "9f\tcommon_voice_or_1\tଧନ୍ୟବାଦ, ସେ\t2\t0\n9f\tcommon_voice_or_2\tହଁ\t2\t0\n";
    let set = files(&[
        ("or/validated.tsv", rows),
        ("or/clips/common_voice_or_1.mp3", ""),
        ("or/clips/common_voice_or_2.mp3", ""),
    ]);
    for named in [None, Some("or/validated.tsv")] {
        let told = judge(&set, named, &Options::default()).unwrap_err();
        assert_eq!(told.code, Code::ChooseColumn);
        assert_eq!(
            told.to_string(),
            "or/validated.tsv line 1: has no header: 5 columns, and column 2 names recordings; \
             which one is the text?"
        );
        assert_eq!(
            told.hint.as_deref(),
            Some(
                "put a line of names in front (column_1, file_name, column_3, column_4, column_5), \
                 with `text` for the column of the text"
            )
        );
    }
    // One word and votes look like times.
    let rows = "9f\tcv_1\tଧନ୍ୟବାଦ\t2\t0\n9f\tcv_2\tହଁ\t2\t0\n";
    let set = files(&[
        ("validated.tsv", rows),
        ("clips/cv_1.wav", ""),
        ("clips/cv_2.wav", ""),
    ]);
    let told = judge(&set, None, &Options::default()).unwrap_err();
    assert_eq!(told.code, Code::ChooseColumn);
    // Some recordings that are named are not there: it is a table all the same.
    let commas = "a.wav,\"हाँ, जी\"\nb.wav,नहीं\n";
    let set = files(&[("list.csv", commas), ("a.wav", "")]);
    let told = judge(&set, None, &Options::default()).unwrap_err();
    assert_eq!((told.code, told.line), (Code::ChooseColumn, Some(1)));
}

#[test]
fn names_and_texts_with_a_tab_between_are_read() {
    let judged = folder(&[
        ("list.tsv", "a.wav\tहाँ जी\nb.wav\tनहीं\n"),
        ("clips/a.wav", ""),
        ("clips/b.wav", ""),
    ]);
    assert_eq!(judged.format, Format::Transcriptions);
    assert_eq!(
        said(&judged),
        [("clips/a.wav", Some("हाँ जी")), ("clips/b.wav", Some("नहीं"))]
    );
}

#[test]
fn what_is_no_table_of_recordings_leaves_them_alone() {
    let judged = folder(&[
        (
            "README.txt",
            "Recorded in Gaya.\nTwo speakers, one phone.\n",
        ),
        ("names.csv", "1,Asha\n2,Ravi\n"),
        ("a.wav", ""),
        ("b.wav", ""),
    ]);
    assert_eq!(judged.format, Format::Audio);
    assert_eq!(said(&judged), [("a.wav", None), ("b.wav", None)]);
    // Times of words are those of a transcript.
    let times = "a\tA\t0.10\t0.32\thello\na\tA\t0.45\t0.20\tyou\n";
    let judged = folder(&[("times.tsv", times), ("a.wav", "")]);
    assert_eq!(judged.format, Format::Audio);
}
