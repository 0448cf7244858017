//! Every pair of formats says the same, and sides that do not belong together are told.

use super::*;
use crate::files::InMemory;
use crate::markup::Markup;

fn file<'a>(files: &'a InMemory, name: &'a str) -> Source<'a> {
    Source {
        files,
        file: Some(name),
        name: crate::files::stem(name),
    }
}

fn of(files: &InMemory, right: &str, heard: &[&str]) -> Result<Pairs, Problem> {
    let heard: Vec<Source<'_>> = heard.iter().map(|name| file(files, name)).collect();
    pairs(&file(files, right), &heard, &ReadOptions::default())
}

fn texts(pairs: &Pairs) -> Vec<(String, String, Vec<Hypothesis>)> {
    let samples = pairs.samples.iter().enumerate();
    let one = |(at, sample): (usize, &Pair)| {
        (
            sample.id.to_string(),
            sample.reference.to_string(),
            heard(pairs, at),
        )
    };
    samples.map(one).collect()
}

/// What all systems made of a sample.
fn heard(pairs: &Pairs, at: usize) -> Vec<Hypothesis> {
    let all = pairs.heard.iter();
    all.map(|system| system[at].clone()).collect()
}

fn text(text: &str) -> Hypothesis {
    Hypothesis::Text(text.into())
}

#[test]
fn formats_with_ids_say_the_same() {
    let files = InMemory::new([
        ("text", "u1 घर जाओ\nu2\tठीक है\nu3\n"),
        ("ref.trn", "घर जाओ (u1)\n ठीक है (u2)\n(U3)\n;; x\n"),
        ("ref.csv", "id,reference\nu1,घर जाओ\nu2,ठीक है\nu3,\n"),
        (
            "ref.jsonl",
            "{\"id\":\"u1\",\"text\":\"घर जाओ\"}\n{\"id\":\"u2\",\"text\":\"ठीक है\"}\n{\"id\":\"u3\",\"text\":\"\"}\n",
        ),
        (
            "ref.stm",
            "u1 A s 0.1 2.0 <o,F> घर जाओ\nu2 A s 0.1 2.0 ठीक है\nu3 A s 0.1 0.9\n",
        ),
        (
            "ref.seglst",
            "[{\"session_id\":\"u1\",\"words\":\"घर जाओ\"},{\"session_id\":\"u2\",\"start_time\":\"1.5\",\"words\":\"है\"},{\"session_id\":\"u2\",\"start_time\":\"0.1\",\"words\":\"ठीक\"},{\"session_id\":\"u3\",\"words\":\"\"}]",
        ),
        (
            "nemo.json",
            "{\"audio_filepath\":\"w/u1.wav\",\"duration\":1.0,\"text\":\"घर जाओ\"}\n{\"audio_filepath\":\"w/u2.wav\",\"duration\":1.0,\"text\":\"ठीक है\"}\n{\"audio_filepath\":\"w/u3.wav\",\"duration\":1.0,\"text\":\"\"}\n",
        ),
        (
            "hyp.ctm",
            "u2 A 0.45 0.20 है 0.7\nu2 A 0.10 0.32 ठीक\nu1 A 0.1 0.2 घर\n",
        ),
        ("hyp.trn", "ठीक है (u2)\nघर (u1)\n"),
        (
            "hyp.jsonl",
            "{\"id\":\"u2\",\"hypothesis\":\"ठीक है\",\"latency_ms\":3}\n{\"id\":\"u1\",\"hypothesis\":\"घर\"}\n",
        ),
        ("hyp.txt", "u2 ठीक है\nu1 घर\n"),
    ]);
    for right in [
        "text",
        "ref.trn",
        "ref.csv",
        "ref.jsonl",
        "ref.stm",
        "ref.seglst",
        "nemo.json",
    ] {
        for heard in ["hyp.ctm", "hyp.trn", "hyp.jsonl", "hyp.txt"] {
            let made = of(&files, right, &[heard]).unwrap();
            let mut found = texts(&made);
            found[2].0.make_ascii_lowercase();
            let wanted = vec![
                ("u1".to_owned(), "घर जाओ".to_owned(), vec![text("घर")]),
                ("u2".to_owned(), "ठीक है".to_owned(), vec![text("ठीक है")]),
                ("u3".to_owned(), String::new(), vec![Hypothesis::Missing]),
            ];
            assert_eq!(found, wanted, "{right} {heard}");
            assert_eq!(made.missing.len(), 1);
            assert_eq!(made.systems, ["hyp"]);
        }
    }
}

