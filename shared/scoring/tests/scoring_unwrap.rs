//! The step `unwrap` and the flag `wrapped`: what is taken off, and what never is.

// Helpers of tests fail by panicking, as tests do; clippy knows only functions marked as tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::waterfall::Waterfall;
use stt_eval_scoring::{Flag, score};

fn normaliser(name: &str) -> Normaliser {
    Normaliser::by_name(name).expect("a known name")
}

fn unwrapped(text: &str) -> String {
    normaliser("nfc-v1+unwrap").apply(text, "hi-en")
}

fn plain(text: &str) -> String {
    normaliser("nfc-v1").apply(text, "hi-en")
}

fn is_flagged(text: &str) -> bool {
    let score = score("a", text, "hi-en", &Normaliser::default(), None).expect("scores");
    score.flags.contains(&Flag::Wrapped)
}

/// Answers and the transcripts in them.
const SHAPES: &[(&str, &str)] = &[
    // Code fences.
    ("```\nनमस्ते दुनिया\n```", "नमस्ते दुनिया"),
    ("```text\nhello world\n```", "hello world"),
    (
        "```json\n{\"transcription\": \"hello world\"}\n```",
        "hello world",
    ),
    ("```hindi\nमैं घर जा रहा हूँ\n```", "मैं घर जा रहा हूँ"),
    (
        "Here is the transcription:\n\n```\nhello world\n```\n\nLet me know if you need anything else!",
        "hello world",
    ),
    ("```\nhello\n```\n\n```\nworld\n```", "hello world"),
    ("```hello world```", "hello world"),
    ("```json {\"text\": \"hello world\"} ```", "hello world"),
    ("```\nhello world that was cut", "hello world that was cut"),
    ("`hello world`", "hello world"),
    // JSON.
    ("{\"transcription\": \"नमस्ते दुनिया\"}", "नमस्ते दुनिया"),
    (
        "{\"transcript\":\"hello world\",\"language\":\"en\",\"confidence\":0.93}",
        "hello world",
    ),
    (
        "{\n  \"language\": \"hi\",\n  \"text\": \"नमस्ते\"\n}",
        "नमस्ते",
    ),
    (
        "[{\"start\":0.0,\"end\":1.2,\"text\":\"hello\"},{\"start\":1.2,\"end\":2.0,\"text\":\"world\"}]",
        "hello world",
    ),
    (
        "{\"text\":\"hello world\",\"segments\":[{\"text\":\"hello\"},{\"text\":\"world\"}]}",
        "hello world",
    ),
    (
        "{\"segments\":[{\"speaker\":\"A\",\"text\":\"hello\"},{\"speaker\":\"B\",\"text\":\"world\"}]}",
        "hello world",
    ),
    ("[\"hello\", \"world\"]", "hello world"),
    ("{\"hindi\": \"नमस्ते\"}", "नमस्ते"),
    (
        "{\"transcription\": \"she said \\\"no\\\"\\nand left \\u0928\"}",
        "she said \"no\" and left न",
    ),
    ("{\"transcription\": \"hello wor", "hello wor"),
    (
        "{\"result\": {\"transcript\": \"hello world\"}}",
        "hello world",
    ),
    (
        "{\"transcription\": \"நான் வருகிறேன்\", \"translation\": \"I am coming\"}",
        "நான் வருகிறேன்",
    ),
    // Prefaces.
    ("Here is the transcription: hello world", "hello world"),
    ("Here is the transcription:\n\nhello world", "hello world"),
    (
        "Sure! Here is the transcription of the audio:\n\nhello world",
        "hello world",
    ),
    (
        "Sure, here's the verbatim transcript of the provided audio file: hello world",
        "hello world",
    ),
    ("Transcript: hello world", "hello world"),
    ("Transcription:\nhello world", "hello world"),
    (
        "The audio is transcribed below:\nhello world",
        "hello world",
    ),
    (
        "Sure!\n\nHere is the transcription in Hindi.\n\nनमस्ते",
        "नमस्ते",
    ),
    ("## Transcription\n\nhello world", "hello world"),
    ("**Transcription:**\n\nhello world", "hello world"),
    ("यहाँ ऑडियो का ट्रांसक्रिप्शन है: नमस्ते दुनिया", "नमस्ते दुनिया"),
    (
        "ज़रूर, यहाँ ऑडियो का प्रतिलेखन दिया गया है:\n\nनमस्ते दुनिया",
        "नमस्ते दुनिया",
    ),
    ("ट्रांसक्रिप्शन: नमस्ते", "नमस्ते"),
    ("येथे ऑडिओचे लिप्यंतरण आहे: नमस्कार", "नमस्कार"),
    ("এখানে অডিওর প্রতিলিপি দেওয়া হলো: নমস্কার", "নমস্কার"),
    ("এখানে অডিওটির ট্রান্সক্রিপশন রয়েছে:\nনমস্কার", "নমস্কার"),
    ("இதோ ஆடியோவின் டிரான்ஸ்கிரிப்ஷன்: வணக்கம்", "வணக்கம்"),
    ("ఇక్కడ ఆడియో యొక్క ట్రాన్స్‌క్రిప్షన్ ఉంది: నమస్కారం", "నమస్కారం"),
    ("ಇಲ್ಲಿದೆ ಆಡಿಯೊ ಪ್ರತಿಲೇಖನ: ನಮಸ್ಕಾರ", "ನಮಸ್ಕಾರ"),
    ("ഇതാ ഓഡിയോയുടെ ട്രാൻസ്ക്രിപ്ഷൻ: നമസ്കാരം", "നമസ്കാരം"),
    ("અહીં ઑડિયોનું ટ્રાન્સક્રિપ્શન છે: નમસ્તે", "નમસ્તે"),
    ("ਇੱਥੇ ਆਡੀਓ ਦਾ ਟ੍ਰਾਂਸਕ੍ਰਿਪਸ਼ਨ ਹੈ: ਸਤ ਸ੍ਰੀ ਅਕਾਲ", "ਸਤ ਸ੍ਰੀ ਅਕਾਲ"),
    ("ଏଠାରେ ଅଡିଓର ଟ୍ରାନ୍ସକ୍ରିପ୍ସନ ଅଛି: ନମସ୍କାର", "ନମସ୍କାର"),
    ("یہاں آڈیو کا ٹرانسکرپشن ہے: السلام علیکم", "السلام علیکم"),
    ("hello world\n\n---\n\nI hope this helps!", "hello world"),
    // Speaker labels.
    ("Speaker 1: hello", "hello"),
    ("Speaker 1: hello\nSpeaker 2: world", "hello world"),
    ("SPEAKER_00: hello\nSPEAKER_01: world", "hello world"),
    ("Speaker A: hello Speaker B: world", "hello world"),
    ("A: hello\nB: world", "hello world"),
    ("[Speaker 1] hello\n[Speaker 2] world", "hello world"),
    (
        "**Speaker 1:** hello\n\n**Speaker 2:** world",
        "hello world",
    ),
    ("वक्ता 1: नमस्ते\nवक्ता 2: दुनिया", "नमस्ते दुनिया"),
    ("বক্তা ১: নমস্কার", "নমস্কার"),
    ("பேச்சாளர் 1: வணக்கம்", "வணக்கம்"),
    ("ବକ୍ତା 1: ନମସ୍କାର", "ନମସ୍କାର"),
    ("Agent: hello\nCustomer: world", "hello world"),
    // Time stamps.
    ("[00:01:02.345 --> 00:01:05.000] hello world", "hello world"),
    ("[00:00] hello [00:05] world", "hello world"),
    ("(0:05) hello world", "hello world"),
    ("00:00 hello\n00:04 world", "hello world"),
    ("00:00:01 hello world", "hello world"),
    ("00:01 - hello\n00:03 - world", "hello world"),
    ("[0.0s - 2.5s] hello", "hello"),
    ("[00:00 - 00:05] Speaker 1: hello", "hello"),
    (
        "1\n00:00:00,000 --> 00:00:02,000\nhello\n\n2\n00:00:02,000 --> 00:00:04,000\nworld",
        "hello world",
    ),
    (
        "WEBVTT\n\n00:00.000 --> 00:02.000\nhello\n\n00:02.000 --> 00:04.000 align:start\nworld",
        "hello world",
    ),
    (
        "```srt\n1\n00:00:00,000 --> 00:00:02,000\nनमस्ते\n```",
        "नमस्ते",
    ),
    // Markup.
    ("**hello world**", "hello world"),
    ("hello **world** again", "hello world again"),
    ("*hello world*", "hello world"),
    ("<b>hello</b> <i>world</i>", "hello world"),
    ("<transcript>hello world</transcript>", "hello world"),
    ("- hello\n- world", "hello world"),
    ("* hello\n* world", "hello world"),
    ("• नमस्ते\n• दुनिया", "नमस्ते दुनिया"),
    ("# hello\nworld", "hello world"),
    // Quotation marks around everything.
    ("\"hello world\"", "hello world"),
    ("“नमस्ते दुनिया”", "नमस्ते दुनिया"),
    ("«hello world»", "hello world"),
    ("'it's fine'", "it's fine"),
    ("Here is the transcription: \"hello world\"", "hello world"),
    // Nothing but wrapping: nothing was heard.
    ("```\n```", ""),
    ("{\"transcription\": \"\"}", ""),
    ("Here is the transcription:", ""),
    ("\"\"", ""),
];

