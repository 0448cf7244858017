//! What a folder is: all layouts that are there, the likeliest first.

use std::collections::{BTreeMap, BTreeSet};

use super::detect::format_of;
use super::files::{Files, base, is_litter, parent};
use super::format::Format;
use super::headerless;
use super::layout::{Layout, SIDE_EXTENSIONS, SPLITS, canonical, same_split, split_of};
use super::paths::has_audio_extension;
use super::problem::{Code, Problem};

/// All ways to read a source, the likeliest first. `file` is the file that was named,
/// if it was one.
///
/// # Errors
/// A file that can't be told, an empty folder.
pub fn layouts(
    files: &dyn Files,
    file: Option<&str>,
    split: Option<&str>,
) -> Result<Vec<Layout>, Problem> {
    if let Some(name) = file {
        return of_file(files, name).map(|layout| vec![layout]);
    }
    let names: Vec<&str> = files
        .names()
        .iter()
        .map(String::as_str)
        .filter(|name| !is_litter(name))
        .collect();
    if names.is_empty() {
        return Err(Problem::new(Code::Nothing, "no files are in the folder"));
    }
    let top = top_of(&names);
    let folder = Folder { files, names, top };
    let mut found = Vec::new();
    for look in LOOKS {
        for (format, group) in look(&folder) {
            let before = found.len();
            add(&mut found, format, group, split)?;
            debug_assert!(found.len() <= before + 1, "one group is one layout");
        }
    }
    if found.is_empty() {
        return Err(unknown(&folder));
    }
    if found.iter().all(|layout| layout.format == Format::Audio) {
        // A table beside recordings is about them, and must not be passed over.
        let lists = lists(&folder);
        for (format, group) in &lists {
            for name in group {
                headerless::refuse(files, name, *format)?;
            }
        }
        let read = lists
            .into_iter()
            .find(|(format, _)| *format == Format::Transcriptions);
        if let Some((format, group)) = read {
            found.clear();
            add(&mut found, format, group, split)?;
        }
    }
    Ok(found)
}

fn unknown(folder: &Folder<'_>) -> Problem {
    let ends = |end: &str| folder.names.iter().any(|name| name.ends_with(end));
    if ends(".tar") {
        let message = "the audio is inside TAR archives";
        return Problem::new(Code::Unsupported, message).hint("unpack them and name the folder");
    }
    if ends(".arrow") {
        let message = "this is a set of `save_to_disk`, in Arrow IPC";
        return Problem::new(Code::Unsupported, message)
            .hint("write it as audio files with a table");
    }
    Problem::new(Code::Nothing, "no manifest and no audio is in the folder")
}

/// Reads a file that was named: its format by its content, and by its name where that
/// says more.
fn of_file(files: &dyn Files, name: &str) -> Result<Layout, Problem> {
    if has_audio_extension(name) {
        let problem = Problem::new(Code::Unsupported, "is a recording, not a list of them");
        return Err(problem
            .file(name)
            .hint("name its folder, or a table with a line like `file_name,text` on top"));
    }
    let mut format = match base(name) {
        "wav.scp" => Format::Kaldi,
        _ => format_of(files, name)?,
    };
    headerless::refuse(files, name, format)?;
    let own = base(name);
    if format == Format::Table {
        format = match own {
            "metadata.csv" | "metadata.jsonl" => Format::Audiofolder,
            "stt.csv" | "data.csv" => Format::Calibrate,
            _ => format,
        };
    }
    if format == Format::Lines || format == Format::Trn {
        if own.ends_with(".trans.txt") {
            format = Format::LibriSpeech;
        } else if own.starts_with("transcript") {
            format = Format::Transcriptions;
        }
    }
    let mut all = vec![name.to_owned()];
    if format == Format::Lhotse {
        all = with_company(files, name);
    }
    Ok(Layout {
        format,
        files: all,
        split: None,
    })
}

