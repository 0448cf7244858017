//! What a source becomes: clips to be uploaded, and what is said in them.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;
use stt_eval_domain::dataset::{MAX_GROUND_TRUTH_CHARS, MAX_SAMPLE_BYTES, MAX_SAMPLES};
use stt_eval_domain::file::MAX_MANIFEST_BYTES;
use stt_eval_domain::validate;
use stt_eval_formats::Fields;

use super::imported::{self, Imported};
use crate::arguments::{Keywords, RunArguments};
use crate::check::Looked;
use crate::failure::{Exit, Failure};
use crate::fields::{self, shown};
use crate::gate::{self, Condition};
use crate::journal::digest;
use crate::pieces::{Pieces, is_piece};
use crate::probe;

/// A file to be uploaded.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Where its bytes are.
    pub bytes: Bytes,
    /// What it is called there.
    pub filename: String,
    /// Its type.
    pub content_type: &'static str,
    /// Its length.
    pub size: u64,
    /// SHA-256, hex.
    pub sha256: String,
    /// Tells files of the same content apart.
    pub nth: usize,
}

/// Where bytes are.
#[derive(Debug, Clone)]
pub enum Bytes {
    /// In a file.
    File(PathBuf),
    /// Here.
    Memory(Vec<u8>),
}

/// A clip, as a dataset has it.
#[derive(Debug, Clone)]
pub struct Clip {
    /// The file of the source that tells of it.
    pub file: String,
    /// Its line there.
    pub line: u64,
    /// Its recording.
    pub upload: Upload,
    /// Length in seconds.
    pub seconds: f64,
    /// What is said, and in which language.
    pub said: Said,
    /// What systems heard elsewhere, by the name of their column.
    pub heard: Fields,
    /// Why services heard nothing there, by the same name.
    pub failed: Fields,
}

/// What is said in a clip.
#[derive(Debug, Clone, Serialize)]
pub struct Said {
    /// The reference, if it is known.
    pub ground_truth: Option<String>,
    /// BCP-47 tag.
    pub language: Option<String>,
    /// Free fields.
    pub metadata: BTreeMap<String, String>,
}

/// Everything that is sent.
#[derive(Debug)]
pub struct Plan {
    /// The clips.
    pub clips: Vec<Clip>,
    /// The language of most of them.
    pub language: String,
    /// Tells what is sent apart from everything else: content, texts, names.
    pub fingerprint: String,
    /// Systems whose transcripts were made elsewhere.
    pub imported: Vec<Imported>,
    /// Files that are there until they were sent.
    _pieces: Pieces,
}

impl Plan {
    /// Hours of audio.
    pub fn hours(&self) -> f64 {
        self.clips.iter().map(|clip| clip.seconds).sum::<f64>() / 3_600.0
    }
}

impl Plan {
    /// Refuses conditions on groups that no clip is in: they could not be judged, after all was
    /// paid for.
    ///
    /// # Errors
    /// There is one.
    pub fn has_groups(
        &self,
        conditions: &[Condition],
        arguments: &RunArguments,
    ) -> Result<(), Failure> {
        // With --reuse the dataset may be another one.
        let conditions = conditions.iter().filter(|_| !arguments.reuse);
        for condition in conditions {
            let Some((key, value)) = &condition.group else {
                continue;
            };
            let mut own = self.clips.iter().map(|clip| match key.as_str() {
                "language" => clip.said.language.as_deref().or(Some(&self.language)),
                _ => clip.said.metadata.get(key).map(String::as_str),
            });
            if own.any(|own| own == Some(value.as_str())) {
                continue;
            }
            let message = format!(
                "condition \"{}\": no utterance has {key}:{value}",
                condition.text
            );
            let mut fields: Vec<&str> = vec!["language"];
            for name in self.clips.iter().flat_map(|clip| clip.said.metadata.keys()) {
                if !fields.contains(&name.as_str()) && name != "utterance" {
                    fields.push(name);
                }
            }
            let fields = fields.join(", ");
            return Err(Failure::usage(message).hint(format!("they have {fields}")));
        }
        Ok(())
    }
}

/// SHA-256 and length of a file.
fn hashed(path: &Path) -> Result<(String, u64), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Failed,
            "unreadable",
            format!("{}: {error}", path.display()),
        )
    };
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0_u8; 256 * 1024];
    let mut size = 0;
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            return Ok((hex::encode(context.finish()), size));
        }
        context.update(&buffer[..read]);
        size += read as u64;
    }
}

/// Refuses a reference that is not kept, with its line.
fn can_be_kept(clip: &Clip) -> Result<(), Failure> {
    let reference = clip.said.ground_truth.as_deref().unwrap_or_default();
    let fields = clip.said.metadata.iter();
    let fields: usize = fields.map(|(name, value)| name.len() + value.len()).sum();
    let bytes = reference.len() + fields;
    let reason = match validate::text("reference", reference, MAX_GROUND_TRUTH_CHARS) {
        Err(wrong) => format!("the reference {}", wrong.message),
        Ok(_) if bytes > MAX_SAMPLE_BYTES => format!(
            "the reference and its fields have {bytes} bytes; at most {MAX_SAMPLE_BYTES} are kept"
        ),
        Ok(_) => return Ok(()),
    };
    let message = format!("{} line {}: {reason}", clip.file, clip.line);
    Err(Failure::new(Exit::Findings, "bad_row", message)
        .hint("take the row out, or cut the recording into pieces with a text each"))
}

