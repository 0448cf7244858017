//! Corpora of several languages, in which recordings of each are called alike: Vistaar has them
//! so.

use stt_eval_formats::{Code, Format, Judged, Options, judge};

use super::{files, folder, said};

/// Recordings of two languages, and a list for each: `list` is given the language.
fn corpus(file: &str, list: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for language in ["hindi", "tamil"] {
        for number in 1..=2 {
            all.push((format!("{language}/audio/{number}.wav"), String::new()));
        }
        all.push((file.replace('%', language), list(language)));
    }
    all
}

fn nemo(path: &str) -> impl Fn(&str) -> String {
    move |language: &str| {
        let line = |number: u32| {
            let path = path.replace('%', language);
            format!(
                "{{\"audio_filepath\": \"{path}{number}.wav\", \"duration\": 1.0, \"text\": \
                 \"{language} {number}\"}}\n"
            )
        };
        line(1) + &line(2)
    }
}

fn judged(all: &[(String, String)]) -> Judged {
    let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (&**name, &**text)).collect();
    folder(&all)
}

const WANTED: [(&str, Option<&str>); 4] = [
    ("hindi/audio/1.wav", Some("hindi 1")),
    ("hindi/audio/2.wav", Some("hindi 2")),
    ("tamil/audio/1.wav", Some("tamil 1")),
    ("tamil/audio/2.wav", Some("tamil 2")),
];

#[test]
fn manifests_of_languages_are_one_set_and_each_has_its_own_recordings() {
    for (file, path) in [
        ("%/manifest.json", "audio/"),
        ("%/manifest.json", "/nlsasfs/home/vistaar/kathbath/%/audio/"),
        ("%/manifest.json", "/nlsasfs/home/vistaar/kathbath/"),
        ("%/manifest.json", ""),
        ("%/test_%.json", "/somewhere/else/"),
        ("%_manifest.json", "%/audio/"),
        ("%_manifest.json", "/nlsasfs/home/vistaar/%/audio/"),
    ] {
        let found = judged(&corpus(file, nemo(path)));
        assert_eq!(found.format, Format::Nemo, "{file} {path}");
        assert_eq!(said(&found), WANTED, "{file} {path}");
        let languages: Vec<_> = found
            .samples
            .iter()
            .map(|one| one.language.as_deref())
            .collect();
        assert_eq!(languages, [Some("hi"), Some("hi"), Some("ta"), Some("ta")]);
        assert_eq!(found.findings.errors(), 0, "{:?}", found.kept());
        // Of splits something else is told.
        let is_told = found
            .remarks
            .iter()
            .any(|one| one.contains("read together"));
        assert_eq!(is_told, found.split.is_none(), "{:?}", found.remarks);
    }
}

#[test]
fn tables_and_lists_of_languages_are_one_set() {
    let table = |language: &str| format!("file,text\n1.wav,{language} 1\n2.wav,{language} 2\n");
    let list = |language: &str| format!("1.wav\t{language} 1\n2.wav\t{language} 2\n");
    assert_eq!(said(&judged(&corpus("%/list.csv", table))), WANTED);
    assert_eq!(said(&judged(&corpus("%/transcript.txt", list))), WANTED);
    // As Vistaar has it: both, which say the same.
    let mut both = corpus("%/transcript.txt", list);
    both.extend(corpus("%/manifest.json", nemo("/home/vistaar/%/audio/")));
    both.sort();
    both.dedup();
    let found = judged(&both);
    assert_eq!(
        (found.format, said(&found)),
        (Format::Nemo, WANTED.to_vec())
    );
    // One that says something else is told as before.
    let other = both
        .iter_mut()
        .find(|(name, _)| name == "tamil/transcript.txt");
    other.unwrap().1 = "1.wav\tx\n2.wav\ty\n".to_owned();
    let all: Vec<(&str, &str)> = both.iter().map(|(name, text)| (&**name, &**text)).collect();
    let problem = judge(&files(&all), None, &Options::default()).unwrap_err();
    assert_eq!(problem.code, Code::Ambiguous);
}

#[test]
fn columns_of_all_lists_are_told() {
    let table = |language: &str| {
        let column = if language == "hindi" {
            "text"
        } else {
            "sentence"
        };
        format!("file,{column}\n1.wav,{language} 1\n2.wav,{language} 2\n")
    };
    let mut all = corpus("%/list.csv", table);
    all.push((
        "urdu/list.csv".to_owned(),
        "file,text\n3.wav,u\n".to_owned(),
    ));
    all.push(("urdu/3.wav".to_owned(), String::new()));
    let found = judged(&all);
    assert_eq!(found.samples.len(), 5);
    assert_eq!(found.audio_column.as_deref(), Some("file"));
    assert_eq!(found.text_column.as_deref(), Some("text / sentence"));
}

/// Two lists of one language, or of folders that name none, may be of anything.
#[test]
fn other_lists_of_one_format_are_not_taken_together() {
    for names in [
        ["hindi/manifest.json", "hindi/manifest_v2.json"],
        ["one/manifest.json", "two/manifest.json"],
    ] {
        let line = |text: &str| {
            format!(
                "{{\"audio_filepath\": \"a/1.wav\", \"duration\": 1.0, \"text\": \"{text}\"}}\n"
            )
        };
        let (one, other) = (line("x"), line("y"));
        let all = [
            (names[0], one.as_str()),
            (names[1], &other),
            ("hindi/a/1.wav", ""),
            ("one/a/1.wav", ""),
            ("two/a/1.wav", ""),
        ];
        let problem = judge(&files(&all), None, &Options::default()).unwrap_err();
        assert_eq!(problem.code, Code::Ambiguous, "{problem}");
    }
}

/// A bare name means the recording beside its list, or in the nearest folder above; where that
/// has two, none is guessed.
#[test]
fn names_that_several_folders_have_are_those_of_their_list() {
    let all = files(&[
        ("a/wavs/1.wav", ""),
        ("a/meta/list.csv", "file,text\n1.wav,one\n2.wav,two\n"),
        ("a/wavs/2.wav", ""),
        ("a/old/2.wav", ""),
        ("b/wavs/1.wav", ""),
        ("b/wavs/2.wav", ""),
    ]);
    let found = judge(&all, Some("a/meta/list.csv"), &Options::default()).unwrap();
    assert_eq!(
        said(&found),
        [("a/wavs/1.wav", Some("one")), ("-", Some("two"))]
    );
    assert_eq!(found.kept()[0].message, "2.wav: 3 files are called so");
}
