//! Which clips of a run results are asked for of, by what their samples say.

use stt_eval_shared::App;
use stt_eval_shared::domain::run::Run;

use crate::refusal::Refusal;

/// Whether a language is the one that is asked for, or a kind of it: `hi-IN` is of `hi`.
fn is_of(language: &str, wanted: &str) -> bool {
    let language = language.to_ascii_lowercase();
    let rest = language.strip_prefix(&wanted.to_ascii_lowercase());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// The clips in a language and with these values of free fields, by position; `None` where
/// nothing is asked for. Samples are read only where something is.
///
/// # Errors
/// When samples can't be read.
pub async fn clips(
    app: &App,
    run: &Run,
    (language, fields): (Option<&str>, &[(String, String)]),
) -> Result<Option<Vec<bool>>, Refusal> {
    if language.is_none() && fields.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let count = run.sample_count;
    let facts = app
        .store
        .sample_facts(&run.project, run.dataset, count, &names)
        .await?;
    let mut clips = vec![false; usize::try_from(count).unwrap_or_default()];
    for fact in facts {
        let says = |(name, value): &(String, String)| fact.metadata.get(name) == Some(value);
        let is_meant = language.is_none_or(|wanted| is_of(&fact.language, wanted));
        if let Some(clip) = clips.get_mut(usize::from(fact.id.position())) {
            *clip = is_meant && fields.iter().all(says);
        }
    }
    Ok(Some(clips))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_has_kinds() {
        for (language, wanted, is) in [
            ("hi", "hi", true),
            ("hi-IN", "HI", true),
            ("hi", "hi-IN", false),
            ("hil", "hi", false),
            ("en-IN", "hi", false),
        ] {
            assert_eq!(is_of(language, wanted), is, "{language} {wanted}");
        }
    }
}