/// Recordings and supervisions come together.
fn with_company(files: &dyn Files, name: &str) -> Vec<String> {
    let mut all = vec![name.to_owned()];
    let own = base(name);
    for (one, other) in [
        ("supervisions", "recordings"),
        ("recordings", "supervisions"),
    ] {
        if own.contains(one) {
            let company = super::files::beside(name, &own.replace(one, other));
            if files.names().contains(&company) {
                all.push(company);
            }
        }
    }
    all
}

struct Folder<'a> {
    files: &'a dyn Files,
    names: Vec<&'a str>,
    /// Folders that all files are in: a ZIP of a Mac has one more than its folder.
    top: usize,
}

/// How many folders all files are in.
fn top_of(names: &[&str]) -> usize {
    let (Some(first), Some(last)) = (names.first(), names.last()) else {
        return 0;
    };
    // What the first and the last of sorted names begin with, all begin with.
    let parts = parent(first).split('/').zip(parent(last).split('/'));
    parts
        .take_while(|(one, other)| one == other && !one.is_empty())
        .count()
}

impl<'a> Folder<'a> {
    fn with(&self, test: impl Fn(&str) -> bool) -> Vec<&'a str> {
        self.names
            .iter()
            .copied()
            .filter(|name| test(name))
            .collect()
    }

    fn has(&self, name: &str) -> bool {
        self.names.binary_search(&name).is_ok()
    }

    /// Whether there is such a folder beside a file.
    fn has_folder(&self, name: &str, folder: &str) -> bool {
        let path = format!("{}/", super::files::beside(name, folder));
        self.names.iter().any(|name| name.starts_with(&path))
    }

    /// How many folders a file is in, below those that all are in.
    fn depth(&self, name: &str) -> usize {
        name.matches('/').count().saturating_sub(self.top)
    }

    fn format(&self, name: &str) -> Option<Format> {
        format_of(self.files, name).ok()
    }
}

type Group<'a> = (Format, Vec<&'a str>);
type Look = for<'a> fn(&Folder<'a>) -> Vec<Group<'a>>;

/// In the order in which layouts are believed.
const LOOKS: [Look; 15] = [
    kaldi,
    lhotse,
    parquet,
    metadata,
    common_voice,
    fleurs,
    calibrate,
    fairseq,
    libri_speech,
    mls,
    transcriptions,
    indic_voices,
    manifests,
    tables,
    recordings,
];

fn group<'a>(format: Format, names: Vec<&'a str>) -> Vec<Group<'a>> {
    if names.is_empty() {
        Vec::new()
    } else {
        vec![(format, names)]
    }
}

fn kaldi<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    group(Format::Kaldi, folder.with(|name| base(name) == "wav.scp"))
}

fn is_json(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.ends_with(".jsonl") || name.ends_with(".json")
}

fn lhotse<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let is = |name: &&str| folder.format(name) == Some(Format::Lhotse);
    let cuts = folder.with(|name| base(name).contains("cuts") && is_json(name));
    let cuts: Vec<&str> = cuts.into_iter().filter(is).collect();
    if !cuts.is_empty() {
        return group(Format::Lhotse, cuts);
    }
    let both = folder.with(|name| {
        let own = base(name);
        is_json(name) && (own.contains("recording") || own.contains("supervision"))
    });
    let both: Vec<&str> = both.into_iter().filter(is).collect();
    let spoken = both.iter().any(|name| base(name).contains("supervision"));
    group(Format::Lhotse, if spoken { both } else { Vec::new() })
}

fn parquet<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    group(
        Format::Parquet,
        folder.with(|name| name.ends_with(".parquet")),
    )
}

fn metadata<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| matches!(base(name), "metadata.csv" | "metadata.jsonl"));
    let (lj, rest): (Vec<&str>, Vec<&str>) = all
        .into_iter()
        .partition(|name| folder.format(name) == Some(Format::LjSpeech));
    let mut found = group(Format::LjSpeech, lj);
    found.extend(group(Format::Audiofolder, rest));
    found
}

