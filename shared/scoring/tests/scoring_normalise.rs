//! What the default normaliser forgives and what it keeps, script by script.

#![allow(clippy::expect_used, reason = "helpers of tests fail by panicking")]

use proptest::prelude::*;
use stt_eval_scoring::normalise::{LossyStep, Normaliser};
use stt_eval_scoring::score;
use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

fn normaliser(name: &str) -> Normaliser {
    Normaliser::by_name(name).expect("known name")
}

fn wer(reference: &str, hypothesis: &str, language: &str, name: &str) -> f64 {
    let score = score(reference, hypothesis, language, &normaliser(name), None);
    score.expect("scores").wer
}

/// (what, language, reference, hypothesis): no difference to a listener.
const FORGIVEN: &[(&str, &str, &str, &str)] = &[
    // 1 sentence end
    ("danda", "hi", "मैं घर जा रहा हूँ।", "मैं घर जा रहा हूँ"),
    ("double danda", "hi", "इति॥", "इति"),
    ("danda", "bn", "আমি যাচ্ছি।", "আমি যাচ্ছি"),
    ("danda", "or", "ମୁଁ ଯାଉଛି।", "ମୁଁ ଯାଉଛି"),
    ("danda", "pa", "ਮੈਂ ਜਾ ਰਿਹਾ ਹਾਂ।", "ਮੈਂ ਜਾ ਰਿਹਾ ਹਾਂ"),
    ("full stop", "ta", "நான் போகிறேன்.", "நான் போகிறேன்"),
    ("full stop", "te", "నేను వెళ్తున్నాను.", "నేను వెళ్తున్నాను"),
    ("full stop", "kn", "ನಾನು ಹೋಗುತ್ತೇನೆ.", "ನಾನು ಹೋಗುತ್ತೇನೆ"),
    ("full stop", "ml", "ഞാൻ പോകുന്നു.", "ഞാൻ പോകുന്നു"),
    ("full stop", "gu", "હું જાઉં છું.", "હું જાઉં છું"),
    (
        "arabic full stop",
        "ur",
        "میں جا رہا ہوں۔",
        "میں جا رہا ہوں",
    ),
    // 2 comma
    ("comma", "hi", "हाँ, ठीक है", "हाँ ठीक है"),
    ("comma", "ta", "ஆம், சரி", "ஆம் சரி"),
    ("arabic comma", "ur", "ہاں، ٹھیک", "ہاں ٹھیک"),
    // 3 question mark, exclamation mark
    ("question mark", "gu", "કેમ છો?", "કેમ છો"),
    ("arabic question mark", "ur", "کیسے ہیں؟", "کیسے ہیں"),
    ("exclamation mark", "kn", "ನಮಸ್ಕಾರ!", "ನಮಸ್ಕಾರ"),
    // 4 quotes and brackets
    ("quotes", "te", "\u{201c}అవును\u{201d} అన్నాడు", "అవును అన్నాడు"),
    (
        "brackets",
        "en",
        "the bank (main branch)",
        "the bank main branch",
    ),
    // 5 hyphen and dash
    ("hyphen", "hi", "धीरे-धीरे चलो", "धीरे धीरे चलो"),
    ("dash", "en", "yes \u{2014} no", "yes no"),
    // 6 digits of the script
    ("digits", "hi", "२५ साल", "25 साल"),
    ("digits", "bn", "১০০ টাকা", "100 টাকা"),
    ("digits", "ta", "௨௫ ரூபாய்", "25 ரூபாய்"),
    ("digits", "te", "౨౫ రూపాయలు", "25 రూపాయలు"),
    ("digits", "kn", "೨೫ ರೂಪಾಯಿ", "25 ರೂಪಾಯಿ"),
    ("digits", "ml", "൨൫ രൂപ", "25 രൂപ"),
    ("digits", "gu", "૨૫ રૂપિયા", "25 રૂપિયા"),
    ("digits", "pa", "੨੫ ਰੁਪਏ", "25 ਰੁਪਏ"),
    ("digits", "or", "୨୫ ଟଙ୍କା", "25 ଟଙ୍କା"),
    ("digits", "ur", "۲۵ روپے", "25 روپے"),
    ("arabic digits", "ur", "٢٥ روپے", "25 روپے"),
    ("fullwidth digits", "en", "２５ rupees", "25 rupees"),
    // 7 digit groups
    ("lakh groups", "en", "1,25,000 rupees", "125000 rupees"),
    (
        "lakh groups in the script",
        "hi",
        "१,२५,००० रुपये",
        "125000 रुपये",
    ),
    ("thousand groups", "en", "125,000 rupees", "125000 rupees"),
    // 8 zero-width joiner and non-joiner
    ("zwj", "mr", "गुर्\u{200d}या आला", "गुर्या आला"),
    ("zwnj", "te", "సాఫ్ట్\u{200c}వేర్", "సాఫ్ట్వేర్"),
    ("zwnj", "kn", "ಸಾಫ್ಟ್\u{200c}ವೇರ್", "ಸಾಫ್ಟ್ವೇರ್"),
    ("zwj", "bn", "র\u{200d}্যাব", "র্যাব"),
    // 9 other invisible characters
    ("zwsp", "hi", "\u{200b}नमस्ते", "नमस्ते"),
    ("bom", "en", "\u{feff}hello", "hello"),
    ("soft hyphen", "en", "co\u{ad}operate", "cooperate"),
    ("right-to-left mark", "ur", "\u{200f}ہاں", "ہاں"),
    // 10 composed and decomposed
    ("nfc", "en", "caf\u{e9}", "cafe\u{301}"),
    ("nukta", "hi", "\u{958}लम", "क\u{93c}लम"),
    ("nukta", "bn", "বা\u{9dc}ি", "বা\u{9a1}\u{9bc}ি"),
    ("nukta", "pa", "\u{a5b}ਮੀਨ", "ਜ\u{a3c}ਮੀਨ"),
    ("nukta", "or", "ବ\u{b5c}", "ବ\u{b21}\u{b3c}"),
    ("split vowel sign", "bn", "ভ\u{9cb}র", "ভ\u{9c7}\u{9be}র"),
    (
        "split vowel sign",
        "ta",
        "ப\u{bca}ருள்",
        "ப\u{bc6}\u{bbe}ருள்",
    ),
    ("split vowel sign", "te", "క\u{c48}", "క\u{c46}\u{c56}"),
    (
        "split vowel sign",
        "kn",
        "ಕ\u{ccb}ಳಿ",
        "ಕ\u{cc6}\u{cc2}\u{cd5}ಳಿ",
    ),
    ("split vowel sign", "ml", "ക\u{d4b}ഴി", "ക\u{d47}\u{d3e}ഴി"),
    ("split vowel sign", "or", "କ\u{b4b}", "କ\u{b47}\u{b3e}"),
    ("alef with madda", "ur", "\u{622}ج", "\u{627}\u{653}ج"),
    // 11 one letter, older sequence
    ("chillu", "ml", "അവൻ വന്നു", "അവന\u{d4d}\u{200d} വന്നു"),
    ("khanda ta", "bn", "হঠাৎ বৃষ্টি", "হঠাত\u{9cd}\u{200d} বৃষ্টি"),
    ("khanda ta at the end", "bn", "হঠাৎ বৃষ্টি", "হঠাত\u{9cd} বৃষ্টি"),
    // 12 case
    ("case", "en", "Hello World", "hello world"),
    ("case beyond ascii", "en", "ÉCOLE Ω", "école ω"),
    // 13 blanks
    ("tab", "hi", "एक\tदो", "एक दो"),
    ("no-break space", "ta", "ஒன்று\u{a0}இரண்டு", "ஒன்று இரண்டு"),
    ("blanks at the ends", "ml", "  ഒന്ന്  രണ്ട് ", "ഒന്ന് രണ്ട്"),
];

