//! What columns are called in the tables that people have.

/// Names of the column of the recording; the first that is there is taken. Compared
/// without case, blanks, `-` and `_`.
const AUDIO: &[&str] = &[
    "file_id",
    "audio_filepath",
    "audio_file_path",
    "audio_filename",
    "audio_file",
    "audio_path",
    "audio",
    "file_name",
    "filename",
    "fname",
    "file_path",
    "filepath",
    "file",
    "path",
    "wav_filename",
    "wav",
    "wav_path",
    "clip",
    "recording",
    "object_store_url",
    "audio_url",
    "signed_url",
    "url",
    "s3_uri",
];
/// Names of the column of the text.
const TEXT: &[&str] = &[
    "ground_truth",
    "reference",
    "ref",
    "transcription",
    "transcript",
    "sentence",
    "normalized_text",
    "normalized",
    "text",
    "gt",
    "raw_transcription",
    "verbatim",
    "label",
    "target",
];
/// Names of the column of a hypothesis. `pred_text_<model>` is one too.
const HYPOTHESIS: &[&str] = &[
    "hypothesis",
    "hyp",
    "prediction",
    "pred",
    "pred_text",
    "asr_output",
    "raw_prediction",
    "model_output",
];
const LANGUAGE: &[&str] = &["language", "lang", "locale", "lang_id", "source_lang"];
const SPEAKER: &[&str] = &["speaker", "speaker_id", "client_id", "sp_id", "spk"];
const ID: &[&str] = &["id", "sample_id", "utt_id", "utterance_id", "audio_id"];
const DURATION: &[&str] = &["duration", "length", "audio_duration"];
const DURATION_MS: &[&str] = &["duration[ms]", "duration_ms"];
const START: &[&str] = &["offset", "start", "begin"];
const END: &[&str] = &["end"];
const SPLIT: &[&str] = &["split"];
const MODEL: &[&str] = &["model"];
/// Names of columns that tell something about a recording or a result: none holds a text of
/// it.
const FACTS: &[&str] = &[
    "accent",
    "accents",
    "age",
    "age_group",
    "annotation_id",
    "annotator",
    "area",
    "category",
    "cer",
    "channel",
    "char_per_sec",
    "comment",
    "comments",
    "confidence",
    "corpus",
    "cost",
    "cost_usd",
    "country",
    "created_at",
    "dataset",
    "date",
    "device",
    "dialect",
    "district",
    "domain",
    "down_votes",
    "error",
    "gender",
    "is_correct",
    "job_type",
    "latency",
    "latency_ms",
    "native_district",
    "note",
    "notes",
    "num_samples",
    "occupation",
    "prompt",
    "prompt_id",
    "proposed_references",
    "qualification",
    "quality",
    "quality_tags",
    "reference_from",
    "region",
    "remark",
    "remarks",
    "reviews",
    "sample_rate",
    "sampling_rate",
    "scenario",
    "score",
    "scored_by",
    "segment",
    "sentence_domain",
    "sentence_id",
    "sex",
    "source",
    "state",
    "status",
    "task_name",
    "timestamp",
    "topic",
    "up_votes",
    "updated_at",
    "variant",
    "version",
    "votes",
    "wav_filesize",
    "wer",
];
/// Names of columns of texts that are what should have been heard, whatever else is there.
const RIGHT: &[&str] = &["ground_truth", "reference", "ref", "gt", "target"];

/// What names of columns of free fields begin with in our own tables, so that none is another.
pub(crate) const FIELD: &str = "metadata.";
/// What stands before the name of a system, where its column is called so.
pub(crate) const PREDICTED: &str = "pred_text_";

/// The column that says why a system failed, beside the one of its texts.
pub(crate) fn error_of(system: &str) -> String {
    format!("{system} error")
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The recording.
    Audio,
    /// The reference.
    Text,
    /// A hypothesis.
    Hypothesis,
    /// The language.
    Language,
    /// The speaker.
    Speaker,
    /// An id.
    Id,
    /// Length in seconds.
    Duration,
    /// Length in milliseconds.
    DurationMs,
    /// Where a piece begins, in seconds.
    Start,
    /// Where it ends.
    End,
    /// The split.
    Split,
    /// The model that made the hypothesis of the row.
    Model,
    /// Anything else.
    Other,
}

const ROLES: [(Role, &[&str]); 12] = [
    (Role::Audio, AUDIO),
    (Role::Text, TEXT),
    (Role::Hypothesis, HYPOTHESIS),
    (Role::Language, LANGUAGE),
    (Role::Speaker, SPEAKER),
    (Role::Id, ID),
    (Role::Duration, DURATION),
    (Role::DurationMs, DURATION_MS),
    (Role::Start, START),
    (Role::End, END),
    (Role::Split, SPLIT),
    (Role::Model, MODEL),
];

/// A name as it is compared: lower case, without marks, blanks, `-` and `_`.
#[must_use]
pub fn key(name: &str) -> String {
    compared(name).collect()
}

