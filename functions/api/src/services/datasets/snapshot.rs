//! The table of a dataset's samples that is kept beside the audio.

use std::collections::BTreeSet;

use bytes::Bytes;
use stt_eval_shared::domain::dataset::Sample;

use crate::refusal::Refusal;

/// A cell that a spreadsheet shows and never runs.
fn safe(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// Samples as CSV: their own columns, then one for each metadata field.
pub fn csv(samples: &[Sample]) -> Result<Bytes, Refusal> {
    let failed =
        |error: csv::Error| Refusal::internal(format!("a snapshot can't be written: {error}"));
    let fields: BTreeSet<&str> = samples
        .iter()
        .flat_map(|sample| sample.metadata.keys().map(String::as_str))
        .collect();
    let mut table = csv::Writer::from_writer(Vec::new());
    let own = [
        "sample_id",
        "file_id",
        "filename",
        "language",
        "duration_seconds",
        "ground_truth",
    ];
    let header = own.iter().map(|name| (*name).to_owned());
    table
        .write_record(header.chain(fields.iter().map(|name| safe(&format!("metadata.{name}")))))
        .map_err(failed)?;
    for sample in samples {
        let own = [
            sample.id.to_string(),
            sample.file_id.to_string(),
            safe(&sample.filename),
            sample.language.clone(),
            sample.duration_seconds.to_string(),
            safe(sample.ground_truth.as_deref().unwrap_or_default()),
        ];
        let metadata = fields.iter().map(|name| {
            safe(
                sample
                    .metadata
                    .get(*name)
                    .map(String::as_str)
                    .unwrap_or_default(),
            )
        });
        table
            .write_record(own.into_iter().chain(metadata))
            .map_err(failed)?;
    }
    let bytes = table
        .into_inner()
        .map_err(|error| Refusal::internal(format!("a snapshot can't be written: {error}")))?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_stay_text() {
        for cell in ["=1+1", "+1", "-1", "@x", "\tx", "\rx"] {
            assert_eq!(safe(cell), format!("'{cell}"));
        }
        assert_eq!(safe("a=1"), "a=1");
        assert_eq!(safe(""), "");
    }
}
