//! How each format is found in a folder.

use std::collections::BTreeSet;

use super::contents::Folder;
use super::layouts::is_list;
use super::side_files::SIDE_EXTENSIONS;
use crate::files::{base, parent};
use crate::format::Format;
use crate::language::of_path;
use crate::layout::{canonical, split_of};
use crate::paths::has_audio_extension;

/// Files that are a layout of a format together.
pub(super) type Group<'a> = (Format, Vec<&'a str>);
/// Looks for the layouts of some formats.
type Look = for<'a> fn(&Folder<'a>) -> Vec<Group<'a>>;

/// In the order in which layouts are believed.
pub(super) const LOOKS: [Look; 17] = [
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
    festival,
    manifests,
    rev_nlp,
    transcriptions,
    indic_voices,
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

fn festival<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| base(name) == "txt.done.data");
    group(Format::Festival, all)
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
    let is_beside = |name: &str| {
        let stem = name.strip_suffix(".json");
        stem.map(|stem| folder.has(&format!("{stem}.wav")))
    };
    let is_it = |name: &str| folder.format(name) == Some(Format::IndicVoices);
    let mut all = folder.with(|name| is_beside(name) == Some(true));
    if !all.first().is_some_and(|name| is_it(name)) {
        return Vec::new();
    }
    // One whose recording was lost is told as such.
    let folders: BTreeSet<&str> = all.iter().map(|name| parent(name)).collect();
    let is_alone = |name: &str| folders.contains(parent(name)) && is_beside(name) == Some(false);
    all.extend(folder.with(|name| is_alone(name) && is_it(name)));
    all.sort_unstable();
    group(Format::IndicVoices, all)
}

fn manifests<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| is_json(name) && base(name).contains("manifest"));
    by_format(folder, all)
}

fn rev_nlp<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
    let all = folder.with(|name| name.ends_with(".nlp") && !base(name).starts_with('.'));
    let all = all
        .into_iter()
        .filter(|name| folder.format(name) == Some(Format::RevNlp));
    group(Format::RevNlp, all.collect())
}

/// Most files `.txt` of a folder that may be tables.
const MOST_TEXTS: usize = 16;

/// Lists without a header of the first two levels, by format.
pub(super) fn lists<'a>(folder: &Folder<'a>) -> Vec<Group<'a>> {
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

/// What lies beside the splits of Common Voice and is no list of clips with their texts:
/// lengths, sentences, reports.
fn is_beside_splits(own: &str) -> bool {
    matches!(own, "clip_durations.tsv" | "times.txt" | "reported.tsv")
        || own.ends_with("_sentences.tsv")
        || own.starts_with("ss-reported-")
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
    if all.iter().any(|name| is_beside_splits(base(name))) {
        let splits = common_voice(folder).into_iter().flat_map(|(_, all)| all);
        let sets: BTreeSet<&str> = splits.map(parent).collect();
        all.retain(|name| !is_beside_splits(base(name)) || !sets.contains(parent(name)));
    }
    by_format(folder, all)
}

/// The language that a list is of, by its folder or a word of its name: `hindi/manifest.json`,
/// `hindi_manifest.json`.
fn language_of(name: &str) -> Option<String> {
    let words = base(name).split(|c: char| !c.is_alphabetic());
    let mut words = words.filter_map(|word| of_path(&format!("{word}/")));
    of_path(name).or_else(|| words.next())
}

/// Whether lists are those of one corpus, each of a language of its own or of another folder: so
/// Vistaar has them. No other lists of one format are taken together without being asked for.
fn is_of_another_language(name: &str, group: &[&str]) -> bool {
    let Some(language) = language_of(name) else {
        return false;
    };
    group.iter().all(|other| {
        let other_language = language_of(other).filter(|_| split_of(other).is_none());
        other_language.is_some_and(|own| own != language || parent(name) != parent(other))
    })
}

fn by_format<'a>(folder: &Folder<'a>, names: Vec<&'a str>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for name in names {
        let Some(format) = folder.format(name) else {
            continue;
        };
        // What lies beside a recording belongs to it alone.
        let stem = name
            .strip_suffix(".json")
            .or_else(|| name.strip_suffix(".txt"));
        let is_recording = |other: &&str| {
            has_audio_extension(other) && other.rsplit_once('.').map(|(one, _)| one) == stem
        };
        let beside = stem.is_some() && folder.names.iter().any(is_recording);
        if !is_list(format) || beside {
            continue;
        }
        let split = split_of(name).is_some();
        let same = groups.iter_mut().find(|(one, group)| {
            let is_split = split && group.iter().all(|name| split_of(name).is_some());
            *one == format && (is_split || (!split && is_of_another_language(name, group)))
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
