//! How two runs over one dataset compare: the paired test of the report, for each
//! model that both have, over the samples that both have against the same references.
//!
//! That they can't be compared is an answer, not a failure. Made, kept and gone on
//! with as reports are.

mod assemble;
mod scan;

use std::time::Instant;

use stt_eval_shared::App;
use stt_eval_shared::crypto::sha256_hex;
use stt_eval_shared::domain::rescoring::{Scoring, ScoringStatus};
use stt_eval_shared::domain::run::Run;
use stt_eval_shared::domain::{ProjectId, RunId, Timestamp};
use stt_eval_shared::scoring::SCORER_VERSION;
use stt_eval_shared::scoring::normalise::Normaliser;
use stt_eval_shared::wire::run_comparison::{NotComparable, NotComparableCode, RunComparison};

use self::assemble::not_comparable;
use self::scan::PairScan;
use super::fields::Known;
use super::kept::Place;
use super::question::{ComparisonQuestion, ReportQuestion};
use super::scan::Texts;
use super::{in_turn, unfinished};
use crate::refusal::Refusal;

/// Changes with what a comparison says or how it is worked out.
const COMPARISON_VERSION: u32 = 2;

/// The scorings of the two that are compared, or why there are none alike.
fn scorings(
    run: &Run,
    other: &Run,
    wanted: Option<&Normaliser>,
) -> Result<(Scoring, Scoring), NotComparable> {
    let name = wanted.map_or_else(
        || run.current_normalizer().to_owned(),
        |wanted| wanted.name().to_owned(),
    );
    let of = |run: &Run| -> Result<Vec<Scoring>, NotComparable> {
        let mut fit = run.all_scorings();
        fit.retain(|one| one.status == ScoringStatus::Completed && one.normalizer == name);
        // The one that counts first, then the latest.
        fit.sort_unstable_by_key(|one| std::cmp::Reverse((one.id == run.scorings.current, one.id)));
        if fit.is_empty() {
            let message = format!(
                "run {} was not scored with {name}; POST /runs/{}/rescore (normalizer {name}) does \
                 that",
                run.id, run.id
            );
            return Err(NotComparable {
                code: NotComparableCode::OtherNormalizer,
                message,
            });
        }
        Ok(fit)
    };
    let (ours, theirs) = (of(run)?, of(other)?);
    let alike = ours.iter().find_map(|ours| {
        let alike = |one: &&Scoring| one.scorer_version == ours.scorer_version;
        Some((ours.clone(), theirs.iter().find(alike)?.clone()))
    });
    alike.ok_or_else(|| NotComparable {
        code: NotComparableCode::OtherScorer,
        message: format!(
            "the runs were scored by different versions of the scorer; POST /runs/{}/rescore and \
             POST /runs/{}/rescore score both by version {SCORER_VERSION}",
            run.id, other.id
        ),
    })
}

/// Indices of the models that both have.
fn common(run: &Run, other: &Run) -> Vec<(u8, u8)> {
    let place = |name: &str| other.models.iter().position(|model| model.model == name);
    let models = run.models.iter().enumerate();
    models
        .filter_map(|(index, model)| {
            let other = place(&model.model)?;
            Some((u8::try_from(index).ok()?, u8::try_from(other).ok()?))
        })
        .collect()
}

/// Name of what a comparison depends on. Of runs that have ended that is all; of one
/// under way everything but how far it is.
fn key(
    sides: [(&Run, &Scoring); 2],
    question: &ComparisonQuestion,
    ended: bool,
    fields: Option<&Known>,
) -> String {
    let side = |(run, scoring): (&Run, &Scoring)| {
        let state = if ended { run.rev } else { run.round.into() };
        serde_json::json!([
            run.id,
            state,
            run.models.len(),
            scoring.id,
            scoring.scorer_version
        ])
    };
    let text = serde_json::json!([
        "compare",
        COMPARISON_VERSION,
        SCORER_VERSION,
        ended,
        sides.map(side),
        question.block_by,
        fields.map(Known::name),
    ]);
    sha256_hex(text.to_string().as_bytes())
}

