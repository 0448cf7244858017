//! One file of texts, by its format.

use std::sync::Arc;

use super::beside::annotations;
use super::entry::{Entry, ReadOptions, Side, Transcripts};
use super::{segments, services, subtitles, wide, words};
use crate::detect::format_of;
use crate::files::{self, Files, stem};
use crate::format::Format;
use crate::problem::{Code, Problem};

/// An empty file is a list of no lines, which is told when the sides are compared.
pub(super) fn format_or_empty(files: &dyn Files, name: &str) -> Result<Format, Problem> {
    match format_of(files, name) {
        Err(problem) if problem.code == Code::Nothing => Ok(Format::Lines),
        Err(problem) if problem.code == Code::UnknownFormat => Ok(Format::Lines),
        found => found,
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
            | Format::Parquet
    ) {
        return wide::read(files, name, format, side, wanted, made);
    }
    let decoded = files::text(files, name)?;
    made.remarks.extend(decoded.remark(name));
    let text = Arc::new(decoded.text);
    match format {
        Format::Trn => words::trn(&text, name, side, made),
        Format::Stm => words::stm(&text, name, side, made),
        Format::Ctm => words::ctm(&text, name, made),
        Format::KaldiText => words::kaldi_text(&text, made),
        Format::RevNlp => words::rev_nlp(&text, name, made),
        Format::SegLst => segments::seg_lst(&text, name, made),
        Format::Srt | Format::Vtt | Format::WhisperTsv => {
            let heard = subtitles::text_of(&text, format, name, &mut made.remarks)?;
            made.entries.push(Entry::of(stem(name), 1, heard));
            Ok(())
        }
        Format::Elan | Format::TextGrid => {
            let tier = wanted.text_column.as_deref();
            let (heard, remark) = annotations(format, &text, tier, name)?;
            made.remarks.extend(remark);
            made.entries.push(Entry::of(stem(name), 1, heard));
            Ok(())
        }
        Format::Service => {
            let entry = services::entry(&text, name, wanted.channel, &mut made.remarks)?;
            made.entries.push(entry);
            Ok(())
        }
        _ => {
            words::plain(&text, made);
            Ok(())
        }
    }
}
