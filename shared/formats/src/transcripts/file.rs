//! One file of texts, by its format.

use std::sync::Arc;

use super::annotations::annotations;
use super::entry::{Entry, ReadOptions, Side, Transcripts};
use super::{batches, segments, services, subtitles, wide, words};
use crate::decode::{Decoded, Encoding, decode_text};
use crate::detect::{format_of, is_grid, of_text};
use crate::files::{self, Files, recording};
use crate::format::Format;
use crate::problem::{Code, Problem, grouped};

/// An empty file is a list of no lines, which is told when the sides are compared; one of
/// subtitles says that nothing was heard.
pub(super) fn format_or_empty(files: &dyn Files, name: &str) -> Result<Format, Problem> {
    match format_of(files, name) {
        Err(problem) if matches!(problem.code, Code::Nothing | Code::UnknownFormat) => {
            Ok(format_of_empty(name).unwrap_or(Format::Lines))
        }
        found => found,
    }
}

/// What a file without a word is by its name, where it has the text of one recording.
pub(super) fn format_of_empty(name: &str) -> Option<Format> {
    match name.rsplit_once('.')?.1 {
        "srt" => Some(Format::Srt),
        "vtt" => Some(Format::Vtt),
        "aud" => Some(Format::WhisperTsv),
        _ => None,
    }
}

/// What tables and archives are called, which are read in other ways than as a text.
const NO_LISTS: [&str; 8] = [
    "csv", "tsv", "json", "jsonl", "xlsx", "parquet", "gz", "zip",
];

/// Whether a file is called as those are.
pub(super) fn is_named_list(name: &str) -> bool {
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    NO_LISTS.iter().any(|one| end.eq_ignore_ascii_case(one))
}

/// What a file is; and its text, where that was read to tell: once and not twice. Columns that
/// nobody has named are no texts: that is told when the table is read.
pub(super) fn told(files: &dyn Files, name: &str) -> Result<(Format, Option<Decoded>), Problem> {
    match found(files, name)? {
        (Format::Lines, _) if is_grid(files, name) => Ok((Format::Table, None)),
        found => Ok(found),
    }
}

fn found(files: &dyn Files, name: &str) -> Result<(Format, Option<Decoded>), Problem> {
    let text = (!is_named_list(name)).then(|| files.utf8(name, files::MAX_FILE_BYTES));
    let Some(text) = text.flatten() else {
        return Ok((format_or_empty(files, name)?, None));
    };
    let length = text.len();
    // What had to be decoded is told by the bytes it begins with.
    let decoded = decode_text(text)
        .ok()
        .filter(|decoded| decoded.encoding == Encoding::Utf8 && decoded.text.len() == length);
    let format = decoded
        .as_ref()
        .and_then(|known| of_text(&known.text, name));
    match format {
        Some(format) => Ok((format, decoded)),
        None => Ok((format_or_empty(files, name)?, None)),
    }
}

/// Reads a file of a format.
pub(super) fn of_file(
    files: &dyn Files,
    name: &str,
    format: Format,
    side: Side,
    wanted: &ReadOptions,
    made: &mut Transcripts,
) -> Result<(), Problem> {
    of_text_or_file(files, name, None, (format, side), wanted, made)
}

