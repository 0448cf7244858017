//! Which sample of a dataset that is run as it is has the recording of a clip.
//!
//! Names of recordings tell nothing: folders have the same ones, and another set may.

use std::collections::{HashMap, HashSet, VecDeque};

use futures::{StreamExt, TryStreamExt, stream};
use stt_eval_domain::{DatasetId, FileId, validate};
use stt_eval_formats::counted;
use stt_eval_wire::datasets::Sample;
use stt_eval_wire::files::File;
use stt_eval_wire::paths;

use super::make::Making;
use super::plan::Clip;
use super::samples;
use super::upload::ASKED_AT_ONCE;
use crate::deployment::Request;
use crate::failure::{Exit, Failure};

/// A sample of the dataset, or a clip that looks for one.
struct Known {
    /// SHA-256 of its recording, hex.
    sha256: Option<String>,
    size: u64,
    filename: String,
    utterance: Option<String>,
    text: Option<String>,
}

impl Known {
    fn of_clip(clip: &Clip) -> Self {
        let name = &clip.upload.filename;
        Self {
            sha256: Some(clip.upload.sha256.clone()),
            size: clip.upload.size,
            // As the deployment keeps it.
            filename: validate::name("filename", name).unwrap_or_else(|_| name.clone()),
            utterance: clip.said.metadata.get("utterance").cloned(),
            text: clip.said.ground_truth.clone(),
        }
    }

    fn key(&self, by: By) -> Option<Key<'_>> {
        let text = by.text.then_some(self.text.as_deref());
        let utterance = by.utterance.then_some(self.utterance.as_deref());
        let filename = by.filename.then_some(self.filename.as_str());
        let sha256 = self.sha256.as_deref()?;
        Some((sha256, text, utterance, filename))
    }
}

type Key<'a> = (
    &'a str,
    Option<Option<&'a str>>,
    Option<Option<&'a str>>,
    Option<&'a str>,
);

/// What is the same beside the recording.
#[derive(Clone, Copy)]
struct By {
    text: bool,
    utterance: bool,
    filename: bool,
}

/// The same recording may be there several times: what is most alike goes together first, and
/// the last of them in their order.
const WAYS: [By; 5] = [
    by(true, true, true),
    by(true, true, false),
    by(true, false, false),
    by(false, true, false),
    by(false, false, false),
];

const fn by(text: bool, utterance: bool, filename: bool) -> By {
    By {
        text,
        utterance,
        filename,
    }
}

/// The place of each clip's sample.
fn places(clips: &[Known], there: &[Known]) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; clips.len()];
    let mut taken = vec![false; there.len()];
    for by in WAYS {
        let mut free: HashMap<Key<'_>, VecDeque<usize>> = HashMap::new();
        for (at, sample) in there.iter().enumerate().filter(|(at, _)| !taken[*at]) {
            if let Some(key) = sample.key(by) {
                free.entry(key).or_default().push_back(at);
            }
        }
        for (clip, found) in clips.iter().zip(&mut found) {
            if found.is_some() {
                continue;
            }
            *found = clip
                .key(by)
                .and_then(|key| free.get_mut(&key)?.pop_front())
                .inspect(|at| taken[*at] = true);
        }
    }
    without_checksum(clips, there, &mut found);
    found
}

/// Of files whose checksum a deployment does not tell, by name, utterance and length, where only
/// one clip and one sample have these.
fn without_checksum(clips: &[Known], there: &[Known], found: &mut [Option<usize>]) {
    fn key(one: &Known) -> (&str, Option<&str>, u64) {
        (&one.filename, one.utterance.as_deref(), one.size)
    }
    let mut unknown: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, sample) in there.iter().enumerate() {
        if sample.sha256.is_none() {
            unknown.entry(key(sample)).or_default().push(at);
        }
    }
    let mut asked: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, clip) in clips
        .iter()
        .enumerate()
        .filter(|(at, _)| found[*at].is_none())
    {
        asked.entry(key(clip)).or_default().push(at);
    }
    for (key, clips) in asked {
        if let ([clip], Some([sample])) = (&clips[..], unknown.get(&key).map(Vec::as_slice)) {
            found[*clip] = Some(*sample);
        }
    }
}

/// Files of one page of the list.
const PAGE: usize = 100;
/// Files that a page must save questions about: the list is of the whole project.
const WORTH_A_PAGE: usize = 20;

/// Of these files those that the list of all tells, in few requests: no more than a part of what
/// single questions would be.
async fn listed(
    making: &Making<'_>,
    ids: &HashSet<FileId>,
) -> Result<HashMap<FileId, File>, Failure> {
    let mut found = HashMap::new();
    let mut cursor: Option<String> = None;
    for _ in 0..ids.len() / WORTH_A_PAGE {
        let request = Request::get(paths::files())
            .with("limit", PAGE)
            .with_some("cursor", cursor);
        let (page, next) = making.to.page::<File>(&request).await?;
        let wanted = page.into_iter().filter(|file| ids.contains(&file.id));
        found.extend(wanted.map(|file| (file.id, file)));
        cursor = next.map(|next| next.to_string());
        if cursor.is_none() || found.len() == ids.len() {
            break;
        }
    }
    Ok(found)
}

