//! Each flag where it belongs, and not where it does not.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use stt_eval_scoring::confusions::{Confusions, KeywordRecall};
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::waterfall::Waterfall;
use stt_eval_scoring::{Flag, align_words, score};

fn flags(reference: &str, hypothesis: &str, language: &str, seconds: Option<f64>) -> Vec<Flag> {
    let score = score(
        reference,
        hypothesis,
        language,
        &Normaliser::default(),
        seconds,
    );
    score.expect("scores").flags
}

#[test]
fn clean_output_has_no_flags() {
    for (language, text) in [
        ("en", "please call me back tomorrow morning"),
        ("hi", "मेरी फसल में कीड़े लग गए हैं"),
        ("ta", "தமிழ் எனக்கு மிகவும் பிடிக்கும்"),
        ("ur", "مجھے کل ڈاکٹر کے پاس جانا ہے"),
        ("hi-en", "मेरा phone number update कर दो"),
        ("xx", "anything at all"),
    ] {
        assert_eq!(flags(text, text, language, Some(5.0)), [], "{language}");
    }
    assert_eq!(flags("", "", "en", Some(5.0)), []);
}

#[test]
fn empty_and_silence() {
    assert_eq!(flags("hello", " . ", "en", None), [Flag::Empty]);
    assert_eq!(flags("", "hello", "en", None), [Flag::OutputOnSilence]);
    assert_eq!(flags("{uh|}", "", "en", None), []);
    assert_eq!(
        flags("<*>", "hello there", "en", None),
        [Flag::OutputOnSilence]
    );
}

#[test]
fn loops_of_words_phrases_and_characters() {
    let said = "हाँ जी बोलिए";
    assert!(flags(said, "हाँ जी हाँ जी हाँ जी हाँ जी बोलिए", "hi", None).contains(&Flag::Loop));
    assert!(!flags(said, "हाँ जी हाँ जी हाँ जी बोलिए", "hi", None).contains(&Flag::Loop));
    assert!(flags("no", "no no no no no no", "en", None).contains(&Flag::Loop));
    assert!(!flags("no no no no no no", "no no no no no no", "en", None).contains(&Flag::Loop));
    let laughter = "हा".repeat(12);
    assert!(flags("ठीक", &laughter, "hi", None).contains(&Flag::Loop));
    assert!(!flags("पैसे", "10000000000000 पैसे", "hi", None).contains(&Flag::Loop));
    let phrase = "one two three four five six seven eight ".repeat(4);
    assert!(flags("one", &phrase, "en", None).contains(&Flag::Loop));
}

#[test]
fn long_insertions() {
    let six = "open a b c d e f account";
    assert_eq!(
        flags("open account", six, "en", None),
        [Flag::LongInsertion]
    );
    assert_eq!(
        flags("open account", "open a b c d e account", "en", None),
        []
    );
    // Within a part of a reference with variants too.
    assert_eq!(
        flags("{open|start} account", six, "en", None),
        [Flag::LongInsertion]
    );
}

#[test]
fn speed_needs_a_duration() {
    let text = "a sentence of some length that nobody says in one second";
    assert_eq!(flags(text, text, "en", Some(1.0)), [Flag::TooFast]);
    assert_eq!(flags(text, text, "en", Some(4.0)), []);
    assert_eq!(flags(text, text, "en", None), []);
    assert_eq!(flags(text, text, "en", Some(0.0)), []);
    assert_eq!(flags(text, text, "en", Some(f64::NAN)), []);
}

