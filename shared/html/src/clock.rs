//! When the words of a clip were said, for all its transcriptions alike.
//!
//! Few vendors tell times. Those of one transcription become times of the reference by its
//! alignment, and by theirs times of all the others: so each word can be played from, and
//! which transcriptions came with times, which would tell of their models, is not seen.

use stt_eval_wire::results::{Result as Heard, WordTime};
use stt_eval_wire::scores::AlignedWord;

/// When the word was begun that stands at a place of a text, or the phrase that it is in.
pub(crate) fn begun(times: &[WordTime], start: usize) -> Option<u32> {
    let is_before = |time: &WordTime| usize::try_from(time.start).is_ok_and(|at| at <= start);
    let last = times.partition_point(is_before).checked_sub(1)?;
    times.get(last).map(|time| time.at_ms)
}

fn own(heard: &Heard) -> &[WordTime] {
    heard.word_times.as_deref().unwrap_or_default()
}

fn alignment(heard: &Heard) -> Option<&[AlignedWord]> {
    heard.alignment.as_ref()?.as_deref()
}

/// Adds a time unless it is not behind the others.
fn push(times: &mut Vec<WordTime>, start: usize, at_ms: u32) {
    let is_behind = |last: &WordTime, start| last.start < start && last.at_ms <= at_ms;
    if let Ok(start) = u32::try_from(start)
        && times.last().is_none_or(|last| is_behind(last, start))
    {
        times.push(WordTime { start, at_ms });
    }
}

/// Times of the reference's words by one transcription.
fn by(heard: &Heard) -> Vec<WordTime> {
    let mut times = Vec::new();
    for aligned in alignment(heard).unwrap_or_default() {
        if let (Some(said), Some(word)) = (&aligned.reference, &aligned.hypothesis)
            && let Some(at_ms) = begun(own(heard), word.start)
        {
            push(&mut times, said.start, at_ms);
        }
    }
    times
}

/// Times of the words of a clip's reference, by the transcription that tells most of them
/// apart.
pub(crate) fn of_reference<'a>(slots: impl Iterator<Item = &'a Heard>) -> Vec<WordTime> {
    let moments = |times: &Vec<WordTime>| {
        let later = times.windows(2).filter(|pair| {
            let [before, after] = pair else { return false };
            before.at_ms < after.at_ms
        });
        usize::from(!times.is_empty()) + later.count()
    };
    slots.map(by).max_by_key(moments).unwrap_or_default()
}

/// Times of a transcription's words by those of its reference. Without an alignment they
/// are its own, if these may be `shown`.
pub(crate) fn of_transcription(heard: &Heard, said: &[WordTime], shown: bool) -> Vec<WordTime> {
    let Some(alignment) = alignment(heard) else {
        let own = if shown { own(heard) } else { &[] };
        return own.to_vec();
    };
    let mut times = Vec::new();
    let mut at = None;
    for aligned in alignment {
        if let Some(word) = &aligned.reference {
            at = begun(said, word.start).or(at);
        }
        if let (Some(word), Some(at)) = (&aligned.hypothesis, at) {
            push(&mut times, word.start, at);
        }
    }
    times
}

/// Whether all of them came with times, or none.
pub(crate) fn are_alike<'a>(mut slots: impl Iterator<Item = &'a Heard>) -> bool {
    let first = slots.next().map(|heard| own(heard).is_empty());
    slots.all(|heard| Some(own(heard).is_empty()) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(pairs: &[(u32, u32)]) -> Vec<WordTime> {
        let pairs = pairs.iter();
        pairs
            .map(|&(start, at_ms)| WordTime { start, at_ms })
            .collect()
    }

    #[test]
    fn a_word_has_the_time_of_the_phrase_that_it_is_in() {
        let told = times(&[(0, 100), (8, 900)]);
        assert_eq!(begun(&told, 0), Some(100));
        assert_eq!(begun(&told, 7), Some(100));
        assert_eq!(begun(&told, 8), Some(900));
        assert_eq!(begun(&told, 100), Some(900));
        assert_eq!(begun(&times(&[(4, 1)]), 3), None);
        assert_eq!(begun(&[], 3), None);
    }

    #[test]
    fn times_only_go_on() {
        let mut made = Vec::new();
        for (start, at_ms) in [(0, 100), (0, 200), (4, 50), (4, 300), (9, 300)] {
            push(&mut made, start, at_ms);
        }
        assert_eq!(made, times(&[(0, 100), (4, 300), (9, 300)]));
    }
}