/// (what, language, right, wrong): one word each, and an error in it.
const KEPT: &[(&str, &str, &str, &str)] = &[
    // 1 vowel sign exchanged
    ("vowel sign", "hi", "मंडी", "मंडि"),
    ("vowel sign", "bn", "বাড়ী", "বাড়ি"),
    ("vowel sign", "ta", "பாடு", "படு"),
    ("vowel sign", "te", "పాట", "పట"),
    ("vowel sign", "kn", "ಮಗು", "ಮಗ"),
    ("vowel sign", "ml", "പാട്", "പട്"),
    ("vowel sign", "gu", "દિન", "દીન"),
    ("vowel sign", "pa", "ਦਿਨ", "ਦੀਨ"),
    ("vowel sign", "or", "ଦିନ", "ଦୀନ"),
    // 2 vowel sign dropped
    ("no vowel sign", "hi", "बेटी", "बट"),
    ("no vowel sign", "bn", "ভালো", "ভল"),
    ("no vowel sign", "gu", "કેમ", "કમ"),
    ("no vowel sign", "or", "କାମ", "କମ"),
    // 3 anusvara
    ("anusvara", "hi", "हैं", "है"),
    ("anusvara", "bn", "রং", "র"),
    ("anusvara", "te", "వందనం", "వదన"),
    ("anusvara", "kn", "ಬಂದ", "ಬದ"),
    ("anusvara", "ml", "പണം", "പണ"),
    ("anusvara", "gu", "છું", "છુ"),
    ("tippi", "pa", "ਮੈਨੂੰ", "ਮੈਨੂ"),
    ("anusvara", "or", "ସଂଖ୍ୟା", "ସଖ୍ୟା"),
    // 4 chandrabindu
    ("chandrabindu", "hi", "हाँ", "हा"),
    ("chandrabindu is not anusvara", "hi", "हाँ", "हां"),
    ("chandrabindu", "bn", "চাঁদ", "চাদ"),
    ("chandrabindu", "or", "ମୁଁ", "ମୁ"),
    // 5 virama
    ("virama", "hi", "कर्म", "करम"),
    ("virama", "bn", "কর্ম", "করম"),
    ("pulli", "ta", "பள்ளி", "பளளி"),
    ("virama", "te", "కర్మ", "కరమ"),
    ("virama", "kn", "ಕರ್ಮ", "ಕರಮ"),
    ("virama", "ml", "അമ്മ", "അമമ"),
    ("virama", "gu", "કર્મ", "કરમ"),
    ("virama", "or", "କର୍ମ", "କରମ"),
    // 6 nukta
    ("nukta", "hi", "फ़सल", "फसल"),
    ("nukta", "bn", "বাড়ি", "বাডি"),
    ("nukta", "pa", "ਜ਼ਮੀਨ", "ਜਮੀਨ"),
    ("nukta", "or", "ବଡ଼", "ବଡ"),
    // 7 gemination, visarga, other signs
    ("addak", "pa", "ਪੱਕਾ", "ਪਕਾ"),
    ("visarga", "hi", "दुःख", "दुख"),
    ("aytham", "ta", "அஃது", "அது"),
    ("vocalic r", "bn", "কৃষি", "কষি"),
    // 8 short and long vowel letter
    ("vowel letter", "hi", "इस", "ईस"),
    ("vowel letter", "ta", "இலை", "ஈலை"),
    ("vowel letter", "ml", "ഇല", "ഈല"),
    // 9 consonants that sound alike
    ("la", "ta", "பள்ளி", "பல்லி"),
    ("retroflex", "te", "గోడ", "గోద"),
    ("aspiration", "hi", "खाना", "काना"),
    ("sibilant", "bn", "বিষ", "বিশ"),
    ("assamese ra", "as", "ৰাম", "রাম"),
    ("assamese wa", "as", "ৱাৰ্ড", "ওয়ার্ড"),
    ("letters that sound alike", "ur", "ثابت", "سابت"),
    ("yeh and kaf of another language", "ur", "کی", "كي"),
    // 10 marks of Arabic script
    ("madda", "ur", "آج", "اج"),
    ("hamza", "ur", "گئے", "گے"),
    // 11 Latin
    ("accent", "en", "café", "cafe"),
    ("letter", "en", "price", "prize"),
    ("not nfkc", "en", "x²", "x2"),
    // 12 numbers
    ("other number", "en", "15", "50"),
    ("decimal point", "en", "3.5", "35"),
    ("not a group", "en", "10,20", "1020"),
    ("number word", "mr", "पंचवीस", "25"),
    // 13 word boundaries, script
    ("joined", "hi", "के लिए", "केलिए"),
    ("split", "ta", "தடுப்பூசி", "தடுப்பு ஊசி"),
    ("other script", "hi", "बैंक", "bank"),
    ("currency sign", "en", "₹100", "100"),
];