fn common_voice<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let spontaneous =
        folder.with(|name| base(name).starts_with("ss-corpus-") && name.ends_with(".tsv"));
    let scripted = folder.with(|name| {
        let own = base(name).strip_suffix(".tsv");
        own.is_some_and(|own| canonical(own).is_some())
    });
    let scripted: Vec<&str> = scripted
        .into_iter()
        .filter(|name| folder.format(name) == Some(Format::CommonVoice))
        .collect();
    let mut found = group(Format::CommonVoice, spontaneous);
    found.extend(group(Format::CommonVoice, scripted));
    found
}

fn fleurs<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| {
        let own = base(name).strip_suffix(".tsv");
        own.is_some_and(|own| canonical(own).is_some())
    });
    let all = all
        .into_iter()
        .filter(|name| folder.format(name) == Some(Format::Fleurs));
    group(Format::Fleurs, all.collect())
}

fn calibrate<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all =
        folder.with(|name| matches!(base(name), "stt.csv" | "data.csv") && folder.depth(name) < 2);
    let all = all.into_iter().filter(|name| {
        base(name) == "data.csv" && folder.format(name) == Some(Format::Table)
            || folder.has_folder(name, "audios")
    });
    group(Format::Calibrate, all.collect())
}

fn fairseq<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| {
        let stem = name.strip_suffix(".tsv");
        stem.is_some_and(|stem| {
            folder.has(&format!("{stem}.wrd")) || folder.has(&format!("{stem}.ltr"))
        })
    });
    group(Format::Fairseq, all)
}

fn libri_speech<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    group(
        Format::LibriSpeech,
        folder.with(|name| name.ends_with(".trans.txt")),
    )
}

fn mls<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| base(name) == "transcripts.txt");
    let all = all
        .into_iter()
        .filter(|name| folder.has_folder(name, "audio"));
    group(Format::Mls, all.collect())
}

fn transcriptions<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let is = |name: &str| {
        let own = base(name);
        own.ends_with(".txt") && (own.starts_with("transcription") || own == "transcript.txt")
    };
    let all = folder.with(is);
    // Kathbath has two versions of a list; that with numbers as words is the one it
    // scores with.
    let spelt: BTreeSet<&str> = all
        .iter()
        .filter(|name| base(name) == "transcription_n2w.txt")
        .map(|name| parent(name))
        .collect();
    let all = all
        .into_iter()
        .filter(|name| base(name) == "transcription_n2w.txt" || !spelt.contains(parent(name)));
    group(Format::Transcriptions, all.collect())
}

fn indic_voices<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| {
        let stem = name.strip_suffix(".json");
        stem.is_some_and(|stem| folder.has(&format!("{stem}.wav")))
    });
    let first = all.first().and_then(|name| folder.format(name));
    let is = first == Some(Format::IndicVoices);
    group(Format::IndicVoices, if is { all } else { Vec::new() })
}

fn manifests<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| is_json(name) && base(name).contains("manifest"));
    by_format(folder, all)
}

/// Most files `.txt` of a folder that may be tables.
const MOST_TEXTS: usize = 16;

/// Lists without a header of the first two levels, by format.
fn lists<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| {
        let is_list = [".csv", ".tsv", ".txt"]
            .iter()
            .any(|end| name.ends_with(end));
        is_list && folder.depth(name) < 2
    });
    let mut found: Vec<Group<'a>> = Vec::new();
    if all.len() > MOST_TEXTS {
        return found;
    }
    for name in all {
        let Some(format) = folder.format(name) else {
            continue;
        };
        match found.iter_mut().find(|(one, _)| *one == format) {
            Some((_, group)) => group.push(name),
            None => found.push((format, vec![name])),
        }
    }
    found
}

