//! What people say of results: what each of them said, and what follows of it.
//!
//! All that is said of a result is one record, so that it changes with the verdict that
//! follows of it, and lists read it with the result.

use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::{KeyId, ResultId, Timestamp};

/// Longest comment of a reviewer in characters.
pub const MAX_COMMENT_CHARS: usize = 5_000;

/// Most people who can say something of one result.
pub const MAX_REVIEWERS: usize = 100;

/// Most bytes of comments and proposed references of one result: DynamoDB takes items of 400 KB.
pub const MAX_COMMENT_BYTES: usize = 300_000;

/// What a reviewer finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It says what was said.
    Right,
    /// It does not.
    Wrong,
    /// That can't be told.
    CannotTell,
}

impl Verdict {
    /// Its name in requests and forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
            Self::CannotTell => "cannot_tell",
        }
    }
}

/// Why a verdict was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A name is wrong.
    Name,
    /// A number or a date is wrong.
    NumberOrDate,
    /// A word of another language, or in another script.
    CodeMixed,
    /// The same word in another accepted spelling.
    SpellingVariant,
    /// The right word in a wrong form.
    WordForm,
    /// The meaning is another one.
    MeaningChanged,
    /// Something was added that was not said.
    InventedText,
    /// Something that was said is missing.
    MissingText,
    /// The reference is wrong, not the transcription.
    ReferenceWrong,
    /// The recording can't be understood.
    AudioUnusable,
}

impl Reason {
    /// All of them: those of a transcription, then the two of a recording.
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::NumberOrDate,
        Self::CodeMixed,
        Self::SpellingVariant,
        Self::WordForm,
        Self::MeaningChanged,
        Self::InventedText,
        Self::MissingText,
        Self::ReferenceWrong,
        Self::AudioUnusable,
    ];

    /// Its name in requests and forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NumberOrDate => "number_or_date",
            Self::CodeMixed => "code_mixed",
            Self::SpellingVariant => "spelling_variant",
            Self::WordForm => "word_form",
            Self::MeaningChanged => "meaning_changed",
            Self::InventedText => "invented_text",
            Self::MissingText => "missing_text",
            Self::ReferenceWrong => "reference_wrong",
            Self::AudioUnusable => "audio_unusable",
        }
    }
}

/// The order in which a reviewer met a result. Only of [`Queue::Random`] do verdicts
/// speak for all results; the others are biased samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Queue {
    /// In the order of the dataset.
    Clips,
    /// Highest word error rate first.
    Worst,
    /// Where models disagree, most first.
    Disagreement,
    /// Where a transcription looks suspicious.
    Flags,
    /// What nobody has reviewed; of one clip in ten, what one other person has. So work is
    /// shared, and agreement is known.
    Unreviewed,
    /// What others have reviewed.
    Second,
    /// Where reviewers disagree.
    Split,
    /// By chance, the same for all reviewers of a run.
    Random,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Clips,
        Self::Worst,
        Self::Disagreement,
        Self::Flags,
        Self::Unreviewed,
        Self::Second,
        Self::Split,
        Self::Random,
    ];

    /// Its name in requests and addresses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clips => "clips",
            Self::Worst => "worst",
            Self::Disagreement => "disagreement",
            Self::Flags => "flags",
            Self::Unreviewed => "unreviewed",
            Self::Second => "second",
            Self::Split => "split",
            Self::Random => "random",
        }
    }
}

/// Who says something: a key, and within it a person where that is known. Keys are
/// shared; agreement is between people. A name is of one person however it is typed, with
/// small letters or capitals.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reviewer {
    /// The key.
    pub key: KeyId,
    /// The name given at sign-in; `None` of a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Reviewer {
    /// What tells a person from others with the same key.
    #[must_use]
    pub fn person(&self) -> Option<String> {
        let words = self.name.as_ref()?.split_whitespace();
        Some(words.collect::<Vec<_>>().join(" ").to_lowercase())
    }
}

impl PartialEq for Reviewer {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.person() == other.person()
    }
}

impl Eq for Reviewer {}