#[test]
fn spelling_is_forgiven() {
    for (what, language, reference, hypothesis) in FORGIVEN {
        assert_ne!(reference, hypothesis, "{what} ({language}) shows nothing");
        let after = wer(reference, hypothesis, language, "indic-v1");
        assert_eq!(
            after, 0.0,
            "{what} ({language}): {reference} / {hypothesis}"
        );
    }
}

#[test]
fn errors_are_kept() {
    for (what, language, right, wrong) in KEPT {
        let after = wer(right, wrong, language, "indic-v1");
        assert!(
            after > 0.0,
            "{what} ({language}): {right} / {wrong} was forgiven"
        );
    }
}

#[test]
fn examples_per_script() {
    for (language, text, expected) in [
        ("hi", "उम्र २५, \u{958}लम।", "उम्र 25 क\u{93c}लम"),
        ("bn", "হঠাত\u{9cd} ১,২৫,০০০!", "হঠাৎ 125000"),
        ("as", "ৰাম ৱাৰ্ড।", "ৰাম ৱাৰ্ড"),
        ("ta", "ப\u{bc6}\u{bbe}ருள், ௧௦", "பொருள் 10"),
        ("te", "సాఫ్ట్\u{200c}వేర్.", "సాఫ్ట్వేర్"),
        ("kn", "ಕ\u{cc6}\u{cc2}\u{cd5}ಳಿ", "ಕೋಳಿ"),
        ("ml", "അവന\u{d4d}\u{200d}", "അവൻ"),
        ("gu", "કેમ છો?", "કેમ છો"),
        ("pa", "\u{a5b}ਮੀਨ।", "ਜ\u{a3c}ਮੀਨ"),
        ("or", "ବ\u{b5c} ୨୫।", "ବଡ\u{b3c} 25"),
        ("ur", "ہاں، ۲۵؟", "ہاں 25"),
        ("en", "It's 1,25,000 — OK?", "it s 125000 ok"),
    ] {
        let normalised = normaliser("indic-v1").apply(text, language);
        assert_eq!(normalised, expected, "{language}");
    }
}

