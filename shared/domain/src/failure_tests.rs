//! The table against the sources that write codes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tests" {
                sources(&path, found);
            }
        } else if name.ends_with(".rs") && !name.contains("tests") && !name.contains("language") {
            found.push(path);
        }
    }
}

/// A source without its tests, comments and blanks.
fn dense(source: &str) -> String {
    let product = source.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = product
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(str::split_whitespace).collect()
}

#[test]
fn codes_are_written_by_the_table_alone_and_each_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let mut files = Vec::new();
    for folder in [
        "shared/domain/src",
        "shared/src",
        "functions/poll/src",
        "functions/submit/src",
        "infra/local/src",
    ] {
        sources(&root.join(folder), &mut files);
    }
    assert!(files.len() > 80, "{}", files.len());
    let mut used: BTreeSet<FailureCode> = FailureCode::EARLIER.iter().copied().collect();
    for file in files.iter().filter(|file| {
        !file.ends_with("failure.rs") || file.to_string_lossy().contains("functions")
    }) {
        let source = dense(&std::fs::read_to_string(file).unwrap());
        for code in FailureCode::ALL {
            let literal = format!("\"{code}\"");
            assert!(
                !source.contains(&literal),
                "{literal} in {}",
                file.display()
            );
            if source.contains(&format!("FailureCode::{code:?}")) {
                used.insert(*code);
            }
        }
    }
    let all: BTreeSet<FailureCode> = FailureCode::ALL.iter().copied().collect();
    let unused: Vec<&FailureCode> = all.difference(&used).collect();
    assert!(
        unused.is_empty(),
        "in the table, but never written: {unused:?}"
    );
    let texts: BTreeSet<&str> = all.iter().map(|code| code.as_str()).collect();
    assert_eq!(texts.len(), all.len(), "two codes have one text");
    let is_code = |text: &&str| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    assert!(texts.iter().all(is_code));
}

/// What is stored and told under these codes since release 0.1.0.
#[test]
fn codes_are_what_they_were() {
    let stored = [
        "blocked_blocklist",
        "blocked_jailbreak",
        "blocked_model_armor",
        "blocked_other",
        "blocked_prohibited_content",
        "blocked_recitation",
        "blocked_safety",
        "blocked_spii",
        "empty_output",
        "incomplete_output",
        "malformed_output",
        "max_tokens",
        "provider_malformed",
        "missing_transcript",
        "unsupported_language",
        "output_too_long",
        "input_unavailable",
        "provider_cancelled",
        "provider_error",
        "provider_missing",
        "provider_quota",
        "provider_rejected",
        "provider_unauthorized",
        "transcript_failed",
        "unsupported_by_model",
        "provider_expired",
        "provider_failed",
        "provider_lost",
        "provider_model_unavailable",
        "provider_no_output",
        "error_in_answer",
        "recogniser_failed",
        "address_refused",
        "provider_redirected",
        "provider_refused",
        "provider_timeout",
        "cost_cap_reached",
        "submission_unknown",
        "outcome_unknown",
        "answer_unusable",
        "credentials_refused",
        "model_unavailable",
        "no_credentials",
        "own_model_gone",
        "provider_out_of_credit",
        "nothing_to_send",
        "sample_missing",
        "audio_unreadable",
        "provider_refused_audio",
        "unsupported_audio",
    ];
    for (code, text) in FailureCode::ALL.iter().zip(stored) {
        assert_eq!(code.as_str(), text);
        assert_eq!(FailureCode::of(text), Some(*code));
        assert!(code.is(text) && !code.message().is_empty());
        assert_eq!(code.metric() == "blocked", text.starts_with("blocked_"));
    }
    assert_eq!(FailureCode::ALL.len(), stored.len());
    assert_eq!(FailureCode::of("a_code_of_a_later_release"), None);
}

#[test]
fn whose_is_said_of_every_code_and_an_unknown_one_blames_no_model() {
    for code in FailureCode::ALL {
        let by = match code.whose() {
            Whose::Model => FailedBy::Model,
            _ => FailedBy::Service,
        };
        assert_eq!(failed_by(code.as_str()), by);
    }
    for unknown in ["", "other", "retried_since", "a_code_of_a_later_release"] {
        assert_eq!(failed_by(unknown), FailedBy::Service, "{unknown}");
    }
    for blamed in [
        "blocked_safety",
        "max_tokens",
        "empty_output",
        "malformed_output",
    ] {
        assert_eq!(failed_by(blamed), FailedBy::Model, "{blamed}");
    }
}
