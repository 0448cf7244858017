//! XML of `JUnit` in Jenkins' shape: one case for each condition and system. There is no
//! `time`, which may be left out: to judge a condition takes none.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use stt_eval_formats::{Hypothesis, Id};

use super::verdict::{Status, Verdict};
use crate::score::{Scored, percent, worst};

/// Text without what XML 1.0 forbids, escaped. Names and messages are others'.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\t' | '\n' | '\r' => out.push(' '),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn count(verdicts: &[&Verdict], status: Status) -> usize {
    verdicts.iter().filter(|one| one.status == status).count()
}

/// Longest text of a sample, in characters.
const LONGEST: usize = 2_000;

/// The worst samples of a system, as cases that pass: their texts are there to be looked at.
fn samples(class: &str, scored: &Scored, system: usize, most: NonZeroUsize) -> Vec<String> {
    let Some(of) = scored.systems.get(system) else {
        return Vec::new();
    };
    let heard = scored
        .pairs
        .heard
        .get(system)
        .map_or(&[][..], Vec::as_slice);
    let short = |text: &str| text.chars().take(LONGEST).collect::<String>();
    let case = |(rank, index): (usize, usize)| {
        let pair = scored.pairs.samples.get(index)?;
        let id = match &pair.id {
            Id::Line(line) => format!("line {line}"),
            Id::Named(name) => name.to_string(),
        };
        let wer = of.samples.get(index)?.words().error_rate();
        let heard = match heard.get(index) {
            Some(Hypothesis::Text(text)) => text.as_str(),
            _ => "",
        };
        let told = format!(
            "WER {}; said: {}; heard: {}",
            percent(wer),
            short(&pair.reference),
            short(heard)
        );
        // Of two cases of one name readers show the first.
        Some(format!(
            "    <testcase classname=\"{class}\" name=\"worst {rank}: {}\">\n      \
             <system-out>{}</system-out>\n    </testcase>\n",
            escaped(&id),
            escaped(&told)
        ))
    };
    let worst = worst(scored, std::slice::from_ref(of), most.get());
    (1..).zip(worst).filter_map(case).collect()
}

/// A condition as a case.
fn condition(class: &str, verdict: &Verdict) -> String {
    let name = match &verdict.group {
        Some(group) => format!("{} ({group})", verdict.condition),
        None => verdict.condition.clone(),
    };
    let case = format!(
        "    <testcase classname=\"{class}\" name=\"{}\"",
        escaped(&name)
    );
    let message = escaped(&verdict.message);
    let (element, kind) = match verdict.status {
        Status::Passed => return format!("{case}/>\n"),
        Status::Failed => ("failure", "gate"),
        Status::NotJudged => ("error", "not judged"),
    };
    // GitLab shows the body, others the attribute.
    format!(
        "{case}>\n      <{element} message=\"{message}\" type=\"{kind}\">{message}</{element}>\n    \
         </testcase>\n"
    )
}

/// The document: the conditions, and the worst samples of each system if they are wanted.
pub fn xml(verdicts: &[Verdict], scored: &Scored, wanted: Option<NonZeroUsize>) -> String {
    let all: Vec<&Verdict> = verdicts.iter().collect();
    let mut by_model: BTreeMap<&str, (Vec<&Verdict>, Vec<String>)> = BTreeMap::new();
    for verdict in verdicts {
        by_model.entry(&verdict.model).or_default().0.push(verdict);
    }
    if let Some(most) = wanted {
        for (index, system) in scored.systems.iter().enumerate() {
            let class = format!("stt-eval.{}", escaped(&system.name));
            let cases = samples(&class, scored, index, most);
            by_model.entry(&system.name).or_default().1 = cases;
        }
    }
    let counts = |of: &[&Verdict], samples: usize| {
        format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\"",
            of.len() + samples,
            count(of, Status::Failed),
            count(of, Status::NotJudged)
        )
    };
    let of_samples = by_model.values().map(|(_, samples)| samples.len()).sum();
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    out += &format!(
        "<testsuites name=\"stt-eval\" {}>\n",
        counts(&all, of_samples)
    );
    for (model, (of, samples)) in by_model {
        let class = format!("stt-eval.{}", escaped(model));
        let counts = counts(&of, samples.len());
        out += &format!("  <testsuite name=\"{class}\" {counts}>\n");
        out.extend(of.into_iter().map(|verdict| condition(&class, verdict)));
        out.extend(samples);
        out += "  </testsuite>\n";
    }
    out += "</testsuites>\n";
    out
}

#[cfg(test)]
mod tests {
    use stt_eval_formats::{Format, Pairs};

    use super::*;

    #[test]
    fn hostile_names_stay_text() {
        let verdict = Verdict {
            condition: "wer>0.1".to_owned(),
            model: "a<b>\u{1}&\"".to_owned(),
            group: None,
            status: Status::Failed,
            value: Some(0.2),
            low: None,
            high: None,
            p: None,
            smallest_visible: None,
            message: "]]> <x>".to_owned(),
        };
        let scored = Scored {
            pairs: Pairs {
                references: Format::Lines,
                hypotheses: Format::Lines,
                systems: Vec::new(),
                samples: Vec::new(),
                heard: Vec::new(),
                missing: Vec::new(),
                remarks: Vec::new(),
            },
            systems: Vec::new(),
        };
        let xml = xml(&[verdict], &scored, None);
        assert!(
            xml.contains("classname=\"stt-eval.a&lt;b&gt;\u{fffd}&amp;&quot;\""),
            "{xml}"
        );
        assert!(xml.contains(">]]&gt; &lt;x&gt;</failure>"), "{xml}");
        assert!(
            xml.contains("tests=\"1\" failures=\"1\" errors=\"0\""),
            "{xml}"
        );
    }
}
