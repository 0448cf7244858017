//! Counting: each system's hypothesis of each sample.

use std::borrow::Cow;
use std::collections::HashMap;

use stt_eval_formats::markup::{Markup, reference};
use stt_eval_formats::{Hypothesis, Pair, Pairs};
use stt_eval_scoring::align::{CharAligner, WordAligner};
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::{Counts, Flag, ScoreError, Scorer, check_length, trim};

use crate::failure::{Exit, Failure};

/// One hypothesis, counted.
#[derive(Debug, Clone, Default)]
pub struct One {
    /// Words.
    pub words: Counts,
    /// Characters.
    pub chars: Counts,
    /// What only conditions of a gate look at, if it was asked for: lists are long.
    pub more: Option<Box<More>>,
    /// There was no hypothesis; it counts as an empty one.
    pub is_missing: bool,
    /// The service failed: it is in no figure.
    pub is_failed: bool,
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
) -> Result<Scored, Failure> {
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
    let mut chunks = pairs.samples.chunks(each);
    let mine = chunks.next().unwrap_or_default();
    let systems = pairs.systems.len();
    let counted = std::thread::scope(|scope| {
        let others: Vec<_> = chunks
            .map(|chunk| scope.spawn(move || part(chunk, systems, asked)))
            .collect();
        let mut counted = vec![part(mine, systems, asked)];
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
fn part(samples: &[Pair], systems: usize, asked: Asked<'_>) -> Result<Vec<Vec<One>>, Failure> {
    let mut counted = vec![Vec::with_capacity(samples.len()); systems];
    let mut plain = Plain::default();
    let mut scorers: HashMap<&str, Scorer> = HashMap::new();
    for pair in samples {
        let wrong = |reason: String| {
            let message = format!("{}: {reason}", pair.id);
            Failure::new(Exit::Findings, "bad_markup", message)
                .hint("--markup none takes braces as they stand")
        };
        let markup = asked.markup.or(pair.markup).unwrap_or(Markup::None);
        let tag = pair.language.as_deref().unwrap_or(asked.language);
        if markup == Markup::None && !asked.all {
            plain
                .set(&pair.reference, asked.normaliser, tag)
                .map_err(|error| wrong(error.to_string()))?;
            for (system, heard) in counted.iter_mut().zip(&pair.heard) {
                let one = plain.one(heard, asked.normaliser, tag);
                system.push(one.map_err(|error| wrong(error.to_string()))?);
            }
            continue;
        }
        let scorer = scorers
            .entry(tag)
            .or_insert_with(|| Scorer::new(asked.normaliser.clone(), tag));
        let text = reference(&pair.reference, markup).map_err(&wrong)?;
        scorer
            .set_reference(&text)
            .map_err(|error| wrong(error.to_string()))?;
        for (system, heard) in counted.iter_mut().zip(&pair.heard) {
            let one = one(scorer, heard, asked.all).map_err(|error| wrong(error.to_string()))?;
            system.push(one);
        }
    }
    Ok(counted)
}

/// What is heard, if the sample counts.
fn heard_text(heard: &Hypothesis) -> (Option<&str>, One) {
    let mut one = One::default();
    let text = match heard {
        Hypothesis::Text(text) => Some(text.as_str()),
        Hypothesis::Missing => {
            one.is_missing = true;
            Some("")
        }
        Hypothesis::Failed(_) => {
            one.is_failed = true;
            None
        }
    };
    (text, one)
}

fn one(scorer: &mut Scorer, heard: &Hypothesis, all: bool) -> Result<One, ScoreError> {
    let (text, mut one) = heard_text(heard);
    if let Some(text) = text {
        let score = scorer.score(text, None)?;
        one.words = score.words();
        one.chars = score.chars();
        one.more = all.then(|| {
            let (raw_words, flags) = (score.raw_words, score.flags);
            Box::new(More { raw_words, flags })
        });
    }
    Ok(one)
}

/// Words and characters of texts without markup: what the document tells and nothing else,
/// by the parts that the scorer is made of.
#[derive(Default)]
struct Plain {
    words: WordAligner,
    chars: CharAligner,
}

impl Plain {
    fn set(&mut self, text: &str, normaliser: &Normaliser, tag: &str) -> Result<(), ScoreError> {
        check_length(text)?;
        let normal = match normaliser.steps() {
            [] => Cow::Borrowed(text),
            _ => Cow::Owned(normaliser.apply_to_reference(text, tag)),
        };
        let reference = trim(&normal);
        self.words.set_reference(reference);
        self.chars.set_reference(reference);
        Ok(())
    }

    fn one(
        &mut self,
        heard: &Hypothesis,
        normaliser: &Normaliser,
        tag: &str,
    ) -> Result<One, ScoreError> {
        let (text, mut one) = heard_text(heard);
        if let Some(text) = text {
            check_length(text)?;
            let normal = match normaliser.steps() {
                [] => Cow::Borrowed(text),
                _ => Cow::Owned(normaliser.apply(text, tag)),
            };
            let text = trim(&normal);
            one.words = self.words.align(text)?;
            one.chars = self.chars.align(text)?;
        }
        Ok(one)
    }
}

/// Samples of a group, or all.
pub fn is_in(pair: &Pair, group: Option<&(String, String)>) -> bool {
    let Some((key, value)) = group else {
        return true;
    };
    let own = match key.as_str() {
        "language" => pair.language.as_deref(),
        "speaker" => pair.speaker.as_deref(),
        _ => None,
    };
    own == Some(value.as_str())
}
