//! Shows on generated data what a normaliser does to a ranking.
//!
//! Two made-up recognisers of Hindi, Tamil and Bengali: one gets vowel signs and
//! anusvara wrong, the other drops a few words. A normaliser that blanks Unicode
//! marks, as the usual one of Whisper does, cannot see the first kind of error and
//! names the wrong winner. Nothing here is a measurement of a real provider.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use std::error::Error;
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::uncertainty::{Resampling, Sample};
use stt_eval_scoring::waterfall::Waterfall;
use stt_eval_scoring::{CorpusSums, Scorer, words};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

const SENTENCES: [(&str, &str); 9] = [
    ("hi", "किसान मंडी में गेहूँ बेचता है।"),
    ("hi", "मेरी फसल में कीड़े लग गए हैं, क्या करूँ?"),
    ("hi", "मुझे २५ किलो बीज चाहिए।"),
    ("ta", "இன்று மழை பெய்யும் என்று சொன்னார்கள்."),
    ("ta", "பள்ளி நாளை மூடப்படும், வாருங்கள்."),
    ("ta", "தடுப்பூசி அடுத்த செவ்வாய்க்கிழமை போடப்படும்."),
    ("bn", "আমার মেয়ের বয়স পাঁচ বছর।"),
    ("bn", "বন্যায় সব ফসল নষ্ট হয়ে গেছে।"),
    ("bn", "আমি কাল ১০০ টাকা পাঠাব।"),
];
const SAMPLES: usize = 400;

fn is_mark(c: char) -> bool {
    c.general_category_group() == GeneralCategoryGroup::Mark
}

/// Removes the last mark of about one word in five.
fn without_some_marks(text: &str, random: &mut Xoshiro256PlusPlus) -> String {
    let words: Vec<String> = words(text)
        .into_iter()
        .map(
            |word| match word.char_indices().rfind(|(_, c)| is_mark(*c)) {
                Some((at, mark)) if random.next_u64().is_multiple_of(5) => {
                    format!("{}{}", &word[..at], &word[at + mark.len_utf8()..])
                }
                _ => word.to_owned(),
            },
        )
        .collect();
    words.join(" ")
}

/// Removes about one word in eleven; writes ASCII digits, no danda and no comma,
/// and every fifth sentence decomposed.
fn without_some_words(text: &str, random: &mut Xoshiro256PlusPlus) -> String {
    let words: Vec<&str> = words(text)
        .into_iter()
        .filter(|_| !random.next_u64().is_multiple_of(11))
        .collect();
    let text = words.join(" ").replace(['।', ',', '.', '?'], "");
    let text = text.replace("२५", "25").replace("১০০", "100");
    if random.next_u64().is_multiple_of(5) {
        text.nfd().collect()
    } else {
        text
    }
}

/// What the usual normaliser does: marks, symbols and punctuation to blanks.
fn strip_marks(text: &str) -> String {
    let blank = |c: char| {
        use GeneralCategoryGroup::{Mark, Punctuation, Symbol};
        matches!(c.general_category_group(), Mark | Punctuation | Symbol)
    };
    text.chars()
        .map(|c| if blank(c) { ' ' } else { c })
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let normaliser = Normaliser::default();
    println!("Generated data, {SAMPLES} samples; no real provider is measured.\n");
    let mut samples = [Vec::new(), Vec::new()];
    let mut sums = [CorpusSums::default(), CorpusSums::default()];
    let mut stripped = [CorpusSums::default(), CorpusSums::default()];
    let mut waterfall = Waterfall::new(&normaliser);
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    for (language, reference) in SENTENCES.into_iter().cycle().take(SAMPLES) {
        let hypotheses = [
            without_some_marks(reference, &mut random),
            without_some_words(reference, &mut random),
        ];
        let mut ours = Scorer::new(normaliser.clone(), language);
        ours.set_reference(reference)?;
        let mut usual = Scorer::new(Normaliser::raw(), language);
        usual.set_reference(&strip_marks(reference))?;
        for (p, hypothesis) in hypotheses.iter().enumerate() {
            let score = ours.score(hypothesis, None)?;
            let words = score.words();
            samples[p].push(Sample {
                errors: words.errors(),
                reference: words.reference(),
            });
            sums[p].add(&score);
            stripped[p].add(&usual.score(&strip_marks(hypothesis), None)?);
        }
        waterfall.add(reference, &hypotheses[1], language)?;
    }

    let result = Resampling::default().run(&samples, None)?;
    println!("recogniser      marks blanked   indic-v1   95 % interval");
    for (p, name) in ["wrong marks", "missing words"].into_iter().enumerate() {
        let interval = result.providers[p].interval.ok_or("blocks vary")?;
        println!(
            "{name:15} {:12.1} % {:8.1} %   {:.1} to {:.1} %",
            stripped[p].summary().all.wer * 100.0,
            sums[p].summary().all.wer * 100.0,
            interval.low * 100.0,
            interval.high * 100.0
        );
    }
    let pair = &result.pairs[0];
    let interval = pair.interval.ok_or("blocks vary")?;
    println!(
        "difference {:.1} to {:.1} points, p = {:.4}\n",
        interval.low * 100.0,
        interval.high * 100.0,
        pair.p_value
    );

    println!("Waterfall of \"missing words\":");
    for row in waterfall.rows() {
        println!(
            "{:15} {:6.1} %  forgave {}",
            row.step,
            row.wer * 100.0,
            row.forgiven
        );
    }
    Ok(())
}