#[test]
fn lines_are_joined_by_number_and_never_dropped() {
    let files = InMemory::new([
        ("refs.txt", "घर जाओ\n\nन\n"),
        ("hyps.txt", "घर जाओ\nx\n\n"),
        ("short.txt", "घर जाओ\n"),
        ("empty.txt", ""),
    ]);
    let made = of(&files, "refs.txt", &["hyps.txt"]).unwrap();
    assert_eq!(made.references, Format::Lines);
    assert_eq!(made.heard[0], [text("घर जाओ"), text("x"), text("")]);
    for (name, lines) in [("short.txt", "1 line"), ("empty.txt", "0 lines")] {
        let problem = of(&files, "refs.txt", &[name]).unwrap_err();
        let told = problem.to_string();
        assert!(told.contains(&format!("has {lines}, refs.txt 3")), "{told}");
    }
}

#[test]
fn the_line_where_sides_part_is_told() {
    let letter = |n: u8| char::from(b'a' + n);
    let one = |n: u8| format!("{0}x {0}y {0}z", letter(n));
    let right: Vec<String> = (0..26).map(one).collect();
    let mut heard = right.clone();
    heard.remove(17);
    let files = InMemory::new([("r.txt", right.join("\n")), ("h.txt", heard.join("\n"))]);
    let told = of(&files, "r.txt", &["h.txt"]).unwrap_err().to_string();
    assert!(
        told.contains("h.txt has 25 lines, r.txt 26. From line 18 on"),
        "{told}"
    );
    assert!(told.contains("“rx ry rz” / “sx sy sz”"), "{told}");
    // Lines that are much alike, and two that are missing in one place.
    let one = |n: usize| format!("the number of this line is {n}");
    let right: Vec<String> = (0..1_000).map(one).collect();
    let mut heard = right.clone();
    heard.drain(430..432);
    heard[20] = String::new();
    let files = InMemory::new([("r.txt", right.join("\n")), ("h.txt", heard.join("\n"))]);
    let told = of(&files, "r.txt", &["h.txt"]).unwrap_err().to_string();
    assert!(
        told.contains("h.txt has 998 lines, r.txt 1,000. From line 431 on"),
        "{told}"
    );
    // What both begin with does not tell where they part.
    assert!(told.contains("“…line is 430” / “…line is 432”"), "{told}");
}

