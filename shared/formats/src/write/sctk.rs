//! What SCTK reads: TRN and STM. There is no CTM: times of words are not kept.

use super::Written;

/// References or hypotheses in TRN, and what had to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trn {
    /// One line for each sample; one that failed is empty, for `sclite` leaves out an
    /// utterance whose line is missing.
    pub text: String,
    /// Words that lost a character which means something there.
    pub changed: usize,
}

/// A word that SCTK takes as it is: none begins with `(` or `{`, none is `@`, and none
/// begins a comment.
fn word(text: &str) -> Option<String> {
    let clean = text.trim_start_matches(['(', '{']).replace(['{', '}'], "");
    let clean = clean.strip_prefix(";;").unwrap_or(&clean).to_owned();
    (!clean.is_empty() && clean != "@" && clean != "/").then_some(clean)
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
        let mut words = Vec::new();
        for written in text.split_whitespace() {
            let kept = word(written);
            out.changed += usize::from(kept.as_deref() != Some(written));
            words.extend(kept);
        }
        out.text += &format!("{} ({})\n", words.join(" "), trn_id(sample));
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
        let words: Vec<String> = reference.split_whitespace().filter_map(word).collect();
        let speaker = sample
            .speaker
            .as_deref()
            .unwrap_or("unknown")
            .replace(char::is_whitespace, "_");
        let file = stm_id(sample);
        // What begins like a label would be read as one: behind a label it is a word.
        let label = match words.first() {
            Some(first) if first.starts_with('<') => "<o> ",
            _ => "",
        };
        let words = words.join(" ");
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
            reference: Some("घर (जाओ) @ { x } a/b ;;c".to_owned()),
            heard: vec![heard.map(str::to_owned)],
            ..Written::default()
        };
        let mut samples = [sample("u 1", Some("घर")), sample("u2", None)];
        samples[1].speaker = Some("spk-3".to_owned());
        let mut same = |text: &str, _: &Written| text.to_owned();
        let right = trn(&samples, None, &mut same);
        let first = right.text.lines().next().unwrap();
        assert_eq!(first, "घर जाओ) x a/b c (utt-u_1)");
        assert_eq!(right.changed, 10);
        let heard = trn(&samples, Some(0), &mut same);
        assert_eq!(heard.text, "घर (utt-u_1)\n (spk.3-u2)\n");
    }
}
