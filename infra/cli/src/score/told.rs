//! A score as the report of a run would tell it: the same figures, and what pages show beside
//! them. It goes over the texts once more, so only a page asks for it.

use std::collections::BTreeMap;

use stt_eval_domain::run::RunStatus;
use stt_eval_domain::{DatasetId, RunId, Timestamp};
use stt_eval_formats::markup::{Markup, reference};
use stt_eval_formats::{Hypothesis, Pair, counted};
use stt_eval_scoring::confusions::Confusions;
use stt_eval_scoring::normalise::Normaliser;
use stt_eval_scoring::uncertainty::Sample;
use stt_eval_scoring::waterfall::Waterfall;
use stt_eval_scoring::{CorpusSums, FailedBy, SCORER_VERSION, ScoreError, Scorer};
use stt_eval_wire::comparison::{Coverage, Interval, Rank, Warning, WarningCode};
use stt_eval_wire::report::{
    Cost, Group, GroupKind, Groups, Human, ModelReport, References, Report, Scoring, ScoringStatus,
};
use stt_eval_wire::{compared, scored as wire};

use super::compare::{characters, common, drawn, kept, resampled, speakers, words};
use super::count::{One, Scored};
use super::unscored::Unscored;
use crate::failure::Failure;

/// Confusions of each kind that are kept.
const TOP: usize = 20;
/// Most different confusions kept of a system.
const MAX_CONFUSIONS: usize = 50_000;
/// Samples of a part below which no interval of it is told: it would say little, and be
/// taken for more.
const FEWEST: usize = 10;
/// Most parts of one kind: more are no overview.
const MOST_PARTS: usize = 20;

/// How a score was asked for.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The normaliser.
    pub normaliser: &'a Normaliser,
    /// Language of what does not name its own.
    pub language: &'a str,
    /// What braces mean, where that was told.
    pub markup: Option<Markup>,
    /// Resamples for intervals; none where they are not wanted.
    pub replicates: usize,
}

impl<'a> Asked<'a> {
    /// Language of a sample.
    pub fn language_of(&self, pair: &'a Pair) -> &'a str {
        pair.language().unwrap_or(self.language)
    }

    /// The reference of a sample, as scorers take it.
    pub fn marked(&self, pair: &Pair) -> Result<String, Unscored> {
        let markup = self.markup.or(pair.markup()).unwrap_or(Markup::None);
        reference(&pair.reference, markup).map_err(|reason| Unscored::markup(pair, reason))
    }
}

/// What is found of one system.
struct Found<'a> {
    all: CorpusSums,
    languages: BTreeMap<Option<&'a str>, CorpusSums>,
    speakers: BTreeMap<Option<&'a str>, CorpusSums>,
    waterfall: Waterfall,
    confusions: Confusions,
    approximate: bool,
}

impl<'a> Found<'a> {
    fn of(scored: &'a Scored, index: usize, asked: Asked<'a>) -> Result<Self, Failure> {
        let mut found = Self {
            all: CorpusSums::default(),
            languages: BTreeMap::new(),
            speakers: BTreeMap::new(),
            waterfall: Waterfall::new(asked.normaliser),
            confusions: Confusions::default(),
            approximate: false,
        };
        let mut scorers: BTreeMap<&str, Scorer> = BTreeMap::new();
        let heard = scored.pairs.heard.get(index).into_iter().flatten();
        for (pair, heard) in scored.pairs.samples.iter().zip(heard) {
            let language = asked.language_of(pair);
            let scorer = scorers
                .entry(language)
                .or_insert_with(|| Scorer::new(asked.normaliser.clone(), language));
            let marked = asked.marked(pair)?;
            let told = |error: ScoreError| Unscored::of(pair, error);
            scorer.set_reference(&marked).map_err(told)?;
            found
                .add(pair, &marked, heard, scorer, language)
                .map_err(told)?;
        }
        Ok(found)
    }

    fn add(
        &mut self,
        pair: &'a Pair,
        marked: &str,
        heard: &Hypothesis,
        scorer: &mut Scorer,
        language: &str,
    ) -> Result<(), ScoreError> {
        let mut sums = CorpusSums::default();
        match heard {
            Hypothesis::Text(text) => {
                sums.add(&scorer.score(text, None)?);
                self.confusions.add(&scorer.align_words(text)?);
                self.approximate |= self.confusions.prune(MAX_CONFUSIONS);
                self.waterfall.add(marked, text, language)?;
            }
            Hypothesis::Missing => {
                sums.add_failure(&scorer.reference_size()?, FailedBy::Model);
                self.waterfall.add(marked, "", language)?;
            }
            Hypothesis::Failed(_) => {
                sums.add_failure(&scorer.reference_size()?, FailedBy::Service);
            }
        }
        self.all.merge(&sums);
        let of_language = self.languages.entry(pair.language()).or_default();
        of_language.merge(&sums);
        let of_speaker = self.speakers.entry(pair.speaker()).or_default();
        of_speaker.merge(&sums);
        Ok(())
    }
}

