//! XML of `JUnit` in Jenkins' shape: one case for each condition and system. There is no
//! `time`, which may be left out: to judge a condition takes none.

use std::collections::BTreeMap;

use super::verdict::{Status, Verdict};

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

/// The document.
pub fn xml(verdicts: &[Verdict]) -> String {
    let all: Vec<&Verdict> = verdicts.iter().collect();
    let mut by_model: BTreeMap<&str, Vec<&Verdict>> = BTreeMap::new();
    for verdict in verdicts {
        by_model.entry(&verdict.model).or_default().push(verdict);
    }
    let counts = |of: &[&Verdict]| {
        format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\"",
            of.len(),
            count(of, Status::Failed),
            count(of, Status::NotJudged)
        )
    };
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    out += &format!("<testsuites name=\"stt-eval\" {}>\n", counts(&all));
    for (model, of) in by_model {
        let class = format!("stt-eval.{}", escaped(model));
        out += &format!("  <testsuite name=\"{class}\" {}>\n", counts(&of));
        for verdict in of {
            let name = match &verdict.group {
                Some(group) => format!("{} ({group})", verdict.condition),
                None => verdict.condition.clone(),
            };
            out += &format!(
                "    <testcase classname=\"{class}\" name=\"{}\"",
                escaped(&name)
            );
            let message = escaped(&verdict.message);
            let kind = match verdict.status {
                Status::Passed => {
                    out += "/>\n";
                    continue;
                }
                Status::Failed => ("failure", "gate"),
                Status::NotJudged => ("error", "not judged"),
            };
            // GitLab shows the body, others the attribute.
            out += &format!(
                ">\n      <{0} message=\"{message}\" type=\"{1}\">{message}</{0}>\n    </testcase>\n",
                kind.0, kind.1
            );
        }
        out += "  </testsuite>\n";
    }
    out += "</testsuites>\n";
    out
}

#[cfg(test)]
mod tests {
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
        let xml = xml(&[verdict]);
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
