//! What SCTK reads: TRN and STM. There is no CTM: times of words are not kept.

use std::collections::BTreeSet;

use stt_eval_scoring::{trim, words};

use super::Written;

/// References or hypotheses in TRN, and in how many something had to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trn {
    /// One line for each sample; one that failed is empty, for `sclite` leaves out an
    /// utterance whose line is missing.
    pub text: String,
    /// Texts in which others stand for characters that mean something there.
    pub changed: usize,
}

/// What stands for a character that means something to SCTK at this place of a word: none
/// begins with `(` or a comment, none is `@`, and braces make alternatives. It is the same
/// on both sides, and one for each: words stay as many and as different as they are.
fn stand_in(word: &str, at: usize, c: char) -> char {
    match c {
        '{' => '\u{ff5b}',
        '}' => '\u{ff5d}',
        '(' if at == 0 => '\u{ff08}',
        '@' if word.len() == 1 => '\u{ff20}',
        ';' if at == 0 && word.starts_with(";;") => '\u{ff1b}',
        // A blank that separates no words of ours, but would do so there.
        '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' => '\u{a0}',
        c => c,
    }
}

/// A text as SCTK takes it, as long as it is without the blanks at its ends.
#[must_use]
pub fn for_sctk(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = trim(text);
    for word in words(text) {
        let (gap, behind) = rest.split_once(word).unwrap_or(("", rest));
        out.extend(gap.chars().map(|_| ' '));
        out.extend(word.char_indices().map(|(at, c)| stand_in(word, at, c)));
        rest = behind;
    }
    out
}

/// The characters of a text for which others stand there; blanks between words are none.
#[must_use]
pub fn not_for_sctk(text: &str) -> BTreeSet<(char, char)> {
    let written = for_sctk(text);
    let both = trim(text).chars().zip(written.chars());
    both.filter(|(own, written)| own != written && *written != ' ')
        .collect()
}

/// What a sample is called in TRN: an id of the form `speaker-utterance`, without what ends
/// ids there.
#[must_use]
pub fn trn_id(sample: &Written) -> String {
    let tidy = |text: &str| -> String {
        let allowed = |c: char| !c.is_whitespace() && !matches!(c, '(' | ')');
        text.chars()
            .map(|c| if allowed(c) { c } else { '_' })
            .collect()
    };
    let own = tidy(&sample.id);
    match &sample.speaker {
        Some(speaker) => format!("{}-{own}", tidy(&speaker.replace(['-', '_'], "."))),
        None => format!("utt-{own}"),
    }
}

/// TRN of the references, or of one system. `normalised` is what each text is after the
/// normaliser, so that totals of `sclite` can equal ours.
pub fn trn(
    samples: &[Written],
    system: Option<usize>,
    normalised: &mut dyn FnMut(&str, &Written) -> String,
) -> Trn {
    let mut out = Trn {
        text: String::new(),
        changed: 0,
    };
    for sample in samples {
        let text = match system {
            Some(system) => sample.heard.get(system).and_then(Option::as_deref),
            None => sample.reference.as_deref(),
        };
        let text = text
            .map(|text| normalised(text, sample))
            .unwrap_or_default();
        let written = for_sctk(&text);
        out.changed += usize::from(written != trim(&text));
        out.text += &format!("{written} ({})\n", trn_id(sample));
    }
    out
}

/// What a sample is called in STM.
#[must_use]
pub fn stm_id(sample: &Written) -> String {
    sample.id.replace(char::is_whitespace, "_")
}

