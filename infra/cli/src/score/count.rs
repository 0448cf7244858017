//! Counting: each system's hypothesis of each sample.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use stt_eval_formats::markup::{Markup, reference};
use stt_eval_formats::{Hypothesis, Pair, Pairs};
use stt_eval_scoring::align::PairCounter;
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::{Counts, Flag, ScoreError, Scorer, check_length, trim};

use super::figures::Ends;
use super::unscored::Unscored;

/// One hypothesis, counted. Lists are long: the counts of most texts take little room.
#[derive(Debug, Clone)]
pub struct One(Kept);

#[derive(Debug, Clone)]
enum Kept {
    Short {
        words: [u16; 4],
        chars: [u16; 4],
        state: State,
    },
    Long(Box<Long>),
}

/// Of long texts, and where more was asked for.
#[derive(Debug, Clone)]
struct Long {
    words: Counts,
    chars: Counts,
    state: State,
    more: Option<More>,
}

/// What there was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Heard,
    Missing,
    Failed,
}

impl One {
    fn new(state: State, words: Counts, chars: Counts, more: Option<More>) -> Self {
        let short = (more.is_none(), short(words), short(chars));
        Self(match short {
            (true, Some(words), Some(chars)) => Kept::Short {
                words,
                chars,
                state,
            },
            _ => Kept::Long(Box::new(Long {
                words,
                chars,
                state,
                more,
            })),
        })
    }

    /// Words.
    pub fn words(&self) -> Counts {
        match &self.0 {
            Kept::Short { words, .. } => counts(*words),
            Kept::Long(long) => long.words,
        }
    }

    /// Characters.
    pub fn chars(&self) -> Counts {
        match &self.0 {
            Kept::Short { chars, .. } => counts(*chars),
            Kept::Long(long) => long.chars,
        }
    }

    /// What only conditions of a gate look at, if it was asked for.
    pub fn more(&self) -> Option<&More> {
        match &self.0 {
            Kept::Short { .. } => None,
            Kept::Long(long) => long.more.as_ref(),
        }
    }

    fn state(&self) -> State {
        match &self.0 {
            Kept::Short { state, .. } => *state,
            Kept::Long(long) => long.state,
        }
    }

    /// There was no hypothesis; it counts as an empty one.
    pub fn is_missing(&self) -> bool {
        self.state() == State::Missing
    }

    /// The service failed: it is in no figure.
    pub fn is_failed(&self) -> bool {
        self.state() == State::Failed
    }
}

fn short(counts: Counts) -> Option<[u16; 4]> {
    let Counts {
        hits,
        substitutions,
        deletions,
        insertions,
    } = counts;
    let one = |count| u16::try_from(count).ok();
    Some([
        one(hits)?,
        one(substitutions)?,
        one(deletions)?,
        one(insertions)?,
    ])
}

fn counts(short: [u16; 4]) -> Counts {
    let [hits, substitutions, deletions, insertions] = short.map(u64::from);
    Counts {
        hits,
        substitutions,
        deletions,
        insertions,
    }
}

/// What only conditions of a gate look at.
#[derive(Debug, Clone)]
pub struct More {
    /// Words of the untouched texts.
    pub raw_words: Counts,
    /// What is suspicious.
    pub flags: Vec<Flag>,
}

/// One system.
#[derive(Debug, Clone)]
pub struct System {
    /// Its name.
    pub name: String,
    /// One for each sample.
    pub samples: Vec<One>,
    /// US dollars, where a run tells them.
    pub cost_usd: Option<f64>,
    /// 95 of 100 answers took no longer, where a run tells it.
    pub latency_p95_ms: Option<f64>,
    /// Intervals of its rates, where a run tells them.
    pub told: Option<Told>,
}

/// Intervals that were drawn elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// Of WER.
    pub words: Option<Ends>,
    /// Of CER.
    pub characters: Option<Ends>,
}

/// Everything, counted.
#[derive(Debug, Clone)]
pub struct Scored {
    /// The samples.
    pub pairs: Pairs,
    /// The systems, in the order of the pairs.
    pub systems: Vec<System>,
}

/// What is asked of counting.
#[derive(Clone, Copy)]
struct Asked<'a> {
    normaliser: &'a Normaliser,
    language: &'a str,
    markup: Option<Markup>,
    /// Untouched words and flags too.
    all: bool,
}

/// Fewer samples than this are not worth a thread.
const FOR_A_THREAD: usize = 500;
/// More threads wait for memory and not for each other.
const MOST_THREADS: usize = 8;

