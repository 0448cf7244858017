//! How far reviewers agree about transcriptions that several of them judged.
//!
//! Two categories, right and wrong, of which one is rare where models are good. There
//! the coefficients that correct for chance fall apart: of 100 transcriptions that two
//! reviewers find right (90), wrong (2) or judge differently (8), they agree on 92 %, yet
//! Krippendorff's alpha is 0.29 and Gwet's AC1 0.91. Neither alone is the truth (Gwet
//! 2008, "Computing inter-rater reliability and its variance in the presence of high
//! agreement"), so both are told, and how far they agree on what is wrong.

use std::collections::BTreeMap;

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::uncertainty::Resampling;

/// From fewer transcriptions than this that several judged, no rate is told.
pub const FEWEST: u64 = 30;

/// What reviewers found of one transcription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The clip: transcriptions of one clip are not independent.
    pub clip: u16,
    /// How many found it right.
    pub right: u16,
    /// How many found it wrong.
    pub wrong: u16,
}

impl Judged {
    fn all(self) -> f64 {
        f64::from(self.right) + f64::from(self.wrong)
    }

    /// Whether there is anything to agree on.
    fn is_shared(self) -> bool {
        self.all() >= 2.0
    }

    /// Share of the pairs of reviewers who found the same.
    fn agreement(self) -> f64 {
        let pairs = |count: u16| f64::from(count) * (f64::from(count) - 1.0);
        (pairs(self.right) + pairs(self.wrong)) / (self.all() * (self.all() - 1.0))
    }

    fn share_wrong(self) -> f64 {
        f64::from(self.wrong) / self.all()
    }
}

/// How far reviewers agree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Transcriptions that two or more found right or wrong.
    pub items: u64,
    /// Those that all of them found right.
    pub all_right: u64,
    /// Those that all of them found wrong.
    pub all_wrong: u64,
    /// The rates; `None` from fewer than [`FEWEST`].
    pub rates: Option<Rates>,
}

/// Rates of agreement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Chance that two reviewers of a transcription find the same.
    pub same: f64,
    /// Chance that another reviewer finds wrong what one found wrong; `None` where
    /// nothing was.
    pub on_wrong: Option<f64>,
    /// Gwet's AC1.
    pub ac1: f64,
    /// 95 % interval of it, by a bootstrap over clips; `None` where clips do not vary.
    pub ac1_interval: Option<(f64, f64)>,
    /// Krippendorff's alpha; `None` where all found the same of everything.
    pub alpha: Option<f64>,
}

/// Sums over transcriptions that AC1 is made from.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    items: f64,
    agreement: f64,
    share_wrong: f64,
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.items += other.items;
        self.agreement += other.agreement;
        self.share_wrong += other.share_wrong;
    }

    fn ac1(self) -> f64 {
        let (same, wrong) = (self.agreement / self.items, self.share_wrong / self.items);
        let by_chance = 2.0 * wrong * (1.0 - wrong);
        (same - by_chance) / (1.0 - by_chance)
    }
}

/// Percentiles of resampled clips.
fn interval(clips: &[Sums]) -> Option<(f64, f64)> {
    let Resampling {
        replicates, seed, ..
    } = Resampling::default();
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut found: Vec<f64> = (0..replicates)
        .map(|_| {
            let mut sums = Sums::default();
            for _ in clips {
                let drawn = (u128::from(random.next_u64()) * clips.len() as u128) >> 64;
                sums.add(clips[drawn as usize]);
            }
            sums.ac1()
        })
        .collect();
    found.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| found.get((found.len() as f64 * share) as usize).copied();
    let (low, high) = (at(0.025)?, at(0.975)?);
    (low < high).then_some((low, high))
}

fn rates(shared: &[Judged]) -> Rates {
    let mut clips: BTreeMap<u16, Sums> = BTreeMap::new();
    let mut all = Sums::default();
    // Judgements, those that found wrong, pairs of both wrong and pairs that differ, each
    // pair weighed by how many others judged the same transcription.
    let (mut judgements, mut wrong, mut both_wrong, mut differ) = (0.0, 0.0, 0.0, 0.0);
    for judged in shared {
        let one = Sums {
            items: 1.0,
            agreement: judged.agreement(),
            share_wrong: judged.share_wrong(),
        };
        clips.entry(judged.clip).or_default().add(one);
        all.add(one);
        let (r, w) = (f64::from(judged.right), f64::from(judged.wrong));
        judgements += r + w;
        wrong += w;
        both_wrong += w * (w - 1.0) / (r + w - 1.0);
        differ += 2.0 * r * w / (r + w - 1.0);
    }
    let expected = 2.0 * wrong * (judgements - wrong) / (judgements - 1.0);
    let clips: Vec<Sums> = clips.into_values().collect();
    Rates {
        same: all.agreement / all.items,
        on_wrong: (wrong > 0.0).then(|| both_wrong / wrong),
        ac1: all.ac1(),
        ac1_interval: interval(&clips),
        alpha: (expected > 0.0).then(|| 1.0 - differ / expected),
    }
}