/// STM of the references: one segment for each sample that has a length.
#[must_use]
pub fn stm(samples: &[Written]) -> String {
    let mut out = String::new();
    for sample in samples {
        let (Some(reference), Some(seconds)) = (&sample.reference, sample.seconds) else {
            continue;
        };
        let words = for_sctk(reference);
        let speaker = sample
            .speaker
            .as_deref()
            .unwrap_or("unknown")
            .replace(char::is_whitespace, "_");
        let file = stm_id(sample);
        // What begins like a label would be read as one: behind a label it is a word.
        let label = if words.starts_with('<') { "<o> " } else { "" };
        out += &format!("{file} 1 {speaker} 0.00 {seconds:.2} {label}{words}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_word_of_stm_is_no_label() {
        let sample = |reference: &str| Written {
            id: "u".to_owned(),
            reference: Some(reference.to_owned()),
            seconds: Some(1.0),
            ..Written::default()
        };
        let written = stm(&[sample("<unk> घर"), sample("घर <unk>")]);
        assert_eq!(
            written,
            "u 1 unknown 0.00 1.00 <o> <unk> घर\nu 1 unknown 0.00 1.00 घर <unk>\n"
        );
        let files = crate::files::InMemory::new([("r.stm", written.lines().next().unwrap_or(""))]);
        let source = || crate::Source {
            files: &files,
            file: Some("r.stm"),
            name: "r",
        };
        let asked = crate::transcripts::ReadOptions::default();
        let read = crate::pairs(&source(), &[source()], &asked).unwrap();
        assert_eq!(read.heard[0], [crate::Hypothesis::Text("<unk> घर".into())]);
    }

    #[test]
    fn there_is_a_line_for_every_sample() {
        let sample = |id: &str, heard: Option<&str>| Written {
            id: id.to_owned(),
            reference: Some("घर (जाओ) @ { x } a/b / ;;c".to_owned()),
            heard: vec![heard.map(str::to_owned)],
            ..Written::default()
        };
        let mut samples = [sample("u 1", Some("घर")), sample("u2", None)];
        samples[1].speaker = Some("spk-3".to_owned());
        let mut same = |text: &str, _: &Written| text.to_owned();
        let right = trn(&samples, None, &mut same);
        let first = right.text.lines().next().unwrap();
        assert_eq!(first, "घर （जाओ) ＠ ｛ x ｝ a/b / ；;c (utt-u_1)");
        assert_eq!(right.changed, 2);
        let heard = trn(&samples, Some(0), &mut same);
        assert_eq!(heard.text, "घर (utt-u_1)\n (spk.3-u2)\n");
    }

    /// Texts with all that means something there, and with blanks of all kinds.
    const ODD: [&str; 10] = [
        "(paren) x",
        "x { y } z{1}",
        "a @ b",
        ";; c ;;d ;e",
        "one\ttwo three",
        " a  b\u{a0}c\u{a0}\u{a0}d ",
        "@x x@ (@) {@}",
        "((a)) () (",
        "{ a / b / @ }",
        "",
    ];

    #[test]
    fn what_stands_for_characters_changes_no_count() {
        use stt_eval_scoring::normalise::Normaliser;
        let score = |said: &str, heard: &str| {
            let said = stt_eval_scoring::reference::escape(said);
            let raw = Normaliser::by_name("raw-v1").unwrap();
            let mut scorer = stt_eval_scoring::Scorer::new(raw, "en");
            scorer.set_reference(&said).unwrap();
            scorer.score(heard, None).unwrap().words()
        };
        for said in ODD {
            for heard in ODD {
                let wanted = score(said, heard);
                let found = score(&for_sctk(said), &for_sctk(heard));
                assert_eq!(found, wanted, "{said:?} {heard:?}");
            }
            assert_eq!(for_sctk(&for_sctk(said)), for_sctk(said));
            // Where marks are taken off, these are as well.
            let normaliser = Normaliser::by_name("indic-v1").unwrap();
            let of = |text: &str| normaliser.apply(text, "en");
            assert_eq!(of(&for_sctk(said)), of(said));
        }
        let told: Vec<_> = not_for_sctk("(a {b\tc  d").into_iter().collect();
        assert_eq!(told, [('\t', '\u{a0}'), ('(', '（'), ('{', '｛')]);
        assert!(not_for_sctk("a (b) c / d@e\u{a0}\u{a0}f").contains(&('(', '（')));
        assert!(not_for_sctk(" a\t\tb / d@e ").is_empty());
    }
}
