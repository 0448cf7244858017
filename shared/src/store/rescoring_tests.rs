//! How large a run's item can become.

use aws_sdk_dynamodb::types::AttributeValue;

use super::*;
use crate::domain::imported::Imported;
use crate::domain::rescoring::{MAX_SCORINGS, Scorings};
use crate::domain::run::{CostCap, MAX_PROVIDERS, Passing, RunModel, RunStatus};
use crate::domain::{DatasetId, Timestamp};
use crate::providers::ModelConfig;
use crate::scoring::normalise::Normaliser;
use crate::scoring::{CorpusSums, FailedBy, SampleScore, score};

/// Bytes of a value as DynamoDB counts them, a little generously.
fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len() / 2 + 2,
        AttributeValue::L(list) => 3 + list.iter().map(|v| 1 + size(v)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map
                .iter()
                .map(|(k, v)| 1 + k.len() + size(v))
                .sum::<usize>()
        }
        _ => 1,
    }
}

fn item_size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + size(value))
        .sum()
}

/// The sums of 10,000 samples with as many different error rates as can be.
fn fullest() -> CorpusSums {
    let template = score("one two", "one", "en", &Normaliser::default(), None).unwrap();
    let mut sums = CorpusSums::default();
    for n in 0..10_000u32 {
        // 0.001 apart up to 1, 0.01 up to 2, 0.1 up to 10, round and round.
        let bin = n % 1_181;
        let wer = match bin {
            0..=1_000 => f64::from(bin) / 1_000.0,
            1_001..=1_100 => 1.0 + f64::from(bin - 1_000) / 100.0,
            _ => 2.0 + f64::from(bin - 1_100) / 10.0,
        };
        sums.add(&SampleScore {
            wer,
            hits: 9_007_199_254_740,
            char_hits: 9_007_199_254_740,
            ..template.clone()
        });
        if n % 10 == 0 {
            sums.add_failure(&template.reference_size(), FailedBy::Model);
        }
    }
    sums
}

/// The sums of 10,000 samples that failed.
fn failures() -> CorpusSums {
    let missing = score("one two", "", "en", &Normaliser::default(), None).unwrap();
    let mut sums = CorpusSums::default();
    for _ in 0..10_000 {
        sums.add_failure(&missing.reference_size(), FailedBy::Model);
    }
    sums
}

#[test]
fn a_run_stays_far_below_what_an_item_may_have() {
    let sums = fullest();
    let (samples, models) = (10_000, MAX_PROVIDERS);
    // All prompts of a run together have at most 150,000 bytes.
    let provider = RunModel {
        model: "a-model-with-quite-a-long-name".into(),
        vendor: "provider".into(),
        config: ModelConfig {
            model: "a-model-with-quite-a-long-name".into(),
            prompt: Some("x".repeat(150_000 / models)),
            temperature: Some(0.0),
            prompt_version: Some("custom".into()),
            endpoint: None,
        },
        completed: 9_000,
        failed: 1_000,
        correct: 9_000,
        incorrect: 9_000,
        sums: sums.clone(),
        cost_micro_usd: u64::MAX / 4,
        model_versions: vec!["a-version-with-quite-a-long-name".into(); 4],
        passing: Passing {
            items: 10_000,
            sums: failures(),
        },
        asked_again: 1_000,
        unsupported: 10_000,
        unknown: 0,
        may_be_charged_twice: 0,
        imported: Some(Imported {
            digest: "f".repeat(64),
            transcripts: 10_000,
        }),
    };
    let now = Timestamp::from_millis(1_800_000_000_000);
    let mut run = Run {
        id: RunId::mint(1, [1; 10]),
        project: "p".repeat(63).parse().unwrap(),
        name: "ன".repeat(255),
        dataset: DatasetId::mint(1, [2; 10]),
        dataset_name: "ன".repeat(255),
        language: "hi-Deva-IN".into(),
        sample_count: samples,
        status: RunStatus::Completed,
        models: vec![provider; models],
        normalizer: "indic-v1+numbers+fillers+nukta+anusvara+compounds".into(),
        generation: 1,
        round: 1,
        automatic: false,
        joining: Some(15),
        lossless_flac: Some(false),
        blind_review: false,
        cost_cap: Some(CostCap::new(u64::MAX, vec![u64::MAX; models], now)),
        units_total: Some(1_600),
        units_done: 1_600,
        error_message: None,
        deleting: false,
        closing: false,
        inserted_at: now,
        updated_at: now,
        finished_at: Some(now),
        due_at: Some(now),
        scorings: Scorings::default(),
        rev: 2_000,
    };
    for _ in 1..MAX_SCORINGS {
        let (next, job) = run.rescored(run.normalizer.clone(), now).unwrap();
        let job = RescoreJob {
            sums: vec![sums.clone(); models],
            ..job
        };
        let (switched, archived) = next.switched(&job, now).unwrap();
        run = switched;
        let archived = Row::new("pk", "sk", &archived).unwrap().build();
        assert!(item_size(&archived) < 100_000, "{}", item_size(&archived));
        assert!(item_size(&job_item(&job).unwrap()) < 100_000);
    }
    let item = run_item(&run).unwrap();
    let whole = item_size(&item);
    assert!(whole < 280_000, "{whole} bytes");
    let without_prompts = whole - 150_000;
    assert!(without_prompts < 100_000, "{without_prompts} bytes");
    assert_eq!(row::read::<Run>(item).unwrap(), run);
}

#[test]
fn scores_lie_between_their_outcome_and_its_review() {
    let id = crate::domain::ResultId::new(RunId::mint(1, [1; 10]), 3, 42);
    let score = Rescored {
        id,
        scoring: 2,
        round: 1,
        ground_truth: None,
        reference_version: 1,
        language: "en".into(),
        score: None,
    };
    let item = score_item(&"demo".parse().unwrap(), &score).unwrap();
    let sk = row::text(&item, "sk").unwrap();
    assert_eq!(sk, "p03#00042#s002r01");
    assert!("p03#00042#r99" < sk && sk < "p03#00042#v");
    assert!(!item.contains_key("wer_key"));
}