#[test]
fn scripts() {
    let hindi = "मुझे लोन चाहिए";
    assert_eq!(
        flags(hindi, "mujhe loan chahiye", "hi", None),
        [Flag::WrongScript]
    );
    assert_eq!(
        flags(hindi, "mujhe loan chahiye", "hi-IN", None),
        [Flag::WrongScript]
    );
    assert_eq!(
        flags(hindi, "مجھے لون چاہیے", "hi", None),
        [Flag::WrongScript]
    );
    assert_eq!(flags(hindi, "मुझे loan चाहिए", "hi", None), []);
    assert_eq!(
        flags("मुझे loan चाहिए", "mujhe loan chahiye", "hi", None),
        [],
        "the reference has it"
    );
    assert_eq!(
        flags(hindi, "mujhe loan chahiye", "hi-en", None),
        [],
        "code-mixed speech"
    );
    assert_eq!(
        flags(hindi, "mujhe loan chahiye", "xx", None),
        [Flag::WrongScript]
    );
    assert_eq!(flags(hindi, "25", "hi", None), [], "digits have no script");
    assert_eq!(flags("ਮੈਨੂੰ", "مینوں", "pa-Arab", None), []);
}

#[test]
fn stock_phrases() {
    let phrase = "Thank you for watching!";
    assert_eq!(
        flags("the weather is nice", phrase, "en", None),
        [Flag::StockPhrase]
    );
    assert_eq!(flags("so thank you for watching", phrase, "en", None), []);
    assert_eq!(
        flags("मौसम", "देखने के लिए धन्यवाद", "hi", None),
        [Flag::StockPhrase]
    );
}

#[test]
fn an_end_that_the_vendor_did_not_hear_is_told_where_words_are_missing() {
    let score = |hypothesis: &str, until, duration| {
        let normaliser = Normaliser::default();
        let score = score("one two three four", hypothesis, "en", &normaliser, None);
        score.expect("scores").heard(until, duration).flags
    };
    let cut = [Flag::CutShort];
    assert_eq!(score("one two", 5.0, 16.0), cut);
    // Ten seconds and less may be a pause; so may a tenth of an hour.
    assert_eq!(score("one two", 6.0, 16.0), []);
    assert_eq!(score("one two", 3_250.0, 3_600.0), []);
    assert_eq!(score("one two", 3_230.0, 3_600.0), cut);
    // The end is silent, or nothing was heard at all, which has a flag of its own.
    assert_eq!(score("one two three four", 5.0, 60.0), []);
    assert_eq!(score("", 0.0, 60.0), [Flag::Empty]);
    assert_eq!(score("one two", f64::NAN, 60.0), []);
    assert_eq!(score("one two", 70.0, 60.0), []);
    // Said twice it is one flag.
    let twice = score_twice();
    assert_eq!(twice, cut);
}

fn score_twice() -> Vec<Flag> {
    let normaliser = Normaliser::default();
    let score = score("one two", "one", "en", &normaliser, None).expect("scores");
    score.heard(1.0, 60.0).heard(1.0, 60.0).flags
}

#[test]
fn flags_have_names_to_filter_by() {
    let json = serde_json::to_string(&[Flag::OutputOnSilence, Flag::Loop, Flag::TooFast]);
    assert_eq!(
        json.expect("serialises"),
        r#"["output_on_silence","loop","too_fast"]"#
    );
}

#[test]
fn confusions_are_sorted_and_mergeable() {
    let normaliser = Normaliser::default();
    let add = |pairs: &[(&str, &str)]| {
        let mut confusions = Confusions::default();
        for (reference, hypothesis) in pairs {
            confusions.add(&align_words(reference, hypothesis, "en", &normaliser).expect("aligns"));
        }
        confusions
    };
    let pairs = [
        ("a b", "a c"),
        ("x b y", "x c y"),
        ("x d y", "x e y"),
        ("p q r", "p r"),
        ("s t", "s the t"),
    ];
    let all = add(&pairs);
    let mut merged = add(&pairs[..2]);
    merged.merge(&add(&pairs[2..]));
    assert_eq!(merged, all);
    let top = all.top(1);
    let first = &top.substituted[0];
    assert_eq!(
        (
            first.reference.as_str(),
            first.hypothesis.as_str(),
            first.times
        ),
        ("b", "c", 2)
    );
    assert_eq!(top.substituted.len(), 1);
    assert_eq!(
        (top.deleted[0].word.as_str(), top.inserted[0].word.as_str()),
        ("q", "the")
    );
    let json = serde_json::to_string(&all).expect("serialises");
    assert_eq!(
        serde_json::from_str::<Confusions>(&json).expect("parses"),
        all
    );
}