/// Interval of one system over some of its samples.
fn interval(
    scored: &Scored,
    kept: &[usize],
    index: usize,
    asked: Asked<'_>,
    unit: fn(&One) -> Sample,
) -> Option<Interval> {
    if asked.replicates == 0 || kept.is_empty() {
        return None;
    }
    let found = resampled(drawn(asked.replicates), scored, kept, &[index], unit)?;
    compared::interval(&found, 0)
}

fn of_system(
    scored: &Scored,
    index: usize,
    found: &Found<'_>,
    asked: Asked<'_>,
    rank: Option<Rank>,
) -> Option<ModelReport> {
    let system = scored.systems.get(index)?;
    let kept = kept(system);
    let all = system.samples.len();
    let missing = system.samples.iter().filter(|one| one.is_missing()).count();
    let transcribed = kept.len() - missing;
    let counting = kept.iter().filter_map(|at| system.samples.get(*at));
    let score = wire::summary(&found.all);
    let of = |unit| interval(scored, &kept, index, asked, unit);
    Some(ModelReport {
        provider: system.name.clone(),
        coverage: Coverage {
            share: (all > 0).then(|| transcribed as f64 / all as f64),
            transcribed: transcribed as u64,
            failed_by_model: missing as u64,
            failed_by_service: (all - kept.len()) as u64,
        },
        temperature: None,
        wer_interval: of(words),
        cer_interval: of(characters),
        distribution: wire::distribution(counting.map(words)),
        common: None,
        rank,
        completed: u32::try_from(transcribed).unwrap_or(u32::MAX),
        failed: u32::try_from(all - transcribed).unwrap_or(u32::MAX),
        without_reference: 0,
        unscored: 0,
        failures: BTreeMap::new(),
        human: Human {
            correct: 0,
            incorrect: 0,
            accuracy: None,
            low: None,
            high: None,
        },
        cost: Cost {
            usd: 0.0,
            audio_hours: 0.0,
            usd_per_audio_hour: None,
            price_read_at: None,
        },
        latency_seconds: None,
        latency: None,
        flags: found.all.summary().flags,
        score,
        model_versions: Vec::new(),
        waterfall: found.waterfall.rows().into_iter().map(wire::step).collect(),
        confusions: wire::confusions(found.confusions.top(TOP), found.approximate),
        keywords: None,
    })
}

/// A way to part the samples.
struct Parting<'a> {
    of_pair: fn(&Pair) -> Option<&str>,
    of_found: fn(&'a Found<'a>) -> &'a BTreeMap<Option<&'a str>, CorpusSums>,
}

