//! What people do: accept, cancel, retry and delete a run, as the API does it.

use std::collections::BTreeMap;
use std::rc::Rc;

use stt_eval_domain::run::{Run, RunModel, RunStatus};
use stt_eval_domain::transcribe::ModelConfig;
use stt_eval_domain::{DatasetId, RunId};
use stt_eval_scoring::CorpusSums;

use crate::tables::OUTBOX;
use crate::world::{Cx, Dice, Failed, Message, World};

/// What people want.
#[derive(Debug, Clone, Copy)]
pub enum Wish {
    Cancel,
    Retry,
    Delete,
}

impl Wish {
    pub fn roll(dice: &mut Dice) -> Self {
        match dice.below(10) {
            0..5 => Self::Cancel,
            5..9 => Self::Retry,
            _ => Self::Delete,
        }
    }
}

/// The transaction that accepts a run.
pub fn accept_run(w: &mut World) {
    let now = w.clock;
    let model = |name: &str| RunModel {
        model: name.into(),
        vendor: "sim".into(),
        config: ModelConfig {
            model: name.into(),
            prompt: Some(String::new()),
            temperature: Some(0.0),
            prompt_version: Some("1".into()),
            endpoint: None,
        },
        completed: 0,
        failed: 0,
        correct: 0,
        incorrect: 0,
        sums: CorpusSums::default(),
        cost_micro_usd: 0,
        model_versions: Vec::new(),
        passing: Default::default(),
        asked_again: 0,
        unsupported: 0,
        unknown: 0,
        may_be_charged_twice: 0,
        imported: None,
    };
    let models = 1 + w.dice.index(2);
    let run = Run {
        id: RunId::mint(1, [1; 10]),
        project: "p".parse().unwrap(),
        name: String::new(),
        dataset: DatasetId::mint(1, [2; 10]),
        dataset_name: String::new(),
        language: "ta".into(),
        sample_count: 1 + w.dice.below(7) as u32,
        status: RunStatus::Pending,
        models: ["one", "two"].into_iter().take(models).map(model).collect(),
        normalizer: "v1".into(),
        generation: 1,
        round: 1,
        automatic: false,
        joining: None,
        lossless_flac: None,
        blind_review: false,
        cost_cap: None,
        units_total: None,
        units_done: 0,
        error_message: None,
        deleting: false,
        closing: false,
        inserted_at: now,
        updated_at: now,
        finished_at: None,
        due_at: Some(now + OUTBOX),
        scorings: Default::default(),
        rev: 1,
    };
    w.tables.run = Some(Rc::new(run));
    w.tables.outbox = Some(now + OUTBOX);
    w.tables.outcomes = BTreeMap::new();
}

/// Does what people want; `None` is the message that follows acceptance.
pub async fn act(cx: &Cx, wish: Option<Wish>) -> Result<(), Failed> {
    let Some(wish) = wish else {
        return cx.send(Message::RunAccepted).await;
    };
    let Some(run) = cx.run().await? else {
        return Ok(());
    };
    let now = cx.now();
    match wish {
        Wish::Cancel => {
            if let Ok(next) = run.cancelled(now) {
                cx.save_run(&next).await?;
            }
        }
        Wish::Retry => {
            if let Ok(next) = run.retried(now, now + OUTBOX) {
                cx.save_run_and_outbox(&next, Some(now + OUTBOX)).await?;
                cx.world().reached.retries += 1;
                cx.send(Message::RunAccepted).await?;
            }
        }
        Wish::Delete => {
            if let Some(next) = run.deleted(now) {
                cx.begin_delete(&next).await?;
                cx.world().reached.deletions += 1;
            }
        }
    }
    Ok(())
}
