//! Lists that are no text, beside recordings: these are not taken alone.

use stt_eval_formats::files::InMemory;
use stt_eval_formats::{Code, Format, Judged, Options, Problem, judge};

fn judged(files: &[(&str, &[u8])], format: Option<Format>) -> Result<Judged, Problem> {
    let options = Options {
        format,
        ..Options::default()
    };
    judge(&InMemory::new(files.iter().copied()), None, &options)
}

const LATIN: &[u8] = b"file_name,text\na.wav,caf\xe9 au lait\n";

#[test]
fn a_list_that_is_no_text_is_refused_and_not_passed_over() {
    let random: Vec<u8> = (0..400_u32).map(|n| (n * 151 % 256) as u8 | 0x80).collect();
    for (name, bytes, wanted) in [
        (
            "list.csv",
            LATIN,
            "not UTF-8 at byte 24 (line 2); looks like Windows-1252",
        ),
        ("x/list.tsv", LATIN, "not UTF-8"),
        ("manifest.json", LATIN, "not UTF-8"),
        (
            "test.tsv",
            b"path\tsentence\na.wav\to\0k\n",
            "a NUL at byte ",
        ),
        ("clips.jsonl", &random, "not UTF-8 at byte "),
        ("transcripts.txt", LATIN, "not UTF-8"),
        ("list.csv.gz", &[0x1f, 0x8b, 8, 0, 1], "is gzip that is "),
    ] {
        let files: &[(&str, &[u8])] = &[("a.wav", b""), ("b.wav", b""), (name, bytes)];
        let problem = judged(files, None).unwrap_err();
        assert_eq!(problem.file.as_deref(), Some(name), "{problem}");
        assert!(problem.message.starts_with(wanted), "{name}: {problem}");
        let hint = problem.hint.unwrap();
        assert!(hint.ends_with("--format audio leaves it out"), "{hint}");
        let alone = judged(files, Some(Format::Audio)).unwrap();
        assert_eq!(alone.samples.len(), 2);
    }
    // Beside texts of single recordings as well.
    let files: &[(&str, &[u8])] = &[("a.wav", b""), ("a.txt", b"one"), ("list.csv", LATIN)];
    let problem = judged(files, None).unwrap_err();
    assert_eq!(problem.code, Code::Undecodable);
    assert!(
        problem
            .hint
            .unwrap()
            .ends_with("--format side_files leaves it out")
    );
    // What is about a folder is no list, and what belongs to one recording is its own.
    for name in ["README.txt", "notes.txt", ".hidden.csv"] {
        let files: &[(&str, &[u8])] = &[("a.wav", b""), ("b.wav", b""), (name, LATIN)];
        assert_eq!(judged(files, None).unwrap().format, Format::Audio, "{name}");
    }
    let files: &[(&str, &[u8])] = &[("a.wav", b""), ("b.wav", b""), ("b.txt", LATIN)];
    let problem = judged(files, None).unwrap_err();
    assert_eq!(problem.hint.as_deref(), Some("save it as UTF-8"));
    let files: &[(&str, &[u8])] = &[("a.wav", b""), ("b.wav", b""), ("a.wav.json", LATIN)];
    assert_eq!(judged(files, None).unwrap().format, Format::Audio);
    let files: &[(&str, &[u8])] = &[("a.wav", b""), ("a.csv", LATIN)];
    assert_eq!(judged(files, None).unwrap_err().code, Code::Undecodable);
    // One of several is told.
    let good = b"file_name,text\na.wav,one\n".as_slice();
    let files: &[(&str, &[u8])] = &[("a.wav", b""), ("good.csv", good), ("bad.csv", LATIN)];
    let found = judged(files, None).unwrap();
    assert_eq!(found.format, Format::Table);
    let told = "bad.csv: not UTF-8 at byte 24 (line 2); looks like Windows-1252: it is left out";
    assert_eq!(found.remarks, [told]);
}
