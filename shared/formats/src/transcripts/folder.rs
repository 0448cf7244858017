//! A folder as references or hypotheses: one file for each recording, or a manifest.

use super::entry::{Entry, ReadOptions, Side, Transcripts};
use super::file::of_file;
use super::wide;
use crate::detect::format_of;
use crate::files::{Files, base, is_litter, stem};
use crate::folder::layouts;
use crate::format::Format;
use crate::paths::has_audio_extension;
use crate::problem::{Code, Problem};

/// Reads a folder.
pub(super) fn read(
    files: &dyn Files,
    side: Side,
    wanted: &ReadOptions,
) -> Result<Transcripts, Problem> {
    let names: Vec<&String> = files
        .names()
        .iter()
        .filter(|name| !is_litter(name))
        .collect();
    let mut made = Transcripts::new(Format::Service, "");
    let of_kaldi = names.iter().find(|name| base(name) == "text");
    if let Some(name) = of_kaldi {
        made.format = Format::KaldiText;
        of_file(files, name, Format::KaldiText, side, wanted, &mut made)?;
        return Ok(made);
    }
    let single = |name: &str| {
        let end = base(name).rsplit_once('.').map_or("", |(_, end)| end);
        matches!(
            end,
            "json"
                | "txt"
                | "lab"
                | "srt"
                | "vtt"
                | "tsv"
                | "aud"
                | "nlp"
                | "ctm"
                | "stm"
                | "eaf"
                | "TextGrid"
                | "textgrid"
        )
    };
    let texts: Vec<&String> = names.iter().copied().filter(|name| single(name)).collect();
    let mut formats = Vec::with_capacity(texts.len());
    for name in &texts {
        formats.push(one_format(files, name));
    }
    let is_each_one = !texts.is_empty()
        && formats.iter().all(Option::is_some)
        && (texts.len() > 1 || names.iter().all(|name| !has_audio_extension(name)));
    if !is_each_one {
        return manifest(files, side, wanted, made);
    }
    for (name, format) in texts.iter().zip(formats.into_iter().flatten()) {
        if format == Format::Lines {
            let text = crate::files::text(files, name)?.text;
            let words: Vec<&str> = text.split_whitespace().collect();
            made.entries.push(Entry::of(stem(name), 1, words.join(" ")));
            made.format = Format::SideFiles;
            continue;
        }
        made.format = format;
        of_file(files, name, format, side, wanted, &mut made)?;
    }
    Ok(made)
}

/// The format of a file that holds one recording's text; `None` for manifests.
fn one_format(files: &dyn Files, name: &str) -> Option<Format> {
    if name.ends_with(".txt") || name.ends_with(".lab") {
        let own = base(name);
        let is_list = own.starts_with("transcript") || own.ends_with(".trans.txt");
        return (!is_list).then_some(Format::Lines);
    }
    let format = format_of(files, name).ok()?;
    let one = matches!(
        format,
        Format::Service
            | Format::Srt
            | Format::Vtt
            | Format::WhisperTsv
            | Format::RevNlp
            | Format::Ctm
            | Format::Stm
            | Format::SegLst
            | Format::Elan
            | Format::TextGrid
    );
    // Results of Whisper in one array, or of a service that is not known, are no
    // manifest either, but then nothing can be made of them.
    one.then_some(format)
}

fn manifest(
    files: &dyn Files,
    side: Side,
    wanted: &ReadOptions,
    mut made: Transcripts,
) -> Result<Transcripts, Problem> {
    let found = layouts(files, None, None)?;
    let with_texts = found
        .into_iter()
        .find(|layout| layout.format != Format::Audio);
    let Some(layout) = with_texts else {
        return Err(Problem::new(Code::Nothing, "no texts are in the folder"));
    };
    made.format = layout.format;
    match layout.files.as_slice() {
        [table] if side == Side::Hypotheses => {
            of_file(files, table, layout.format, side, wanted, &mut made)?;
        }
        _ => wide::of_layout(files, &layout, wanted, &mut made)?,
    }
    Ok(made)
}