/// The characters of a name that are compared.
fn compared(name: &str) -> impl Iterator<Item = char> {
    let kept = name.chars().filter(|c| {
        let ignored = matches!(c, '\u{feff}' | '-' | '_') || c.is_whitespace();
        !ignored
    });
    kept.flat_map(char::to_lowercase)
}

/// Place of a name in a list. Every text has its first line looked up in all of them, so
/// most names are left at their first letter.
fn place(list: &[&str], wanted: &str) -> Option<usize> {
    let mut all = list.iter();
    all.position(|name| compared(name).eq(wanted.chars()))
}

/// What a column of this name holds.
#[must_use]
pub fn role_of(name: &str) -> Role {
    let key = key(name);
    if key.starts_with("predtext") {
        return Role::Hypothesis;
    }
    let found = ROLES.iter().find(|(_, list)| place(list, &key).is_some());
    found.map_or(Role::Other, |(role, _)| *role)
}

/// Whether a column of this name tells something about a recording or a result, and has no
/// text of it.
#[must_use]
pub fn is_fact(name: &str) -> bool {
    place(FACTS, &key(name)).is_some()
}

/// Whether a column of this name has what should have been heard.
pub(crate) fn is_right(name: &str) -> bool {
    place(RIGHT, &key(name)).is_some()
}

/// The columns of one table, by what they hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    names: Vec<String>,
    keys: Vec<String>,
}

impl Columns {
    /// Columns of a header, in its order.
    #[must_use]
    pub fn new(names: Vec<String>) -> Self {
        let keys = names.iter().map(|name| key(name)).collect();
        Self { names, keys }
    }

    /// Names as written.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Name of a column.
    #[must_use]
    pub fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("", String::as_str)
    }

    /// Column of this name, compared as names are.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<usize> {
        let exact = self.names.iter().position(|one| one == name);
        let wanted = key(name);
        exact.or_else(|| self.keys.iter().position(|one| *one == wanted))
    }

    /// Column of a system: it is called so, or so with `pred_text_` before it.
    #[must_use]
    pub(crate) fn of_system(&self, name: &str) -> Option<usize> {
        let with_prefix = || self.named(&format!("{PREDICTED}{name}"));
        self.named(name).or_else(with_prefix)
    }

    /// Whether a column tells a fact about what another one has, as its name says:
    /// `whisper wer`, `whisper_latency_ms`.
    #[must_use]
    pub(crate) fn is_fact_of_another(&self, column: usize) -> bool {
        let name = self.name(column);
        let mut others = self.names.iter().filter(|other| !other.is_empty());
        others.any(|other| {
            let rest = name.strip_prefix(other.as_str());
            let fact = rest.and_then(|rest| rest.strip_prefix([' ', '_', '-', '.']));
            fact.is_some_and(is_fact)
        })
    }

    /// All columns that could have a role, in the order of its list.
    #[must_use]
    pub fn all(&self, role: Role) -> Vec<usize> {
        let Some((_, list)) = ROLES.iter().find(|(one, _)| *one == role) else {
            return Vec::new();
        };
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (column, key) in self.keys.iter().enumerate() {
            let place = place(list, key);
            let more = role == Role::Hypothesis && key.starts_with("predtext");
            if let Some(place) = place.or_else(|| more.then_some(list.len())) {
                found.push((place, column));
            }
        }
        found.sort_unstable();
        found.into_iter().map(|(_, column)| column).collect()
    }

    /// The column of a role: the first of its list that is there.
    #[must_use]
    pub fn first(&self, role: Role) -> Option<usize> {
        self.all(role).first().copied()
    }

    /// Whether this looks like a header: no cell names a recording, and one of them is
    /// the name of a column.
    #[must_use]
    pub fn is_header(&self) -> bool {
        let audio = |name: &String| crate::paths::has_audio_extension(name.trim());
        let known = |name: &String| role_of(name) != Role::Other;
        !self.names.iter().any(audio) && self.names.iter().any(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_separators() {
        assert_eq!(role_of("\u{feff}Audio-File Path"), Role::Audio);
        assert_eq!(role_of("pred_text_conformer"), Role::Hypothesis);
        assert_eq!(role_of("duration[ms]"), Role::DurationMs);
        assert_eq!(role_of("notes"), Role::Other);
    }

    #[test]
    fn the_first_of_the_list_is_taken() {
        let names = [
            "fname",
            "verbatim",
            "normalized",
            "text",
            "age-group",
            "age_group",
        ];
        let columns = Columns::new(names.map(String::from).to_vec());
        assert_eq!(columns.first(Role::Audio), Some(0));
        assert_eq!(columns.all(Role::Text), [2, 3, 1]);
        assert_eq!(columns.named("age_group"), Some(5));
        assert!(columns.is_header());
        let row = Columns::new(vec!["a.wav".to_owned(), "text".to_owned()]);
        assert!(!row.is_header());
    }
}