#[test]
fn every_shape_of_wrapping_comes_off() {
    assert!(SHAPES.len() >= 40);
    let mut wrong = Vec::new();
    for (answer, expected) in SHAPES {
        let found = unwrapped(answer);
        if found != *expected {
            wrong.push(format!("{answer:?}\n  gives {found:?}\n  not {expected:?}"));
        }
        if is_flagged(answer) != (plain(answer) != *expected) {
            wrong.push(format!("{answer:?} has the wrong flag"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn ordinary_sentences_are_left_alone() {
    let sentences: Vec<&str> = include_str!("golden/ordinary-sentences.txt")
        .lines()
        .filter(|line| !line.is_empty())
        .collect();
    assert!(sentences.len() >= 200, "{}", sentences.len());
    let mut wrong = Vec::new();
    for sentence in sentences {
        // `⏎` stands for the end of a line.
        let text = sentence.replace('⏎', "\n");
        if is_flagged(&text) || unwrapped(&text) != plain(&text) {
            wrong.push(format!("{text:?} becomes {:?}", unwrapped(&text)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_step_is_opt_in_and_a_flag_never_changes_a_score() {
    let answer = "Here is the transcription: hello world";
    let by = |name| score("hello world", answer, "en", &normaliser(name), None).expect("scores");
    let (without, with) = (by("indic-v1"), by("indic-v1+unwrap"));
    assert_eq!((without.wer, with.wer), (2.0, 0.0));
    assert_eq!(without.raw_wer, with.raw_wer);
    assert!(without.flags.contains(&Flag::Wrapped));
    assert!(with.flags.contains(&Flag::Wrapped));
    assert_eq!(with.normaliser, "indic-v1+unwrap");
    assert!(Normaliser::by_name("raw-v1+unwrap").is_none());
    let name = normaliser("indic-v1+numbers+unwrap").name().to_owned();
    assert_eq!(name, "indic-v1+unwrap+numbers");
    // A reference is what a person wrote: its labels are words.
    let labelled = score(
        "Speaker 1: hello",
        "hello",
        "en",
        &normaliser("indic-v1+unwrap"),
        None,
    );
    assert_eq!(labelled.expect("scores").words().deletions, 2);
}

#[test]
fn the_waterfall_shows_what_unwrapping_forgave() {
    let mut waterfall = Waterfall::new(&normaliser("indic-v1+unwrap"));
    waterfall
        .add("hello world", "{\"text\": \"hello world\"}", "en")
        .expect("scores");
    let rows = waterfall.rows();
    assert_eq!((rows[1].step.as_str(), rows[1].lossy), ("unwrap", true));
    assert!(rows[0].errors > 0);
    assert_eq!(rows[1].errors, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn unwrapping_twice_is_unwrapping_once_and_the_flag_tells(
        parts in proptest::collection::vec(
            prop_oneof![
                proptest::sample::select(SHAPES.iter().map(|(answer, _)| (*answer).to_owned()).collect::<Vec<_>>()),
                proptest::sample::select(["\n", "```", "\"", "{", "}", "[", "]", ":", "**", "*", "- ", "00:05", "(0:01)", "Speaker 1:", "A:", "<b>", "\\", "“", "”", "1\n", "-->", "# "]
                    .map(str::to_owned).to_vec()),
                "[a-c अ-आ:\"'*]{0,8}",
            ],
            0..8,
        ),
    ) {
        let text = parts.concat();
        let normaliser = Normaliser::by_name("nfc-v1+unwrap").expect("a known name");
        let once = normaliser.apply(&text, "hi");
        let twice = normaliser.apply(&once, "hi");
        let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let before = visible(&plain(&text));
        prop_assert_eq!(is_flagged(&text), visible(&once) != before, "{:?} {:?}", text, once);
        // Blanks are folded between the two, which can bring lines together: no more may come off
        // than lines were lost. What stood around a code fence is on lines of its own as well.
        if !text.contains("```") && !text.contains('\n') && !once.contains('\n') && !text.contains("\\n") {
            prop_assert_eq!(&twice, &once, "{:?}", text);
        }
    }

    #[test]
    fn any_text_is_unwrapped_without_a_panic(text in "\\PC{0,200}") {
        let once = unwrapped(&text);
        let _ = unwrapped(&once);
    }
}