/// Counts. `all` asks for untouched words and flags too.
///
/// # Errors
/// Markup that means nothing, and texts that are too different to be aligned.
pub fn count(
    pairs: Pairs,
    normaliser: &Normaliser,
    language: &str,
    markup: Option<Markup>,
    all: bool,
) -> Result<Scored, Unscored> {
    let asked = Asked {
        normaliser,
        language,
        markup,
        all,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = threads
        .min(MOST_THREADS)
        .min(pairs.samples.len() / FOR_A_THREAD)
        .max(1);
    let each = pairs.samples.len().div_ceil(parts).max(1);
    let count = pairs.samples.len();
    let mine = 0..count.min(each);
    let ranges = (1..parts).map(|part| count.min(part * each)..count.min((part + 1) * each));
    let all = &pairs;
    let counted = std::thread::scope(|scope| {
        let others: Vec<_> = ranges
            .map(|range| scope.spawn(move || part(all, range, asked)))
            .collect();
        let mut counted = vec![part(all, mine, asked)];
        for other in others {
            counted.push(other.join().unwrap_or_else(|panic| {
                // It was told by the hook; here it only goes on.
                std::panic::resume_unwind(panic)
            }));
        }
        counted
    });
    let mut made: Vec<System> = pairs
        .systems
        .iter()
        .map(|name| System {
            name: name.clone(),
            samples: Vec::new(),
            cost_usd: None,
            latency_p95_ms: None,
            told: None,
        })
        .collect();
    // In the order of the samples, also of what went wrong: the first is told.
    for part in counted {
        for (system, samples) in made.iter_mut().zip(part?) {
            if system.samples.is_empty() {
                system.samples = samples;
            } else {
                system.samples.extend(samples);
            }
        }
    }
    Ok(Scored {
        pairs,
        systems: made,
    })
}

/// Counts some samples: a list for each system.
fn part(pairs: &Pairs, range: Range<usize>, asked: Asked<'_>) -> Result<Vec<Vec<One>>, Unscored> {
    let samples = pairs.samples.get(range.clone()).unwrap_or_default();
    let heard_of = |at: usize| {
        let systems = pairs.heard.iter();
        systems.map(move |heard| heard.get(at).unwrap_or(&Hypothesis::Missing))
    };
    let mut counted: Vec<Vec<One>> = Vec::with_capacity(pairs.heard.len());
    counted.resize_with(pairs.heard.len(), || Vec::with_capacity(samples.len()));
    let mut counter = PairCounter::default();
    let mut scorers: HashMap<&str, Scorer> = HashMap::new();
    for (at, pair) in range.zip(samples) {
        let told = |error: ScoreError| Unscored::of(pair, error);
        let markup = asked.markup.or(pair.markup()).unwrap_or(Markup::None);
        let tag = pair.language().unwrap_or(asked.language);
        if markup == Markup::None && !asked.all {
            check_length(&pair.reference).map_err(told)?;
            let normal = match asked.normaliser.steps() {
                [] => Cow::Borrowed(pair.reference.as_str()),
                _ => Cow::Owned(asked.normaliser.apply_to_reference(&pair.reference, tag)),
            };
            let reference = trim(&normal);
            for (system, heard) in counted.iter_mut().zip(heard_of(at)) {
                let one = plain(&mut counter, reference, heard, asked, tag);
                system.push(one.map_err(told)?);
            }
            continue;
        }
        let scorer = scorers
            .entry(tag)
            .or_insert_with(|| Scorer::new(asked.normaliser.clone(), tag));
        let text =
            reference(&pair.reference, markup).map_err(|reason| Unscored::markup(pair, reason))?;
        scorer.set_reference(&text).map_err(told)?;
        for (system, heard) in counted.iter_mut().zip(heard_of(at)) {
            system.push(one(scorer, heard, asked.all).map_err(told)?);
        }
    }
    Ok(counted)
}

/// What is heard, and what there was. What a service failed at is in no figure; its counts are
/// those of an empty text.
fn heard_text(heard: &Hypothesis) -> (State, &str) {
    match heard {
        Hypothesis::Text(text) => (State::Heard, text.as_str()),
        Hypothesis::Missing => (State::Missing, ""),
        Hypothesis::Failed(_) => (State::Failed, ""),
    }
}

fn one(scorer: &mut Scorer, heard: &Hypothesis, all: bool) -> Result<One, ScoreError> {
    let (state, text) = heard_text(heard);
    let score = scorer.score(text, None)?;
    let (words, chars) = (score.words(), score.chars());
    let more = More {
        raw_words: score.raw_words,
        flags: score.flags,
    };
    let more = all.then_some(more);
    Ok(One::new(state, words, chars, more))
}

/// Words and characters of a pair without markup: what the document tells and nothing else,
/// by the parts that the scorer is made of.
fn plain(
    counter: &mut PairCounter,
    reference: &str,
    heard: &Hypothesis,
    asked: Asked<'_>,
    tag: &str,
) -> Result<One, ScoreError> {
    let (state, text) = heard_text(heard);
    check_length(text)?;
    let normal = match asked.normaliser.steps() {
        [] => Cow::Borrowed(text),
        _ => Cow::Owned(asked.normaliser.apply(text, tag)),
    };
    let (words, chars) = counter.count(reference, trim(&normal))?;
    Ok(One::new(state, words, chars, None))
}

/// Samples of a group, or all.
pub fn is_in(pair: &Pair, group: Option<&(String, String)>) -> bool {
    let Some((key, value)) = group else {
        return true;
    };
    pair.field(key) == Some(value.as_str())
}