/// How far reviewers agree; `None` where no transcription was judged by two.
#[must_use]
pub fn agreement(judged: &[Judged]) -> Option<Agreement> {
    let shared: Vec<Judged> = judged
        .iter()
        .copied()
        .filter(|one| one.is_shared())
        .collect();
    let items = shared.len() as u64;
    let of = |is: fn(&&Judged) -> bool| shared.iter().filter(is).count() as u64;
    (items > 0).then(|| Agreement {
        items,
        all_right: of(|one| one.wrong == 0),
        all_wrong: of(|one| one.right == 0),
        rates: (items >= FEWEST).then(|| rates(&shared)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Transcriptions of as many clips, by two reviewers.
    fn by_two(right: u16, wrong: u16, split: u16) -> Vec<Judged> {
        (0..right + wrong + split)
            .map(|clip| {
                let (right, wrong) = if clip < right {
                    (2, 0)
                } else if clip < right + wrong {
                    (0, 2)
                } else {
                    (1, 1)
                };
                Judged { clip, right, wrong }
            })
            .collect()
    }

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 0.005, "{found} {expected}");
    }

    #[test]
    fn a_rare_category_is_told_by_more_than_one_figure() {
        // As worked out by hand: agreement, on wrong, AC1, alpha.
        for ((right, wrong, split), expected) in [
            ((90, 2, 8), [0.92, 0.33, 0.91, 0.29]),
            ((46, 46, 8), [0.92, 0.92, 0.84, 0.84]),
            ((94, 0, 6), [0.94, 0.0, 0.94, -0.03]),
        ] {
            let found = agreement(&by_two(right, wrong, split)).unwrap();
            assert_eq!(
                (found.items, found.all_right, found.all_wrong),
                (100, right.into(), wrong.into())
            );
            let rates = found.rates.unwrap();
            near(rates.same, expected[0]);
            near(rates.on_wrong.unwrap(), expected[1]);
            near(rates.ac1, expected[2]);
            near(rates.alpha.unwrap(), expected[3]);
            let (low, high) = rates.ac1_interval.unwrap();
            assert!(
                low < rates.ac1 && rates.ac1 < high && low > rates.ac1 - 0.2,
                "{low} {high}"
            );
        }
    }

    #[test]
    fn nothing_is_told_of_few_and_nothing_of_one_reviewer() {
        let one = Judged {
            clip: 0,
            right: 1,
            wrong: 0,
        };
        assert_eq!(agreement(&[one]), None);
        let mut few = by_two(20, 5, 4);
        few.extend([one; 100]);
        let found = agreement(&few).unwrap();
        assert_eq!((found.items, found.all_right, found.all_wrong), (29, 20, 5));
        assert_eq!(found.rates, None);
        few.push(Judged {
            clip: 40,
            right: 0,
            wrong: 3,
        });
        assert!(agreement(&few).unwrap().rates.is_some());
    }

    #[test]
    fn where_all_agree_there_is_no_width_and_no_alpha() {
        let rates = agreement(&by_two(40, 0, 0)).unwrap().rates.unwrap();
        near(rates.ac1, 1.0);
        assert_eq!(
            (rates.ac1_interval, rates.alpha, rates.on_wrong),
            (None, None, None)
        );
    }

    #[test]
    fn transcriptions_of_one_clip_are_drawn_together() {
        let apart = by_two(60, 10, 30);
        let together: Vec<Judged> = apart
            .iter()
            .map(|one| Judged {
                clip: one.clip / 10,
                ..*one
            })
            .collect();
        let width = |judged: &[Judged]| {
            let (low, high) = agreement(judged)
                .unwrap()
                .rates
                .unwrap()
                .ac1_interval
                .unwrap();
            high - low
        };
        assert!(width(&together) > 1.5 * width(&apart));
    }
}
