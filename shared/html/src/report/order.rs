//! What the models of a report are sorted by.

use std::cmp::Ordering;
use std::str::FromStr;

use stt_eval_wire::report::{ModelReport, Report};

use super::verdict::wer;

/// What the models of a report are sorted by; always the better ones first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// Rank.
    #[default]
    Rank,
    /// Name.
    Model,
    /// Word error rate.
    Wer,
    /// Difference to the lowest rate on the same clips.
    Difference,
    /// Character error rate.
    Cer,
    /// Share of clips without an error.
    Perfect,
    /// Share of clips with a transcription.
    Coverage,
    /// Share judged right by people.
    Human,
    /// Price of an hour of audio.
    Cost,
}

impl Order {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Rank,
        Self::Model,
        Self::Wer,
        Self::Difference,
        Self::Cer,
        Self::Perfect,
        Self::Coverage,
        Self::Human,
        Self::Cost,
    ];

    /// Its name in a URL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rank => "rank",
            Self::Model => "model",
            Self::Wer => "wer",
            Self::Difference => "difference",
            Self::Cer => "cer",
            Self::Perfect => "perfect",
            Self::Coverage => "coverage",
            Self::Human => "human",
            Self::Cost => "cost",
        }
    }

    /// Whether a higher figure is the better one.
    pub(super) const fn falls(self) -> bool {
        matches!(self, Self::Perfect | Self::Coverage | Self::Human)
    }

    /// Sorts models that are in the order of rank; those without a figure go last, and
    /// equal ones stay as they are.
    pub(super) fn sort(
        self,
        report: &Report,
        models: &mut [&ModelReport],
        difference: impl Fn(&ModelReport) -> Option<f64>,
    ) {
        let figure = |model: &ModelReport| match self {
            Self::Rank | Self::Model => None,
            Self::Wer => wer(report, model).map(|(rate, _)| rate),
            Self::Difference => difference(model),
            Self::Cer => Some(model.score.as_ref()?.all.cer),
            Self::Perfect => model.score.as_ref()?.all.perfect_share,
            Self::Coverage => model.coverage.share,
            Self::Human => model.human.accuracy,
            Self::Cost => model.cost.usd_per_audio_hour,
        };
        if self == Self::Model {
            models.sort_unstable_by(|a, b| a.provider.cmp(&b.provider));
            return;
        }
        models.sort_by(|a, b| match (figure(a), figure(b)) {
            (Some(a), Some(b)) if self.falls() => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
    }
}

/// There is no such order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSuchOrder;

impl FromStr for Order {
    type Err = NoSuchOrder;

    fn from_str(text: &str) -> Result<Self, NoSuchOrder> {
        let known = Self::ALL.into_iter().find(|order| order.name() == text);
        known.ok_or(NoSuchOrder)
    }
}
