//! A reference under one normaliser, ready to be compared.

use super::align::{CharAligner, GraphemeAligner, Op, OpRun, TokenAligner, WordAligner};
use super::aligned::{AlignedWord, SpannedWord};
use super::error::{ScoreError, Unit};
use super::lattice::{self, Choice, Stretch};
use super::normalise::Normaliser;
use super::rates::Counts;
use super::reference::{Parsed, Segment};
use super::sample::PairCounts;
use super::text::{self, Pieces};
use super::tokens::{self, Word};
use std::borrow::Cow;

/// A reference segment after normalisation.
#[derive(Debug, Clone)]
enum Normal {
    Fixed(Pieces),
    Group(Vec<Pieces>),
    Unclear,
}

/// The words between two `<*>`, of both texts.
struct Part {
    reference: Vec<Word>,
    hypothesis: Vec<Word>,
    /// Hypothesis words on the `<*>` after this part.
    absorbed: Vec<Word>,
}

/// What a reference is made of.
#[derive(Debug, Clone)]
enum Source {
    /// One text without markup, as it was given.
    Text(String),
    Segments(Vec<Normal>),
}

/// A reference under one normaliser.
#[derive(Debug, Clone)]
pub(super) struct PreparedReference {
    pub(super) normaliser: Normaliser,
    with_graphemes: bool,
    /// Whether each character of the prepared text is a cluster of its own.
    reference_is_simple: bool,
    reference: Source,
    /// The reference after normalisation, if it has no variants. The tables are of it; else
    /// they are of what the last hypothesis chose.
    text: Option<String>,
    words: WordAligner,
    chars: CharAligner,
    graphemes: GraphemeAligner,
}

impl PreparedReference {
    pub(super) fn new(normaliser: Normaliser, with_graphemes: bool) -> Self {
        Self {
            normaliser,
            with_graphemes,
            reference_is_simple: true,
            reference: Source::Text(String::new()),
            text: Some(String::new()),
            words: WordAligner::new(),
            chars: CharAligner::new(),
            graphemes: GraphemeAligner::new(),
        }
    }

    pub(super) fn set_reference(&mut self, parsed: &Parsed<'_>, language: &str) {
        match parsed {
            Parsed::Plain(text) => {
                self.text = Some(self.normaliser.apply_to_reference(text, language));
                self.reference = Source::Text((*text).to_owned());
            }
            Parsed::Segments(segments) => {
                let segments = segments.iter().map(|segment| match segment {
                    Segment::Fixed(pieces) => Normal::Fixed(self.normal(pieces, language)),
                    Segment::Group(alternatives) => {
                        let apply = |pieces| self.normal(pieces, language);
                        Normal::Group(alternatives.iter().map(apply).collect())
                    }
                    Segment::Unclear => Normal::Unclear,
                });
                let segments: Vec<Normal> = segments.collect();
                self.text = match segments.as_slice() {
                    [Normal::Fixed(pieces)] => Some(text::to_string(pieces)),
                    _ => None,
                };
                self.reference = Source::Segments(segments);
            }
        }
        if let Some(text) = self.text.take() {
            self.prepare(&text);
            self.text = Some(text);
        }
    }

    fn normal(&self, pieces: &Pieces, language: &str) -> Pieces {
        self.normaliser
            .apply_pieces_to_reference(pieces.clone(), language)
    }

    pub(super) fn normalise(&self, hypothesis: &str, language: &str) -> String {
        self.normaliser.apply(hypothesis, language)
    }

    /// Whether normalisation left the reference as it was.
    pub(super) fn is_as_given(&self) -> bool {
        match (&self.reference, &self.text) {
            (Source::Text(given), Some(text)) => given == text,
            _ => self.normaliser.steps().is_empty(),
        }
    }