#[test]
fn every_decimal_digit_has_its_value() {
    // Zeros by the Unicode chart, one per kind of block.
    for zero in [
        '0',
        '٠',
        '۰',
        '߀',
        '०',
        '০',
        '੦',
        '૦',
        '୦',
        '௦',
        '౦',
        '೦',
        '൦',
        '๐',
        '᱐',
        '꯰',
        '０',
        '\u{1d7ce}',
        '\u{1d7d8}',
        '\u{1d7f6}',
        '\u{1e950}',
    ] {
        for value in 0..10 {
            let digit = char::from_u32(zero as u32 + value).expect("a digit");
            let normalised = normaliser("indic-v1").apply(&digit.to_string(), "en");
            assert_eq!(normalised, value.to_string(), "U+{:04X}", digit as u32);
        }
    }
}

#[test]
fn lossy_steps_forgive_only_when_asked() {
    for (step, language, reference, hypothesis) in [
        ("nukta", "hi", "फ़सल ख़राब", "फसल खराब"),
        ("nukta", "bn", "বাড়ি", "বাডি"),
        ("nukta", "pa", "ਜ਼ਮੀਨ", "ਜਮੀਨ"),
        ("nukta", "or", "ବଡ଼", "ବଡ"),
        ("anusvara", "hi", "हाँ पहुँच", "हां पहुंच"),
        ("anusvara", "bn", "চাঁদ", "চাংদ"),
        (
            "numbers",
            "en",
            "twenty five thousand rupees",
            "25000 rupees",
        ),
        ("numbers", "hi", "पच्चीस हज़ार रुपये", "25000 रुपये"),
        ("fillers", "en", "um yes uh please", "yes please"),
        ("fillers", "hi", "हम्म ठीक है", "ठीक है"),
        ("compounds", "hi", "आजकल बारिश नहीं", "आज कल बारिश नहीं"),
        ("compounds", "bn", "আজকাল বৃষ্টি", "আজ কাল বৃষ্টি"),
    ] {
        let combined = format!("indic-v1+{step}");
        assert!(
            wer(reference, hypothesis, language, "indic-v1") > 0.0,
            "{step} {language}"
        );
        assert_eq!(
            wer(reference, hypothesis, language, &combined),
            0.0,
            "{step} {language}"
        );
    }
    // Not in a language the step does not know.
    assert!(wer("um yes", "yes", "ta", "indic-v1+fillers") > 0.0);
    assert!(wer("twenty", "20", "ta", "indic-v1+numbers") > 0.0);
}

#[test]
fn numbers_are_read_as_said() {
    let apply = |text: &str, language: &str| normaliser("indic-v1+numbers").apply(text, language);
    for (language, text, expected) in [
        ("en", "one lakh twenty five thousand", "125000"),
        ("en", "two crore thirty lakh", "23000000"),
        ("en", "three hundred and five", "305"),
        ("en", "nineteen hundred forty seven", "1947"),
        ("en", "hundred rupees", "100 rupees"),
        ("en", "a thousand and one nights", "a 1001 nights"),
        ("en", "one two three", "1 2 3"),
        ("en", "two thousand three lakh", "2000 300000"),
        ("en", "five and six", "5 and 6"),
        ("en", "2 lakh 50 thousand", "250000"),
        ("en", "call 100 and wait", "call 100 and wait"),
        ("en", "crore people", "crore people"),
        ("en", "zero", "0"),
        (
            "en",
            "two million three hundred thousand and four",
            "2300004",
        ),
        ("hi", "एक लाख पच्चीस हज़ार", "125000"),
        ("hi", "दो करोड़ तीस लाख", "23000000"),
        ("hi", "दस हजार दस रुपये", "10010 रुपये"),
        ("hi", "तीन सौ पाँच", "305"),
        ("hi", "१० हजार", "10000"),
        ("hi", "सौ रुपये", "100 रुपये"),
        ("hi", "निन्यानवे", "99"),
        ("hi-en", "पच्चीस thousand", "25000"),
        ("ta", "twenty", "twenty"),
    ] {
        assert_eq!(apply(text, language), expected, "{language}: {text}");
    }
    let long = "nine billion ".repeat(300);
    assert!(apply(&long, "en").starts_with("9000000000 9000000000"));
}