/// Makes the plan of what can be used.
///
/// # Errors
/// Nothing can be used, too much can, no language is known, or a file can't be read.
pub fn plan(
    looked: &Looked,
    arguments: &RunArguments,
    conditions: &[Condition],
    imported: Vec<Imported>,
) -> Result<Plan, Failure> {
    // What groups of the gate are of is kept before anything else.
    let first = gate::fields(conditions);
    let mut clips = Vec::new();
    let mut pieces = Pieces::default();
    for sample in looked.judged.samples.iter().filter(|sample| sample.usable) {
        let (Some(audio), Some(path)) = (&sample.audio, looked.path(sample)) else {
            continue;
        };
        let refused = |reason: String| {
            Failure::new(
                Exit::Findings,
                "refused_audio",
                format!("{audio}: {reason}"),
            )
            .hint("take it out of the source: what is seen only when a recording is cut, --skip-broken does not skip")
        };
        let mut info = probe::recording(&path).map_err(refused)?;
        let mut path = path;
        if is_piece(&info, sample.start, sample.end) {
            let cut = pieces.cut(&path, &info, sample.start, sample.end)?;
            path = cut.map_err(refused)?;
            info = probe::recording(&path).map_err(refused)?;
        }
        let (sha256, size) = hashed(&path)?;
        let filename = path.file_name().unwrap_or_default().to_string_lossy();
        clips.push(Clip {
            file: sample.file.to_string(),
            line: sample.line,
            upload: Upload {
                filename: shown(&filename).chars().take(255).collect(),
                content_type: info.format.content_type(),
                bytes: Bytes::File(path),
                size,
                sha256,
                nth: 0,
            },
            seconds: info.duration_seconds,
            said: Said {
                ground_truth: sample.ground_truth().map(str::to_owned),
                language: sample.language.clone(),
                metadata: fields::kept(sample, &first),
            },
            heard: sample.hypotheses.clone(),
            failed: sample.failures.clone(),
        });
    }
    // One that leaves nothing out makes no other dataset.
    if let Some(limit) = arguments.limit.filter(|limit| limit.get() < clips.len()) {
        // An order that nothing but the content makes: the same ones each time.
        let seed = arguments.sample_seed.map(|seed| seed.to_string());
        clips.sort_by_cached_key(|clip| match &seed {
            Some(seed) => digest(format!("{seed} {}", clip.upload.sha256).as_bytes()),
            None => clip.upload.sha256.clone(),
        });
        clips.truncate(limit.get());
    }
    if clips.is_empty() {
        return Err(Failure::new(
            Exit::Nothing,
            "nothing",
            "there is no audio that can be used",
        ));
    }
    if clips.len() > MAX_SAMPLES {
        let message = format!(
            "{} utterances; a dataset has at most {MAX_SAMPLES}",
            clips.len()
        );
        return Err(Failure::usage(message).hint("--limit N, or --split NAME"));
    }
    // With --reuse nothing of it is sent.
    if !arguments.reuse {
        clips.iter().try_for_each(can_be_kept)?;
    }
    let mut seen: HashMap<String, usize> = HashMap::new();
    for clip in &mut clips {
        let count = seen.entry(clip.upload.sha256.clone()).or_default();
        clip.upload.nth = *count;
        *count += 1;
    }
    let language = most(
        clips
            .iter()
            .filter_map(|clip| clip.said.language.as_deref()),
    )
    .or(arguments.reading.language.clone())
    .ok_or_else(|| Failure::usage("the language is not known").hint("--language hi"))?;
    let content: Vec<(&str, &Said)> = clips
        .iter()
        .map(|clip| (clip.upload.sha256.as_str(), &clip.said))
        .collect();
    let keywords = Keywords::all(&arguments.keyword);
    let all = serde_json::to_vec(&(content, &language, &keywords, &arguments.name))
        .map_err(|error| Failure::new(Exit::Failed, "request", error.to_string()))?;
    // They are sent as lines of one file, which is hardly longer than this.
    if all.len() as u64 > MAX_MANIFEST_BYTES && !arguments.reuse {
        let message = format!(
            "references and fields have {} MB together; a dataset takes {} MB",
            all.len() / 1_000_000,
            MAX_MANIFEST_BYTES / 1_000_000
        );
        return Err(Failure::usage(message).hint("--limit N, or --split NAME"));
    }
    imported::can_be_sent(&imported, &clips)?;
    Ok(Plan {
        fingerprint: digest(&all),
        language,
        clips,
        imported,
        _pieces: pieces,
    })
}

/// What comes most often; of several, the first by name.
fn most<'a>(all: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    let (name, _) = counts.into_iter().rev().max_by_key(|(_, count)| *count)?;
    Some(name.to_owned())
}
