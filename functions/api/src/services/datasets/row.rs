//! A row of a table as a clip.

use stt_eval_formats::Sample;
use stt_eval_shared::domain::FileId;
use stt_eval_shared::domain::dataset::{MAX_METADATA_FIELDS, Metadata};
use stt_eval_shared::domain::file::File;
use stt_eval_shared::domain::validate::{self, Errors};

use super::draft::{Draft, language_tag, reference, size};

/// Whether a row is about a part of its recording.
fn is_piece(sample: &Sample, file: Option<&File>) -> bool {
    let whole = file
        .and_then(|file| file.audio.as_ref())
        .map(|audio| audio.duration_seconds);
    let ends_early = |end: f64| whole.is_some_and(|whole| end + 0.5 < whole);
    sample
        .start
        .is_some_and(|start| start > 0.0 || sample.end.is_some_and(ends_early))
}

/// The clip of a row.
///
/// # Errors
/// What is against it, in words that go behind its line.
pub(super) fn draft(
    sample: &Sample,
    file: FileId,
    record: Option<&File>,
    language: &str,
) -> Result<Draft, String> {
    if is_piece(sample, record) {
        return Err(
            "is a piece of a longer recording, which is not cut here; the command line \
                    cuts it"
                .to_owned(),
        );
    }
    let place = format!("line {}", sample.line);
    let mut errors = Errors::new();
    let ground_truth = sample
        .ground_truth()
        .and_then(|text| errors.keep(reference("the text", text)));
    let tag = sample.language.as_deref().unwrap_or(language);
    let tag = errors.keep(language_tag(&format!("the language “{tag}”:"), tag));
    let fields = sample.metadata.iter();
    let mut metadata: Metadata = fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if let Some(speaker) = &sample.speaker {
        metadata.insert("speaker".to_owned(), speaker.clone());
    }
    for (name, value) in &metadata {
        errors.keep(validate::name("the name of a column", name));
        if value.contains('\0') {
            errors.push(name.as_str(), "must not contain U+0000");
        }
    }
    if metadata.len() > MAX_METADATA_FIELDS {
        let count = metadata.len();
        errors.push(
            "the columns",
            format!("besides file and text are {count}; at most {MAX_METADATA_FIELDS} are kept"),
        );
    }
    errors.keep(size("the row", ground_truth.as_deref(), &metadata));
    if let Err(found) = errors.finish() {
        let found = found
            .iter()
            .map(|error| format!("{} {}", error.field, error.message));
        return Err(found.collect::<Vec<_>>().join("; "));
    }
    Ok(Draft {
        file_field: format!("{place}: file"),
        place,
        file,
        ground_truth,
        language: tag.unwrap_or_else(|| language.to_owned()),
        metadata,
    })
}