/// The files of recordings.
async fn files(
    making: &Making<'_>,
    ids: &HashSet<FileId>,
) -> Result<HashMap<FileId, File>, Failure> {
    let mut found = listed(making, ids).await?;
    let others = ids.iter().filter(|id| !found.contains_key(*id));
    let asked = others.map(|id| async move {
        match making.to.ask::<File>(&Request::get(paths::file(*id))).await {
            Ok(file) => Ok(Some((*id, file))),
            Err(failure) if failure.code == "not_found" => Ok(None),
            Err(failure) => Err(failure),
        }
    });
    let asked: Vec<_> = asked.collect();
    let told: Vec<Option<(FileId, File)>> = stream::iter(asked)
        .buffer_unordered(ASKED_AT_ONCE)
        .try_collect()
        .await?;
    found.extend(told.into_iter().flatten());
    Ok(found)
}

/// The sample of each clip, in a dataset that has other content.
///
/// # Errors
/// The recordings are others; what is refused, or can't be reached.
pub async fn samples_of(
    making: &Making<'_>,
    dataset: DatasetId,
) -> Result<Vec<Option<String>>, Failure> {
    let mut all: Vec<Sample> = Vec::new();
    samples::each(making.to, dataset, |sample| all.push(sample)).await?;
    let ids = all.iter().map(|sample| sample.file_id).collect();
    let files = files(making, &ids).await?;
    let there: Vec<Known> = all
        .iter()
        .map(|sample| {
            let file = files.get(&sample.file_id);
            Known {
                sha256: file.and_then(|file| file.checksum_sha256.clone()),
                size: file.map_or(0, |file| file.size_bytes),
                filename: sample.filename.clone(),
                utterance: samples::field(sample, "utterance"),
                text: sample.ground_truth.clone(),
            }
        })
        .collect();
    let clips: Vec<Known> = making.plan.clips.iter().map(Known::of_clip).collect();
    let found = places(&clips, &there);
    are_there(making, &clips, &there, &found)?;
    let id = |at: usize| all.get(at).map(|sample| sample.id.to_string());
    Ok(found.into_iter().map(|at| id(at?)).collect())
}

/// Refuses recordings that are others than those of the dataset, and tells of those that it
/// does not have beside.
fn are_there(
    making: &Making<'_>,
    clips: &[Known],
    there: &[Known],
    found: &[Option<usize>],
) -> Result<(), Failure> {
    let heard = making.plan.clips.iter();
    let heard = heard.map(|clip| !(clip.heard.is_empty() && clip.failed.is_empty()));
    let heard = heard.zip(clips).zip(found).filter(|((heard, _), _)| *heard);
    let heard: Vec<(&Known, Option<usize>)> =
        heard.map(|((_, clip), found)| (clip, *found)).collect();
    let missing: Vec<&Known> = heard
        .iter()
        .filter(|(_, found)| found.is_none())
        .map(|(clip, _)| *clip)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    // A recording of the same name that no clip has is one that was changed.
    let taken: HashSet<usize> = found.iter().flatten().copied().collect();
    let free = there
        .iter()
        .enumerate()
        .filter(|(at, _)| !taken.contains(at));
    let names: HashSet<&str> = free.map(|(_, sample)| sample.filename.as_str()).collect();
    let is_changed = missing
        .iter()
        .any(|clip| names.contains(clip.filename.as_str()));
    if !is_changed && missing.len() < heard.len() {
        making.output.remark(&format!(
            "transcripts of {} are left out: the dataset does not have them",
            counted(missing.len(), "utterance", "utterances")
        ));
        return Ok(());
    }
    let same_names = match is_changed {
        true => ", which has other audio by the same names",
        false => "",
    };
    let message = format!(
        "{} of {} with a transcript are not in the dataset “{}”{same_names}",
        missing.len(),
        counted(heard.len(), "recording", "recordings"),
        making.name()
    );
    Err(Failure::new(Exit::Findings, "other_audio", message)
        .hint("without --reuse, and by another --name, they are a dataset of their own"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(sha256: &str, filename: &str, utterance: &str, text: &str) -> Known {
        Known {
            sha256: (!sha256.is_empty()).then(|| sha256.to_owned()),
            size: 100,
            filename: filename.to_owned(),
            utterance: Some(utterance.to_owned()),
            text: Some(text.to_owned()),
        }
    }

    #[test]
    fn recordings_that_are_alike_are_told_apart_by_what_is_most_alike() {
        let there = [
            known("s", "0.wav", "0", "one"),
            known("s", "0.wav", "0", "two"),
            known("s", "1.wav", "1", "one"),
            known("other", "2.wav", "2", "one"),
        ];
        let clips = [
            known("s", "x.wav", "x", "new"),
            known("s", "1.wav", "1", "changed"),
            known("s", "y.wav", "y", "two"),
            known("none", "2.wav", "2", "one"),
            known("s", "z.wav", "z", "new"),
        ];
        let wanted = [Some(0), Some(2), Some(1), None, None];
        assert_eq!(places(&clips, &there), wanted);
    }

    #[test]
    fn without_a_checksum_only_what_is_there_once_is_taken() {
        let there = [
            known("", "0.wav", "0", "one"),
            known("", "1.wav", "1", "one"),
            known("", "1.wav", "1", "two"),
            known("", "2.wav", "2", "one"),
        ];
        let mut clips = [
            known("a", "0.wav", "0", "one"),
            known("b", "1.wav", "1", "one"),
            known("c", "2.wav", "2", "one"),
        ];
        clips[2].size = 101;
        assert_eq!(places(&clips, &there), [Some(0), None, None]);
    }
}
