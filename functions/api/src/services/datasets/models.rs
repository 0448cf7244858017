//! What models of the catalogue can't take of a dataset to be: told before it is saved, as
//! no run can help it afterwards.

use std::collections::BTreeMap;

use stt_eval_shared::domain::file::File;
use stt_eval_shared::providers::{Model, Unsupported};

/// Recordings that a model can't take, for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Refused<'a> {
    why: Unsupported,
    count: usize,
    first: &'a str,
}

/// One sentence for each reason, with all models that have it of the same recordings.
pub(super) fn not_taken<'a>(
    files: impl Iterator<Item = &'a File> + Clone,
    models: impl Iterator<Item = &'static Model>,
) -> Vec<String> {
    let mut all: BTreeMap<Refused<'a>, Vec<&str>> = BTreeMap::new();
    for model in models {
        let mut reasons: BTreeMap<Unsupported, (usize, &str)> = BTreeMap::new();
        for file in files.clone() {
            let seconds = file
                .audio
                .as_ref()
                .map_or(0.0, |audio| audio.duration_seconds);
            let taken = model.takes_audio(file.media_type(), file.size_bytes, seconds);
            if let Err(why) = taken {
                let reason = reasons.entry(why).or_insert((0, &file.filename));
                reason.0 += 1;
            }
        }
        for (why, (count, first)) in reasons {
            let refused = Refused { why, count, first };
            all.entry(refused).or_default().push(model.display_name);
        }
    }
    let sentences = all.into_iter().map(|(refused, models)| {
        let Refused { why, count, first } = refused;
        let more = match count - 1 {
            0 => String::new(),
            1 => " and 1 more".to_owned(),
            more => format!(" and {more} more"),
        };
        format!("{first}{more}: {why} ({})", models.join(", "))
    });
    sentences.collect()
}