impl Hash for Reviewer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.key, self.person()).hash(state);
    }
}

/// What one reviewer says of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Opinion {
    /// Who.
    pub reviewer: Reviewer,
    /// What they find; `None` where there is a remark only.
    pub verdict: Option<Verdict>,
    /// Why, each at most once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// Remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// A reference that would take the transcription as well, for an editor to decide on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<String>,
    /// How much of the recording was played before, in percent; `None`: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listened: Option<u8>,
    /// Whether the reviewer did not know which model it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind: bool,
    /// The order in which it was met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<Queue>,
    /// When it was given or last changed.
    pub at: Timestamp,
    /// What was said before the last change, for undoing that one, and then those before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Box<Opinion>>,
}

impl Opinion {
    /// Of a reviewer who has said nothing yet.
    #[must_use]
    pub fn nothing(reviewer: Reviewer, at: Timestamp) -> Self {
        Self {
            reviewer,
            verdict: None,
            reasons: Vec::new(),
            comment: None,
            proposed: None,
            listened: None,
            blind: false,
            queue: None,
            at,
            before: None,
        }
    }

    /// Whether it says anything.
    #[must_use]
    pub fn says_something(&self) -> bool {
        self.verdict.is_some()
            || !self.reasons.is_empty()
            || self.comment.is_some()
            || self.proposed.is_some()
    }

    /// Whether it says the same, however and whenever that was said.
    #[must_use]
    pub fn says_as(&self, other: &Self) -> bool {
        self.verdict == other.verdict
            && self.reasons == other.reasons
            && self.comment == other.comment
            && self.proposed == other.proposed
    }

    /// The same with as many earlier ones at most.
    #[must_use]
    pub fn with_recent(mut self, steps: usize) -> Self {
        self.before = match steps.checked_sub(1) {
            None => None,
            Some(steps) => self.before.map(|one| Box::new(one.with_recent(steps))),
        };
        self
    }

    /// When it was said, and what can be taken back to before it, newest first.
    #[must_use]
    pub fn times(&self) -> Vec<Timestamp> {
        let all = std::iter::successors(Some(self), |one| one.before.as_deref());
        all.map(|one| one.at).collect()
    }

    /// Whether it says what stood before, and proposes a reference besides.
    fn only_proposes(&self) -> bool {
        let nothing = Self::nothing(self.reviewer.clone(), self.at);
        let before = self.before.as_deref().unwrap_or(&nothing);
        let others = |of: &Self| -> Vec<Reason> {
            let reasons = of.reasons.iter().copied();
            reasons
                .filter(|of| *of != Reason::SpellingVariant)
                .collect()
        };
        self.proposed.is_some()
            && self.verdict == before.verdict
            && self.comment == before.comment
            && others(self) == others(before)
    }

    /// What was said at a time (`None`: nothing yet), if only references have been proposed
    /// since: who does that judges nothing anew.
    #[must_use]
    pub fn before_proposals(&self, at: Option<Timestamp>) -> Option<Option<&Self>> {
        let mut one = self;
        while Some(one.at) != at {
            if !one.only_proposes() {
                return None;
            }
            match &one.before {
                Some(before) => one = before,
                None => return at.is_none().then_some(None),
            }
        }
        Some(Some(one))
    }

    fn bytes(&self) -> usize {
        let texts = [&self.comment, &self.proposed];
        let own: usize = texts.into_iter().flatten().map(String::len).sum();
        own + self.before.as_ref().map_or(0, |before| before.bytes())
    }

    /// How it counts: right, wrong, or not at all. A word that is wrong for nothing but
    /// its spelling, which is accepted as well, is right.
    #[must_use]
    pub fn vote(&self) -> Option<bool> {
        match self.verdict? {
            Verdict::Right => Some(true),
            Verdict::Wrong => Some(self.reasons == [Reason::SpellingVariant]),
            Verdict::CannotTell => None,
        }
    }
}