async fn known(app: &App, project: &ProjectId, id: RunId) -> Result<Run, Refusal> {
    let run = app.store.run(project, id).await?;
    run.ok_or_else(|| Refusal::no_such("run"))
}

/// How a run compares with another one.
pub async fn compare(
    app: &App,
    project: &ProjectId,
    (id, other): (RunId, RunId),
    question: &ComparisonQuestion,
) -> Result<RunComparison, Refusal> {
    let begun = Instant::now();
    let (run, other) = (
        known(app, project, id).await?,
        known(app, project, other).await?,
    );
    let wanted = match question.normalizer.as_deref().map(Normaliser::by_name) {
        Some(None) => {
            let message = "no normaliser has this name; GET /runs/{id} tells those of its scorings";
            return Err(Refusal::invalid_field("normalizer", message));
        }
        wanted => wanted.flatten(),
    };
    let by_block = ReportQuestion {
        block_by: question.block_by.clone(),
        ..ReportQuestion::default()
    };
    if run.dataset != other.dataset {
        let reason = NotComparable {
            code: NotComparableCode::OtherDataset,
            message: "the runs are over different datasets, whose samples have nothing in common"
                .to_owned(),
        };
        return Ok(not_comparable(&run, &other, question, None, reason));
    }
    let (ours, theirs) = match scorings(&run, &other, wanted.as_ref()) {
        Ok(found) => found,
        Err(reason) => return Ok(not_comparable(&run, &other, question, None, reason)),
    };
    let models = common(&run, &other);
    if models.is_empty() {
        let reason = NotComparable {
            code: NotComparableCode::NoCommonModel,
            message: "no model is in both runs".to_owned(),
        };
        let scorings = Some((&ours, &theirs));
        return Ok(not_comparable(&run, &other, question, scorings, reason));
    }
    let ended = !run.status.is_active() && !other.status.is_active();
    // Free fields can change without the runs; nothing else that is used can.
    let fields = match question.block_by {
        Some(_) => Some(Known::of(app, &run, &by_block).await?),
        None => None,
    };
    let sides = [(&run, &ours), (&other, &theirs)];
    let name = key(sides, question, ended, fields.as_ref());
    let place = Place::new(project, id, &name, ended);
    if let Some(made) = place.report(app, Timestamp::now()).await? {
        return Ok(made);
    }
    let asked = Asked {
        sides,
        models: &models,
        question,
        by_block: &by_block,
        fields,
        place,
        begun,
    };
    in_turn(app, project, asked.make(app)).await
}

/// A comparison that is to be made.
struct Asked<'a> {
    sides: [(&'a Run, &'a Scoring); 2],
    models: &'a [(u8, u8)],
    question: &'a ComparisonQuestion,
    by_block: &'a ReportQuestion,
    fields: Option<Known>,
    place: Place,
    begun: Instant,
}

impl Asked<'_> {
    async fn make(self, app: &App) -> Result<RunComparison, Refusal> {
        let [(run, ours), (other, theirs)] = self.sides;
        let normaliser = Normaliser::by_name(&ours.normalizer)
            .ok_or_else(|| Refusal::internal("a scoring's normaliser is unknown here"))?;
        let now = Timestamp::now();
        let (mut scan, begun_at) = match self.place.half(app, now).await? {
            Some(half) => half,
            None => (PairScan::new(self.models), now),
        };
        let mut texts = Texts::new(normaliser);
        let all = scan
            .read_on(app, self.sides, &mut texts, || {
                self.begun.elapsed() < app.config.bounds.report
            })
            .await?;
        if !all {
            let read = scan.samples_read();
            self.place.keep_half(app, scan, begun_at).await?;
            return Err(unfinished("comparison", read, run.sample_count));
        }
        let scorings = (ours, theirs);
        let fields = match self.fields {
            Some(known) => Some(known.read(app, run, self.by_block).await?),
            None => None,
        };
        let made = assemble::view(run, other, scorings, self.question, fields.as_ref(), &scan)?;
        let now = Timestamp::now();
        self.place
            .keep_report(app, &made, now, now.since(begun_at))
            .await?;
        Ok(made)
    }
}