#[test]
fn keywords() {
    let normaliser = Normaliser::default();
    let list = ["Paracetamol", "दो गोली", "fever", "..."];
    let mut recall = KeywordRecall::new(&list, "hi-en", &normaliser);
    assert_eq!(recall.recall(), None);
    for (reference, hypothesis) in [
        ("paracetamol की दो गोली", "Paracetamol की दो गोली"),
        ("दो गोली paracetamol", "दो बड़ी गोली parasetamol"),
        ("कुछ नहीं", "fever नहीं"),
    ] {
        let aligned = align_words(reference, hypothesis, "hi-en", &normaliser);
        recall.add(&aligned.expect("aligns"));
    }
    let counts: Vec<_> = recall
        .keywords()
        .iter()
        .map(|k| {
            (
                k.keyword.as_str(),
                k.in_reference,
                k.recalled,
                k.in_hypothesis,
            )
        })
        .collect();
    assert_eq!(
        counts,
        [
            ("Paracetamol", 2, 1, 1),
            ("दो गोली", 2, 1, 1),
            ("fever", 0, 0, 1)
        ]
    );
    assert_eq!(recall.recall(), Some(0.5));
    let mut twice = recall.clone();
    assert!(twice.merge(&recall));
    assert_eq!(twice.keywords()[0].in_reference, 4);
    assert!(!twice.merge(&KeywordRecall::new(&["other"], "en", &normaliser)));
}

#[test]
fn a_waterfall_adds_up() {
    let normaliser = Normaliser::by_name("indic-v1+anusvara").expect("known");
    let pairs = [
        ("hi", "हाँ, २५ साल।", "हां 25 साल"),
        ("bn", "বা\u{9dc}ি যাব", "বা\u{9a1}\u{9bc}ি যাব"),
        ("en", "Hello {World|Earth}", "hello earth"),
        ("ml", "അവൻ വന്നു", "അവന\u{d4d}\u{200d} വന്നു"),
    ];
    let mut whole = Waterfall::new(&normaliser);
    let mut parts = [Waterfall::new(&normaliser), Waterfall::new(&normaliser)];
    for (i, (language, reference, hypothesis)) in pairs.iter().enumerate() {
        whole.add(reference, hypothesis, language).expect("scores");
        parts[i % 2]
            .add(reference, hypothesis, language)
            .expect("scores");
    }
    let [mut sum, other] = parts;
    assert!(sum.merge(&other) && sum == whole);
    assert!(!sum.merge(&Waterfall::new(&Normaliser::default())));

    let rows = whole.rows();
    let forgiven = |name: &str| -> i64 {
        rows.iter()
            .filter(|row| row.step == name)
            .map(|row| row.forgiven)
            .sum()
    };
    assert_eq!((rows[0].step.as_str(), rows[0].errors), ("raw", 7));
    assert_eq!(
        rows.last().map(|row| (row.errors, row.lossy)),
        Some((0, true))
    );
    let total: i64 = rows.iter().map(|row| row.forgiven).sum();
    assert_eq!(total, 7);
    for (step, errors) in [
        ("nfc", 1),
        ("letters", 1),
        ("case", 2),
        ("digits", 1),
        ("punctuation", 1),
        ("anusvara", 1),
    ] {
        assert_eq!(forgiven(step), errors, "{step}");
    }
}

#[test]
fn names_are_those_of_the_stored_form() {
    for flag in Flag::ALL {
        let stored = serde_json::to_value(flag).expect("serialises");
        assert_eq!(stored, flag.name());
    }
}