/// Tables of the first two levels, each a layout of its own, but splits together.
fn tables<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let taken = ["metadata.csv", "metadata.jsonl", "stt.csv", "data.csv"];
    // What Excel calls "Unicode text"; where there are many they are of single recordings.
    let mut texts = folder.with(|name| {
        name.ends_with(".txt") && !base(name).starts_with("transcript") && folder.depth(name) < 2
    });
    if texts.len() > MOST_TEXTS {
        texts.clear();
    }
    let mut all = folder.with(|name| {
        let own = base(name);
        let plain = name.strip_suffix(".gz").unwrap_or(name);
        let end = [".csv", ".tsv", ".jsonl", ".json", ".xlsx"]
            .iter()
            .any(|end| plain.ends_with(end));
        let manifest = is_json(name) && own.contains("manifest");
        end && !taken.contains(&own) && !manifest && folder.depth(name) < 2
    });
    all.extend(texts);
    by_format(folder, all)
}

fn by_format<'a>(folder: &Folder<'a>, names: Vec<&'a str>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for name in names {
        let Some(format) = folder.format(name) else {
            continue;
        };
        let fits = matches!(
            format,
            Format::Nemo
                | Format::Jsonl
                | Format::LabelStudio
                | Format::DeepSpeech
                | Format::Table
                | Format::Xlsx
        );
        // What lies beside a recording belongs to it alone.
        let stem = name
            .strip_suffix(".json")
            .or_else(|| name.strip_suffix(".txt"));
        let is_recording = |other: &&str| {
            has_audio_extension(other) && other.rsplit_once('.').map(|(one, _)| one) == stem
        };
        let beside = stem.is_some() && folder.names.iter().any(is_recording);
        if !fits || beside {
            continue;
        }
        let split = split_of(name).is_some();
        let same = groups.iter_mut().find(|(one, group)| {
            *one == format && split && group.iter().all(|name| split_of(name).is_some())
        });
        match same {
            Some((_, group)) => group.push(name),
            None => groups.push((format, vec![name])),
        }
    }
    groups
}

/// Recordings with files beside them, or alone.
fn recordings<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let audio = folder.with(has_audio_extension);
    let mut sides = BTreeSet::new();
    for name in &audio {
        let stem = name.rsplit_once('.').map_or(*name, |(stem, _)| stem);
        for end in SIDE_EXTENSIONS {
            if let Ok(at) = folder
                .names
                .binary_search(&format!("{stem}.{end}").as_str())
            {
                sides.insert(folder.names[at]);
                break;
            }
        }
    }
    if sides.is_empty() {
        return group(Format::Audio, audio);
    }
    group(Format::SideFiles, sides.into_iter().collect())
}

/// Adds a layout: of several splits one.
fn add(
    found: &mut Vec<Layout>,
    format: Format,
    names: Vec<&str>,
    wanted: Option<&str>,
) -> Result<(), Problem> {
    let whole = matches!(
        format,
        Format::SideFiles | Format::Audio | Format::IndicVoices
    );
    let mut by_split: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without = Vec::new();
    for name in &names {
        match split_of(name) {
            Some(split) => by_split.entry(split).or_default().push((*name).to_owned()),
            None => without.push((*name).to_owned()),
        }
    }
    let all = || names.iter().map(|name| (*name).to_owned()).collect();
    if by_split.is_empty() || (whole && wanted.is_none()) {
        found.push(Layout {
            format,
            files: all(),
            split: None,
        });
        return Ok(());
    }
    let chosen = match wanted {
        Some(wanted) => by_split.keys().find(|split| same_split(split, wanted)),
        None if !without.is_empty() => {
            found.push(Layout {
                format,
                files: without,
                split: None,
            });
            return Ok(());
        }
        None => SPLITS.iter().find_map(|(name, _)| {
            by_split
                .keys()
                .find(|split| canonical(split) == Some(*name))
        }),
    };
    let Some(split) = chosen.cloned() else {
        let splits: Vec<&str> = by_split.keys().map(String::as_str).collect();
        let message = format!(
            "there is no split {:?}; there are {}",
            wanted.unwrap_or_default(),
            splits.join(", ")
        );
        return Err(Problem::new(Code::Ambiguous, message).hint("--split with one of these"));
    };
    let files = by_split.remove(&split).unwrap_or_default();
    found.push(Layout {
        format,
        files,
        split: Some(split),
    });
    Ok(())
}