/// A result has no place for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// What reviewers say of a result. Its own item beside the outcome, so that collecting
/// again can never overwrite it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// The result it is about.
    pub id: ResultId,
    /// What most of them find; `None` without a majority.
    pub is_correct: Option<bool>,
    /// The latest remark.
    pub comment: Option<String>,
    /// Key of the one who changed it last.
    pub reviewed_by: KeyId,
    /// When that was.
    pub reviewed_at: Timestamp,
    /// What each says. Empty in what release 0.1.0 left, which kept one verdict; read
    /// it by [`Review::opinions`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    opinions: Vec<Opinion>,
    /// Who had a verdict and took it back: they may have been told by then which model it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    took_back: Vec<Reviewer>,
    /// Revision, part of the etag.
    pub rev: u64,
}

impl Review {
    /// What each reviewer says, in the order in which they first did.
    #[must_use]
    pub fn opinions(&self) -> Vec<Opinion> {
        if !self.opinions.is_empty() {
            return self.opinions.clone();
        }
        let reviewer = Reviewer {
            key: self.reviewed_by,
            name: None,
        };
        let left = Opinion {
            verdict: self.is_correct.map(|right| {
                if right {
                    Verdict::Right
                } else {
                    Verdict::Wrong
                }
            }),
            comment: self.comment.clone(),
            ..Opinion::nothing(reviewer, self.reviewed_at)
        };
        Some(left)
            .filter(Opinion::says_something)
            .into_iter()
            .collect()
    }

    /// What one reviewer says.
    #[must_use]
    pub fn of(&self, reviewer: &Reviewer) -> Option<Opinion> {
        let mut opinions = self.opinions().into_iter();
        opinions.find(|opinion| opinion.reviewer == *reviewer)
    }

    /// Whether a reviewer has a verdict, or had one.
    #[must_use]
    pub fn had_verdict_of(&self, reviewer: &Reviewer) -> bool {
        self.took_back.contains(reviewer)
            || self.of(reviewer).is_some_and(|own| own.verdict.is_some())
    }

    /// The review of a result after a reviewer has said something new, or nothing any
    /// more. Others are as they were.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn with(before: Option<&Self>, id: ResultId, said: Opinion) -> Result<Self, Full> {
        let (by, at) = (said.reviewer.key, said.at);
        let mut opinions = before.map(Self::opinions).unwrap_or_default();
        let own = opinions.iter().position(|o| o.reviewer == said.reviewer);
        let mut took_back = before.map(|of| of.took_back.clone()).unwrap_or_default();
        let had_verdict = own.and_then(|own| opinions.get(own)?.verdict).is_some();
        let is_new = had_verdict && said.verdict.is_none() && !took_back.contains(&said.reviewer);
        if is_new && took_back.len() < MAX_REVIEWERS {
            took_back.push(said.reviewer.clone());
        }
        match (own, said.says_something()) {
            (Some(own), true) => {
                if let Some(place) = opinions.get_mut(own) {
                    *place = said;
                }
            }
            (Some(own), false) => {
                opinions.remove(own);
            }
            (None, true) => opinions.push(said),
            (None, false) => {}
        }
        if opinions.len() > MAX_REVIEWERS
            || opinions.iter().map(Opinion::bytes).sum::<usize>() > MAX_COMMENT_BYTES
        {
            return Err(Full);
        }
        let latest = opinions.iter().filter(|o| o.comment.is_some());
        let latest = latest.max_by_key(|opinion| opinion.at);
        Ok(Self {
            id,
            is_correct: majority(&opinions),
            comment: latest.and_then(|opinion| opinion.comment.clone()),
            reviewed_by: by,
            // What was taken back has an earlier time.
            reviewed_at: before.map_or(at, |review| review.reviewed_at.max(at)),
            opinions,
            took_back,
            rev: before.map_or(1, |review| review.rev + 1),
        })
    }
}

/// What most find; `None` when as many find the opposite.
fn majority(opinions: &[Opinion]) -> Option<bool> {
    let votes = opinions.iter().filter_map(Opinion::vote);
    let balance: i64 = votes.map(|right| if right { 1 } else { -1 }).sum();
    (balance != 0).then_some(balance > 0)
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