impl<'a> Parting<'a> {
    /// The parts; none where there are so many that they are no overview.
    fn groups(&self, scored: &'a Scored, found: &'a [Found<'a>], asked: Asked<'_>) -> Vec<Group> {
        let first = found.first().map(self.of_found);
        let values: Vec<Option<&str>> = first
            .into_iter()
            .flat_map(|of| of.keys().copied())
            .collect();
        if values.len() > MOST_PARTS || values.iter().all(Option::is_none) {
            return Vec::new();
        }
        let group = |value: &Option<&str>| {
            let mut group = Group {
                value: value.map(str::to_owned),
                kind: value.map_or(GroupKind::Missing, |_| GroupKind::Value),
                providers: BTreeMap::new(),
                wer_intervals: BTreeMap::new(),
            };
            for (index, (system, found)) in scored.systems.iter().zip(found).enumerate() {
                let sums = (self.of_found)(found).get(value);
                let here = |at: &usize| {
                    let pair = scored.pairs.samples.get(*at);
                    pair.is_some_and(|pair| (self.of_pair)(pair) == *value)
                };
                let kept: Vec<usize> = kept(system).into_iter().filter(here).collect();
                let ends = (kept.len() >= FEWEST)
                    .then(|| interval(scored, &kept, index, asked, words))
                    .flatten();
                let name = system.name.clone();
                group
                    .providers
                    .insert(name.clone(), sums.and_then(wire::summary));
                group.wer_intervals.insert(name, ends);
            }
            group
        };
        values.iter().map(group).collect()
    }
}

/// What is to be known before the figures are trusted.
fn warnings(
    scored: &Scored,
    found: Option<&stt_eval_scoring::uncertainty::Comparison>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for system in &scored.systems {
        let count = |is: fn(&One) -> bool| system.samples.iter().filter(|one| is(one)).count();
        let (failed, missing) = (count(|one| one.is_failed()), count(|one| one.is_missing()));
        let name = &system.name;
        if failed > 0 {
            let results = counted(failed, "result", "results");
            warnings.push(Warning {
                code: WarningCode::ServiceFailures,
                model: Some(name.clone()),
                count: failed as u64,
                message: format!("{results} of {name}: its service failed; in no figure"),
            });
        }
        if missing > 0 {
            let references = counted(missing, "reference", "references");
            warnings.push(Warning {
                code: WarningCode::ModelFailures,
                model: Some(name.clone()),
                count: missing as u64,
                message: format!(
                    "{references} without a hypothesis of {name}; each counts as an empty one"
                ),
            });
        }
    }
    let most = scored.systems.iter().map(|system| kept(system).len()).max();
    warnings.extend(found.and_then(|found| compared::fewer_shared(found, most?)));
    warnings.extend(found.and_then(compared::few_blocks));
    warnings
}

/// The report of a score. There is no run: its ids are none, and its prices nothing.
///
/// # Errors
/// Texts that can't be scored.
pub fn report(scored: &Scored, name: &str, asked: Asked<'_>) -> Result<Report, Failure> {
    let all: Vec<usize> = (0..scored.systems.len()).collect();
    let found = std::thread::scope(|scope| {
        let of = |&index: &usize| scope.spawn(move || Found::of(scored, index, asked));
        // The first needs no thread: mostly there is no other.
        let others: Vec<_> = all.iter().skip(1).map(of).collect();
        let first = all.first().map(|&index| Found::of(scored, index, asked));
        let others = others.into_iter().map(|thread| {
            // A panic was told by the hook; here it only goes on.
            let told = thread.join();
            told.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        let told = first.into_iter().chain(others);
        told.collect::<Result<Vec<Found<'_>>, Failure>>()
    })?;
    let common = common(scored);
    let resampling = drawn(asked.replicates);
    let names: Vec<String> = scored.systems.iter().map(|one| one.name.clone()).collect();
    let joint = resampled(resampling, scored, &common, &all, words);
    let joint = joint.filter(|joint| joint.samples > 0);
    let rank = |index: usize| {
        let one = joint.as_ref()?.providers.get(index)?;
        Some(Rank {
            group: one.group,
            best: one.rank_best,
            worst: one.rank_worst,
        })
    };
    let systems = found.iter().enumerate();
    let systems =
        systems.filter_map(|(index, of)| of_system(scored, index, of, asked, rank(index)));
    let languages = Parting {
        of_pair: Pair::language,
        of_found: |found| &found.languages,
    };
    let by_speaker = Parting {
        of_pair: Pair::speaker,
        of_found: |found| &found.speakers,
    };
    let groups = by_speaker.groups(scored, &found, asked);
    let count = scored.pairs.samples.len();
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let scoring = Scoring {
        id: 1,
        normalizer: asked.normaliser.name().to_owned(),
        scorer_version: SCORER_VERSION.to_owned(),
        status: ScoringStatus::Completed,
        current: true,
        inserted_at: Timestamp::from_millis(0),
        completed_at: None,
    };
    Ok(Report {
        run_id: RunId::mint(0, [0; 10]),
        run_name: name.to_owned(),
        dataset_id: DatasetId::mint(0, [0; 10]),
        dataset_name: String::new(),
        status: RunStatus::Completed,
        complete: true,
        sample_count: count,
        samples_read: count,
        scorings: vec![scoring.clone()],
        scoring,
        common_samples: common.len() as u64,
        references: References::default(),
        warnings: warnings(scored, joint.as_ref()),
        providers: systems.collect(),
        comparison: joint.map(|joint| compared::comparison(&joint, resampling, &names)),
        verdicts: BTreeMap::new(),
        agreement: None,
        block_by: speakers(scored, &common).map(|_| "speaker".to_owned()),
        languages: languages.groups(scored, &found, asked),
        groups: (groups.len() > 1).then(|| Groups {
            field: "speaker".to_owned(),
            groups,
        }),
    })
}
