//! Lists of transcripts against the clips of their dataset.

use bytes::Bytes;
use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::ProjectId;
use stt_eval_shared::domain::imported::{self, BLOCK, ClipRef, Imported, Transcript};
use stt_eval_shared::domain::result::MAX_TEXT_BYTES;
use stt_eval_shared::domain::run::RunModel;
use stt_eval_shared::domain::validate::{Errors, FieldError};
use stt_eval_shared::store::samples::Clip;
use stt_eval_shared::wire::transcripts::NewTranscript;

use super::clips::{Clips, NotOne};
use super::manifest;
use super::request::{List, Source};
use crate::refusal::{Refusal, finish};
use crate::services::named::in_body;

/// A list of transcripts that passed every check.
pub struct CheckedTranscripts {
    /// What is put before the names of its fields.
    pub at: String,
    /// Name of the model.
    pub name: String,
    /// What the run keeps of it.
    pub imported: Imported,
    /// The blocks of the whole dataset, in order; one without a transcript is empty.
    pub blocks: Vec<Bytes>,
}

impl CheckedTranscripts {
    /// The model that it becomes.
    #[must_use]
    pub fn model(&self) -> RunModel {
        RunModel::of_transcripts(&self.name, self.imported.clone())
    }
}

/// One transcript and its place in the request.
struct Placed {
    /// `transcripts[0].items[3]`, or the like of a line.
    place: String,
    /// The field that names its clip.
    clip_field: String,
    /// The field of its text.
    text_field: String,
    clip: ClipRef,
    text: String,
    error: Option<String>,
    latency_ms: Option<u32>,
    cost_micro_usd: Option<u64>,
}

/// Reads lists of transcripts of some clips: all of a dataset.
///
/// # Errors
/// All that is wrong in them, by field.
pub async fn read(
    app: &App,
    project: &ProjectId,
    lists: Vec<List>,
    clips: &[Clip],
) -> Result<Vec<CheckedTranscripts>, Refusal> {
    let mut errors = Errors::new();
    let known = Clips::of(clips);
    let (mut checked, mut bytes) = (Vec::with_capacity(lists.len()), 0);
    let (mut unknown, mut others, mut of_another) = (0, false, 0);
    for list in lists {
        let List {
            at, name, source, ..
        } = list;
        let placed: Vec<Placed> = match source {
            Source::Items(items) => {
                let items = items.into_iter().enumerate();
                let placed = items.filter_map(|(index, item)| {
                    let place = format!("{at}items[{index}]");
                    self::item(place, item.0, &mut errors)
                });
                placed.collect()
            }
            Source::Manifest(id) => {
                let rows =
                    manifest::rows(app, project, (&at, &name), id, &mut bytes, &mut errors).await?;
                let rows = rows.into_iter();
                rows.map(|row| self::row(&at, row)).collect()
            }
        };
        let given = placed.len();
        others |= !errors.is_empty() && unknown == 0;
        let found = by_position(placed, &known, clips.len(), list.leaves_out, &mut errors);
        let ByPosition { texts, .. } = found;
        unknown += found.unknown;
        // Such a list would be a model that has said nothing of any clip.
        let is_none = given > 0 && texts.iter().all(Option::is_none);
        if is_none && list.leaves_out {
            errors.push(format!("{at}items"), "none is of a clip of the dataset");
        }
        if is_none && !found.is_wrong {
            of_another += given;
        }
        others |= found.is_wrong || is_none;
        let (imported, blocks) = blocks(texts)?;
        checked.push(CheckedTranscripts {
            at,
            name,
            imported,
            blocks,
        });
    }
    finish(errors).map_err(|refusal| Refusal {
        // Where nothing else is wrong with them.
        could_leave_out: if others { 0 } else { unknown },
        of_another,
        ..refusal
    })?;
    Ok(checked)
}

fn row(at: &str, row: imported::Row) -> Placed {
    let place = format!("{at}manifest_file_id: line {}", row.line);
    Placed {
        clip_field: format!("{place}: {}", row.column),
        text_field: format!("{place}: hypothesis"),
        place,
        clip: row.clip,
        text: row.text,
        error: row.error,
        latency_ms: row.latency_ms,
        cost_micro_usd: row.cost_micro_usd,
    }
}

fn item(place: String, item: NewTranscript, errors: &mut Errors) -> Option<Placed> {
    let field = |name: &str| format!("{place}.{name}");
    let (clip, named_by) = match (&item.sample_id, &item.file_id, &item.filename) {
        (Some(id), None, None) => {
            let id = errors.keep(in_body(&field("sample_id"), id));
            (id.map(ClipRef::Sample), "sample_id")
        }
        (None, Some(id), None) => {
            let id = errors.keep(in_body(&field("file_id"), id));
            (id.map(ClipRef::File), "file_id")
        }
        (None, None, Some(name)) => (Some(ClipRef::Name(name.clone())), "filename"),
        _ => {
            errors.push(&*place, "give one of sample_id, file_id and filename");
            (None, "")
        }
    };
    let text_field = field("text");
    let (text, error) = match (&item.text, &item.error) {
        (Some(text), None) => (errors.keep(imported::text(&text_field, text)), None),
        (None, Some(reason)) => {
            let reason = errors.keep(imported::error(&field("error"), reason));
            (reason.is_some().then(String::new), reason)
        }
        _ => {
            errors.push(
                &*text_field,
                "give one of text and error; \"\" for nothing heard",
            );
            (None, None)
        }
    };
    let latency_ms = match item.latency_ms {
        None => Some(None),
        Some(given) => errors
            .keep(imported::latency_ms(&field("latency_ms"), given))
            .map(Some),
    };
    let cost_micro_usd = match item.cost_usd {
        None => Some(None),
        Some(given) => errors
            .keep(imported::cost_micro_usd(&field("cost_usd"), given))
            .map(Some),
    };
    Some(Placed {
        clip_field: field(named_by),
        text_field,
        clip: clip?,
        text: text?,
        error,
        latency_ms: latency_ms?,
        cost_micro_usd: cost_micro_usd?,
        place,
    })
}