#[test]
fn wide_and_long_tables_have_their_systems() {
    let files = InMemory::new([
        (
            "wide.csv",
            "id,reference,a,b\n1,x y,x y,x\n2,\"p, q\",,\"p, q\"\n",
        ),
        (
            "long.csv",
            "model,language,sample_id,reference,hypothesis\na,hindi,1,x y,x y\na,hindi,2,p,\nb,hindi,1,x y,x\n",
        ),
        ("calibrate.csv", "id,gt,pred\n1,x y,x\n"),
        (
            "sde.json",
            "{\"audio_filepath\":\"u1.wav\",\"duration\":1,\"text\":\"x\",\"pred_text_conformer\":\"y\"}\n",
        ),
    ]);
    let wanted = ReadOptions {
        hypotheses: vec!["a".to_owned(), "b".to_owned()],
        ..ReadOptions::default()
    };
    let wide = pairs(&file(&files, "wide.csv"), &[], &wanted).unwrap();
    assert_eq!(wide.systems, ["a", "b"]);
    assert_eq!(heard(&wide, 1), [text(""), text("p, q")]);
    let long = of(&files, "long.csv", &[]).unwrap();
    assert_eq!(long.systems, ["a", "b"]);
    assert_eq!(heard(&long, 1), [text(""), Hypothesis::Missing]);
    assert_eq!(long.samples[0].language(), Some("hi"));
    assert_eq!(of(&files, "calibrate.csv", &[]).unwrap().systems, ["pred"]);
    assert_eq!(of(&files, "sde.json", &[]).unwrap().systems, ["conformer"]);
    let none = pairs(
        &file(&files, "wide.csv"),
        &[],
        &ReadOptions {
            hypotheses: vec!["c".to_owned()],
            ..ReadOptions::default()
        },
    );
    assert_eq!(none.unwrap_err().code, Code::ChooseColumn);
    assert_eq!(
        of(&files, "wide.csv", &[]).unwrap_err().code,
        Code::ChooseColumn
    );
}

#[test]
fn folders_of_results_are_systems() {
    let right = InMemory::new([
        ("a.txt", "नमस्ते जी\n"),
        ("b.txt", "हाँ"),
        ("c.txt", "ठीक"),
        ("a.wav", ""),
    ]);
    let heard = InMemory::new([
        (
            "a.json",
            r#"{"results": {"channels": [{"alternatives": [{"transcript": "नमस्ते"}]}]}}"#,
        ),
        (
            "b.json",
            r#"{"status": "error", "audio_url": "x", "error": "no audio"}"#,
        ),
    ]);
    let folder = |files, name| Source {
        files,
        file: None,
        name,
    };
    let made = pairs(
        &folder(&right, "refs"),
        &[folder(&heard, "deepgram")],
        &ReadOptions::default(),
    )
    .unwrap();
    assert_eq!(made.systems, ["deepgram"]);
    assert_eq!(
        made.heard[0],
        [
            text("नमस्ते"),
            Hypothesis::Failed("no audio".to_owned()),
            Hypothesis::Missing
        ]
    );
}

#[test]
fn sides_without_a_common_id_are_told() {
    let files = InMemory::new([("r.trn", "x (a1)\ny (a2)\n"), ("h.trn", "x (b1)\ny (b2)\n")]);
    let told = of(&files, "r.trn", &["h.trn"]).unwrap_err();
    assert_eq!(told.code, Code::Mismatch);
    assert!(told.message.contains("share no ids"), "{told}");
}

#[test]
fn alternatives_of_sctk_are_translated_and_kept() {
    let files = InMemory::new([
        ("r.trn", "SO { INDUSTRY'S / INDUSTRY } (a)\n{ bad (b)\n"),
        ("h.trn", "SO INDUSTRY (a)\nbad (b)\n"),
        (
            "r.stm",
            "a 1 s 0 1 x { um / @ }\na 1 s 1 2 IGNORE_TIME_SEGMENT_IN_SCORING\n",
        ),
        (
            "h.ctm",
            "a 1 0.1 0.1 <ALT_BEGIN>\na 1 0.1 0.1 x\na 1 0.1 0.1 <ALT>\na 1 0.1 0.1 y\na 1 0.1 0.1 <ALT_END>\n",
        ),
    ]);
    let made = of(&files, "r.trn", &["h.trn"]).unwrap();
    assert_eq!(made.samples[0].markup(), Some(Markup::Sctk));
    assert_eq!(made.samples[1].markup(), Some(Markup::None));
    assert_eq!(made.remarks.len(), 1);
    let made = of(&files, "r.stm", &["h.ctm"]).unwrap();
    assert_eq!(made.samples[0].reference, "x {um|} <*>");
    assert_eq!(heard(&made, 0), [text("x")]);
}