    /// All the text of the reference, alternatives one after the other, for flags.
    pub(super) fn reference_text(&self) -> Cow<'_, str> {
        if let Some(text) = &self.text {
            return Cow::Borrowed(text);
        }
        let segments = match &self.reference {
            Source::Segments(segments) => segments.as_slice(),
            Source::Text(_) => &[],
        };
        let mut out = String::new();
        for pieces in segments.iter().flat_map(|segment| match segment {
            Normal::Fixed(pieces) => std::slice::from_ref(pieces),
            Normal::Group(alternatives) => alternatives.as_slice(),
            Normal::Unclear => &[],
        }) {
            out.extend(pieces.iter().map(|p| p.ch));
            out.push(' ');
        }
        Cow::Owned(out)
    }

    /// The segments of a reference that has variants.
    fn variants(&self) -> Option<&[Normal]> {
        match (&self.reference, &self.text) {
            (Source::Segments(segments), None) => Some(segments),
            _ => None,
        }
    }

    /// Builds the tables of a reference text.
    fn prepare(&mut self, text: &str) {
        let text = tokens::trim(text);
        self.words.set_reference(text);
        self.chars.set_reference(text);
        self.reference_is_simple = is_simple(text);
        if self.with_graphemes {
            self.graphemes.set_reference(text);
        }
    }

    /// Scores a normalised hypothesis against the prepared text.
    fn score_prepared(&mut self, hypothesis: &str) -> Result<PairCounts, ScoreError> {
        let hypothesis = tokens::trim(hypothesis);
        let words = self.words.align(hypothesis)?;
        let longest_insertion = longest_insertion(self.words.runs());
        let chars = self.chars.align(hypothesis)?;
        let graphemes = if self.reference_is_simple && is_simple(hypothesis) {
            chars
        } else if self.with_graphemes {
            self.graphemes.align(hypothesis)?
        } else {
            Counts::default()
        };
        Ok(PairCounts {
            words,
            chars,
            graphemes,
            longest_insertion,
        })
    }

    pub(super) fn score(&mut self, hypothesis: &str) -> Result<PairCounts, ScoreError> {
        let Some(reference) = self.variants() else {
            return self.score_prepared(hypothesis);
        };
        let mut sum = PairCounts::default();
        for part in parts(reference, words_of(hypothesis))? {
            self.prepare(&tokens::join(&part.reference));
            let counts = self.score_prepared(&tokens::join(&part.hypothesis))?;
            sum.words.add(&counts.words);
            sum.chars.add(&counts.chars);
            sum.graphemes.add(&counts.graphemes);
            sum.longest_insertion = sum.longest_insertion.max(counts.longest_insertion);
        }
        Ok(sum)
    }

    pub(super) fn word_counts(&mut self, hypothesis: &str) -> Result<Counts, ScoreError> {
        let Some(reference) = self.variants() else {
            return self.words.align(hypothesis);
        };
        let mut sum = Counts::default();
        for part in parts(reference, words_of(hypothesis))? {
            self.words.set_reference(&tokens::join(&part.reference));
            sum.add(&self.words.align(&tokens::join(&part.hypothesis))?);
        }
        Ok(sum)
    }

    pub(super) fn align_words(
        &mut self,
        hypothesis: &str,
        language: &str,
    ) -> Result<Vec<AlignedWord>, ScoreError> {
        let pieces = text::pieces(hypothesis);
        let hypothesis = tokens::spanned_words(&self.normaliser.apply_pieces(pieces, language));
        let mut out = Vec::new();
        let mut aligner = TokenAligner::new(Unit::Word);
        let plain;
        let reference = match &self.reference {
            Source::Segments(segments) => segments.as_slice(),
            Source::Text(given) => {
                plain = [Normal::Fixed(self.normal(&text::pieces(given), language))];
                &plain
            }
        };
        for part in parts(reference, hypothesis)? {
            aligner.set_reference(part.reference.iter().map(Word::as_str));
            aligner.align(part.hypothesis.iter().map(Word::as_str))?;
            let mut reference = part.reference.iter().map(SpannedWord::from);
            let mut hypothesis = part.hypothesis.iter().map(SpannedWord::from);
            for run in aligner.runs() {
                for _ in 0..run.len {
                    out.push(AlignedWord {
                        op: run.op,
                        reference: (run.op != Op::Insert).then(|| reference.next()).flatten(),
                        hypothesis: (run.op != Op::Delete).then(|| hypothesis.next()).flatten(),
                    });
                }
            }
            out.extend(part.absorbed.iter().map(|word| AlignedWord {
                op: Op::Unclear,
                reference: None,
                hypothesis: Some(word.into()),
            }));
        }
        Ok(out)
    }
}

/// Chooses among the variants; cuts both texts at each `<*>`.
fn parts(reference: &[Normal], hypothesis: Vec<Word>) -> Result<Vec<Part>, ScoreError> {
    let words: Vec<Vec<Vec<Word>>> = reference
        .iter()
        .map(|segment| match segment {
            Normal::Fixed(pieces) => vec![tokens::spanned_words(pieces)],
            Normal::Group(alternatives) => alternatives
                .iter()
                .map(|pieces| tokens::spanned_words(pieces))
                .collect(),
            Normal::Unclear => Vec::new(),
        })
        .collect();
    let stretches: Vec<Stretch<'_>> = reference
        .iter()
        .zip(&words)
        .map(|(segment, words)| match (segment, words.as_slice()) {
            (Normal::Unclear, _) => Stretch::Unclear,
            (Normal::Fixed(_), [words]) => Stretch::Fixed(as_strs(words)),
            (_, alternatives) => {
                Stretch::Group(alternatives.iter().map(|words| as_strs(words)).collect())
            }
        })
        .collect();
    let choices = lattice::resolve(&stretches, &as_strs(&hypothesis))?;

    let mut parts = Vec::new();
    let mut chosen = Vec::new();
    let mut rest = hypothesis.into_iter();
    let mut consumed = 0;
    for (choice, mut alternatives) in choices.into_iter().zip(words) {
        match choice {
            Choice::Fixed => chosen.extend(alternatives.swap_remove(0)),
            Choice::Alternative(index) => chosen.extend(alternatives.swap_remove(index)),
            Choice::Absorbed(range) => {
                let hypothesis = rest.by_ref().take(range.start - consumed).collect();
                consumed = range.end;
                parts.push(Part {
                    reference: std::mem::take(&mut chosen),
                    hypothesis,
                    absorbed: rest.by_ref().take(range.len()).collect(),
                });
            }
        }
    }
    parts.push(Part {
        reference: chosen,
        hypothesis: rest.collect(),
        absorbed: Vec::new(),
    });
    Ok(parts)
}

/// The words of a normalised hypothesis.
fn words_of(hypothesis: &str) -> Vec<Word> {
    tokens::spanned_words(&text::pieces(hypothesis))
}

fn as_strs(words: &[Word]) -> Vec<&str> {
    words.iter().map(Word::as_str).collect()
}

/// Whether every character is a grapheme cluster of its own, so that counts over
/// the two are the same. In ASCII only CR LF is not.
fn is_simple(text: &str) -> bool {
    text.is_ascii() && !text.contains('\r')
}

fn longest_insertion(runs: &[OpRun]) -> u64 {
    let inserted = runs.iter().filter(|run| run.op == Op::Insert);
    u64::from(inserted.map(|run| run.len).max().unwrap_or(0))
}