/// The same of one whose text is perhaps read already.
pub(super) fn of_text_or_file(
    files: &dyn Files,
    name: &str,
    read: Option<Decoded>,
    (format, side): (Format, Side),
    wanted: &ReadOptions,
    made: &mut Transcripts,
) -> Result<(), Problem> {
    // One that is asked for as a result may be lines of them.
    let is_lines = || read.is_none() && format_of(files, name) == Ok(Format::Jsonl);
    if (format == Format::Jsonl || (format == Format::Service && is_lines()))
        && batches::read(files, name, wanted.channel, made)?
    {
        return Ok(());
    }
    if matches!(
        format,
        Format::Table
            | Format::Jsonl
            | Format::Nemo
            | Format::DeepSpeech
            | Format::CommonVoice
            | Format::Audiofolder
            | Format::Calibrate
            | Format::LabelStudio
            | Format::Xlsx
            | Format::Lhotse
            | Format::Fleurs
            | Format::LjSpeech
            | Format::Transcriptions
            | Format::LibriSpeech
            | Format::Mls
            | Format::Kaldi
            | Format::IndicVoices
            | Format::Fairseq
            | Format::Festival
            | Format::Parquet
    ) {
        return wide::read(files, name, format, side, wanted, made);
    }
    let decoded = match read {
        Some(decoded) => decoded,
        None => files::text(files, name)?,
    };
    made.remarks.extend(decoded.remark(name));
    let lines = memchr::memchr_iter(b'\n', decoded.text.as_bytes()).count();
    if lines > files::MAX_LINES {
        let most = grouped(files::MAX_LINES as u64);
        let problem = Problem::new(Code::TooLarge, format!("has more than {most} lines"));
        return Err(problem.file(name).hint("split it"));
    }
    let text = Arc::new(decoded.text);
    match format {
        Format::Trn => words::trn(&text, name, side, made),
        Format::Stm | Format::Ctm | Format::SegLst => {
            let found = segments::of(format, &text, name, side, &mut made.remarks)?;
            segments::joined(found, segments::markup(format, side), made);
            Ok(())
        }
        Format::KaldiText => words::kaldi_text(&text, made),
        Format::RevNlp => words::rev_nlp(&text, name, made),
        Format::Srt | Format::Vtt | Format::WhisperTsv => {
            let heard = subtitles::text_of(&text, format, name, &mut made.remarks)?;
            made.entries.push(Entry::of(recording(name), 1, heard));
            Ok(())
        }
        Format::Elan | Format::TextGrid => {
            let tier = wanted.text_column.as_deref();
            let (heard, remark) = annotations(format, &text, tier, name)?;
            made.remarks.extend(remark);
            made.entries.push(Entry::of(recording(name), 1, heard));
            Ok(())
        }
        Format::Service => {
            let (entry, channels) =
                services::entry(&text, name, wanted.channel, &mut made.remarks)?;
            made.has_channels |= channels > 1;
            made.entries.push(entry);
            Ok(())
        }
        _ => {
            words::plain(&text, made);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::InMemory;

    #[test]
    fn a_text_is_told_as_its_file_is() {
        let long = "एक दो तीन\n".repeat(5_000);
        let one_line = "एक दो तीन ".repeat(5_000);
        let (trn, ctm) = ("एक (s-1)\n".repeat(6_000), "c A 0.1 0.2 एक\n".repeat(6_000));
        for (text, is_read) in [
            ("", false),
            ("\n\n", false),
            ("एक\nदो\n", true),
            (long.as_str(), true),
            (one_line.as_str(), true),
            (trn.as_str(), true),
            (ctm.as_str(), true),
            ("\u{feff}एक\n", false),
            ("a\r\nb\r\n", false),
            ("a\0b\0", false),
            ("PAR1", false),
            ("PK\u{3}\u{4}", false),
            ("WEBVTT\n\n00:00.100 --> 00:02.300\nx\n", true),
            ("id,text\nu1,एक\n", true),
            ("{\"id\":\"a\",\"text\":\"x\"}\n", true),
            ("u1 एक\nu2 दो\n", true),
        ] {
            let files = InMemory::new([("a.txt", text), ("a.csv", text)]);
            let told_as = |name| told(&files, name).map(|(format, read)| (format, read.is_some()));
            let shown: String = text.chars().take(20).collect();
            let wanted = format_or_empty(&files, "a.txt");
            assert_eq!(
                told_as("a.txt"),
                wanted.map(|format| (format, is_read)),
                "{shown}"
            );
            let wanted = format_or_empty(&files, "a.csv");
            assert_eq!(
                told_as("a.csv"),
                wanted.map(|format| (format, false)),
                "{shown}"
            );
        }
    }
}