#[test]
fn names_are_canonical() {
    let name = |text: &str| Normaliser::by_name(text).map(|n| n.name().to_owned());
    assert_eq!(
        name("indic-v1").as_deref(),
        Some(Normaliser::default_name())
    );
    let canonical = Some("indic-v1+numbers+nukta");
    assert_eq!(name("indic-v1+nukta+numbers").as_deref(), canonical);
    assert_eq!(name("indic-v1+numbers+nukta").as_deref(), canonical);
    for unknown in [
        "",
        "indic",
        "indic-v1+",
        "indic-v1+x",
        "indic-v1+nukta+nukta",
        "raw-v1+nukta",
    ] {
        assert_eq!(name(unknown), None, "{unknown}");
    }
    for known in Normaliser::names() {
        assert_eq!(name(known).as_deref(), Some(known));
    }
    assert_eq!(Normaliser::default().name(), Normaliser::default_name());
}

/// Text of the scripts, with what is hard about them.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\u{900}-\u{97f}\u{980}-\u{9fe}\u{a00}-\u{a7f}]{1,4}",
        "[\u{a80}-\u{aff}\u{b00}-\u{bff}\u{c00}-\u{cff}\u{d00}-\u{d7f}]{1,4}",
        "[\u{600}-\u{6ff}\u{750}-\u{77f}]{1,4}",
        "[a-zA-ZÀ-ſ\u{300}-\u{345}]{1,4}",
        "[0-9]{1,3},[0-9]{2,3}",
        "[ \t\u{a0}\u{200b}-\u{200f}\u{ad}.,!।\u{964}\u{2018}'-]{1,3}",
        "\\PC",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn letters_and_marks(text: &str) -> usize {
    let is_either = |c: &char| {
        let group = c.general_category_group();
        matches!(
            group,
            GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark
        )
    };
    // Decomposed, so that composing is not counted as losing a mark.
    text.nfd().filter(is_either).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn twice_is_once(text in texts(), language in "hi|bn|en|ml|hi-en") {
        for name in Normaliser::names() {
            let normaliser = normaliser(name);
            let once = normaliser.apply(&text, &language);
            prop_assert_eq!(normaliser.apply(&once, &language), once);
        }
    }

    #[test]
    fn lossy_twice_is_once(text in texts()) {
        for step in [LossyStep::Nukta, LossyStep::Anusvara, LossyStep::Fillers] {
            let normaliser = normaliser(&format!("indic-v1+{}", step.name()));
            let once = normaliser.apply(&text, "hi");
            prop_assert_eq!(normaliser.apply(&once, "hi"), once);
        }
    }

    #[test]
    fn output_is_nfc(text in texts()) {
        prop_assert!(is_nfc(&normaliser("indic-v1").apply(&text, "hi")));
        prop_assert!(is_nfc(&normaliser("nfc-v1").apply(&text, "hi")));
    }

    #[test]
    fn nfc_is_that_of_the_library(text in texts()) {
        let folded: Vec<&str> = text.split(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
            .filter(|word| !word.is_empty())
            .collect();
        let expected: String = folded.join(" ").nfc().collect();
        prop_assert_eq!(normaliser("nfc-v1").apply(&text, "hi"), expected);
    }

    #[test]
    fn equivalent_texts_become_equal(text in texts()) {
        let normaliser = normaliser("indic-v1");
        let decomposed: String = text.nfd().collect();
        prop_assert_eq!(normaliser.apply(&decomposed, "hi"), normaliser.apply(&text, "hi"));
    }

    #[test]
    fn no_letter_or_mark_is_lost(text in texts()) {
        // Two letters for one, by design: chillu and khanda ta.
        prop_assume!(!text.contains(['\u{d4d}', '\u{9cd}']));
        let normalised = normaliser("indic-v1").apply(&text, "hi");
        prop_assert_eq!(letters_and_marks(&normalised), letters_and_marks(&text));
    }
}
