//! Where the recording of a row is.

use super::files::{Files, parent};
use super::finding::FindingKind;
use super::manifest::Row;
use super::paths::{Resolved, Resolver, Rule};

/// A recording, and the rule by which it was found.
pub(crate) type Place = (String, Rule);
/// What is wrong with one.
pub(crate) type Wrong = (FindingKind, String);

/// Where a row's recording is, and what is wrong with it.
pub(crate) fn place(
    row: &Row,
    files: &dyn Files,
    resolver: &Resolver<'_>,
    allow_outside: bool,
) -> (Option<Place>, Option<Wrong>) {
    if let Some(reason) = &row.refused {
        return (None, Some((FindingKind::RefusedAudio, reason.to_string())));
    }
    let Some(written) = row.audio.as_deref() else {
        let message = match row.is_text_alone {
            true => "no recording is called so",
            false => "the row names no recording",
        };
        return (None, Some((FindingKind::MissingAudio, message.to_owned())));
    };
    if row.is_embedded {
        return (Some((written.to_owned(), Rule::Embedded)), None);
    }
    match resolver.resolve(written, parent(&row.file), files, allow_outside) {
        Resolved::Found(name, rule) => (Some((name, rule)), None),
        Resolved::Outside => {
            let message = format!("{written} lies outside of the folder (--allow-outside)");
            (None, Some((FindingKind::OutsideFolder, message)))
        }
        Resolved::Several(count) => {
            let message = format!("{written}: {count} files are called so");
            (None, Some((FindingKind::MissingAudio, message)))
        }
        Resolved::Missing => {
            let is_url = ["http://", "https://", "s3://", "gs://"]
                .iter()
                .any(|scheme| written.starts_with(scheme));
            let message = match is_url {
                true => format!("{written} is on a network, from which nothing is fetched"),
                false => format!("{written} is not there"),
            };
            (None, Some((FindingKind::MissingAudio, message)))
        }
    }
}