/// Transcripts of a list.
struct ByPosition {
    /// By the position of their clip.
    texts: Vec<Option<Transcript>>,
    /// How many are of clips that the dataset does not have.
    unknown: usize,
    /// Whether something else is wrong.
    is_wrong: bool,
}

/// Transcripts by the position of their clip; none of a clip twice.
fn by_position(
    placed: Vec<Placed>,
    known: &Clips<'_>,
    clips: usize,
    leaves_out: bool,
    errors: &mut Errors,
) -> ByPosition {
    let mut texts: Vec<Option<Transcript>> = vec![None; clips];
    let mut places: Vec<Option<String>> = vec![None; clips];
    let (mut unknown, mut is_wrong) = (0, false);
    for one in placed {
        let clip = match known.find(&one.clip) {
            Ok(clip) => clip,
            Err(NotOne::Unknown(_)) if leaves_out => continue,
            Err(why) => {
                unknown += usize::from(matches!(why, NotOne::Unknown(_)));
                is_wrong |= why == NotOne::Several;
                errors.push(one.clip_field, why.message());
                continue;
            }
        };
        if let Err(error) = fits(&one, clip) {
            is_wrong = true;
            errors.push(error.field, error.message);
            continue;
        }
        let position = clip.id.position();
        let at = usize::from(position);
        let (Some(text), Some(place)) = (texts.get_mut(at), places.get_mut(at)) else {
            continue;
        };
        if let Some(first) = place {
            is_wrong = true;
            errors.push(one.clip_field, format!("is the same clip as in {first}"));
            continue;
        }
        *place = Some(one.place);
        *text = Some(Transcript {
            position,
            text: one.text,
            error: one.error,
            latency_ms: one.latency_ms,
            cost_micro_usd: one.cost_micro_usd,
        });
    }
    ByPosition {
        texts,
        unknown,
        is_wrong,
    }
}

/// Whether a text can be kept beside the reference of its clip.
fn fits(one: &Placed, clip: &Clip) -> Result<(), FieldError> {
    let bytes = one.text.len() + clip.reference_bytes;
    if bytes <= MAX_TEXT_BYTES {
        return Ok(());
    }
    let message =
        format!("with its reference it has {bytes} bytes; at most {MAX_TEXT_BYTES} can be kept");
    Err(FieldError::new(&*one.text_field, message))
}

/// Blocks of all positions, and what the run keeps of them.
fn blocks(texts: Vec<Option<Transcript>>) -> Result<(Imported, Vec<Bytes>), Refusal> {
    let (mut blocks, mut digests, mut transcripts) = (Vec::new(), String::new(), 0);
    for block in texts.chunks(usize::from(BLOCK)) {
        let mut lines = Vec::new();
        for transcript in block.iter().flatten() {
            serde_json::to_writer(&mut lines, transcript)
                .map_err(|e| Refusal::internal(format!("a transcript can't be written: {e}")))?;
            lines.push(b'\n');
            transcripts += 1;
        }
        digests.push_str(&sha256_hex(&lines));
        blocks.push(Bytes::from(lines));
    }
    let imported = Imported {
        digest: sha256_hex(digests.as_bytes()),
        transcripts,
    };
    Ok((imported, blocks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[Option<&str>]) -> Vec<Option<Transcript>> {
        let transcript = |(position, text): (u16, &Option<&str>)| {
            text.map(|text| Transcript {
                position,
                text: text.to_owned(),
                error: None,
                latency_ms: None,
                cost_micro_usd: None,
            })
        };
        (0..).zip(texts).map(transcript).collect()
    }

    #[test]
    fn a_digest_is_of_what_is_said_and_where() {
        let digest = |given: &[Option<&str>]| blocks(texts(given)).unwrap().0.digest;
        let first = digest(&[Some("a"), None, Some("")]);
        assert_eq!(first, digest(&[Some("a"), None, Some("")]));
        for other in [
            &[Some("a"), Some(""), None][..],
            &[Some("a"), None, None],
            &[Some("b"), None, Some("")],
        ] {
            assert_ne!(first, digest(other));
        }
        let (imported, all) = blocks(texts(&[Some("x"); 250])).unwrap();
        assert_eq!((imported.transcripts, all.len()), (250, 3));
        let lines = all
            .iter()
            .map(|b| b.iter().filter(|c| **c == b'\n').count());
        assert_eq!(lines.collect::<Vec<_>>(), [100, 100, 50]);
    }
}
