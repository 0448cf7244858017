//! What a case does while its calls are numbered: the whole way of a run, or
//! one workflow that begins where a run stands. What brings the run there is
//! not numbered: it is tried by the whole way.

use std::sync::Arc;

use gemini_sim::{Fault, FaultRule, Route};
use stt_eval_shared::domain::RunId;
use stt_eval_shared::domain::run::RunStatus;
use stt_eval_shared::domain::unit::{Unit, UnitState};
use stt_eval_tests::fault::{Kind, Site};

use crate::failing::{end, of_model};
use crate::rig::{Case, FLASH, Ground, Options, PRO};
use crate::state::{left, remains, rows_of, running};

/// A workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// From nothing to a run that has ended, and all goes well.
    Plain,
    /// The same, but a batch never ends and is made once more.
    Again,
    /// The same, but one batch is admitted at a time: the other waits and
    /// is called up.
    Waiting,
    /// The replies to both creations were lost: one batch exists and is
    /// adopted, the other does not and is made.
    LostReply,
    /// A collector died in the middle; another one takes over.
    TakeOver,
    /// People cancel a run of which one batch runs, and one has an open intent.
    Cancel,
    /// People retry what failed.
    Retry,
    /// People have a run scored anew.
    Rescore,
    /// People delete a run that is half done.
    DeleteRun,
    /// The same run goes with its dataset.
    DeleteDataset,
    /// People delete a file.
    DeleteFile,
}

/// Where a case stands before its calls are numbered.
#[derive(Debug, Clone)]
pub struct Stand {
    run: Option<RunId>,
    /// What people ask of the API.
    path: String,
}

impl Flow {
    /// Those that begin in the middle.
    pub const PARTS: [Self; 8] = [
        Self::LostReply,
        Self::TakeOver,
        Self::Cancel,
        Self::Retry,
        Self::Rescore,
        Self::DeleteRun,
        Self::DeleteDataset,
        Self::DeleteFile,
    ];

    pub async fn start(self, ground: &Arc<Ground>, repeats: bool) -> Case {
        let mut options = Options {
            repeats,
            ..Options::default()
        };
        match self {
            // Few polls until then: each would be a call site.
            Self::Again => {
                options.settings = vec![
                    ("BATCH_DEADLINE_SECONDS", "0.6"),
                    ("RESUBMIT_BATCHES", "true"),
                    ("POLL_PAUSES_SECONDS", "0.3"),
                ];
            }
            Self::Waiting => {
                options.settings = vec![
                    ("MAX_OPEN_BATCHES", "1"),
                    ("ADMISSION_PAUSE_SECONDS", "0.2"),
                ];
            }
            _ => {}
        }
        Case::start(ground, options).await
    }

    /// How many creations may have an unknown outcome, beside those that have
    /// one anyway: with the third one a unit is set aside for people to look at.
    pub fn doubtful(self) -> u32 {
        if self == Self::LostReply { 1 } else { 2 }
    }

    /// Brings a case to where the workflow begins.
    pub async fn prepare(self, case: &Case) -> Stand {
        let faults = case.sim.faults();
        let stuck = || Fault::Stuck {
            state: "RUNNING".to_owned(),
        };
        let creating = |fault, model| {
            faults.add(of_model(fault, model).on(Route::BatchCreate).times(1));
        };
        let stand = |run, path: String| Stand { run, path };
        match self {
            Self::Plain | Self::Waiting => return stand(None, String::new()),
            Self::Again => {
                faults.add(of_model(stuck(), FLASH).times(1));
                return stand(None, String::new());
            }
            Self::DeleteFile => {
                let file = case.file(1).await;
                return stand(None, format!("/files/{file}"));
            }
            _ => {}
        }
        let dataset = case.dataset().await;
        match self {
            Self::LostReply => {
                creating(Fault::LoseReply, PRO);
                creating(Fault::DropRequest, FLASH);
            }
            Self::Cancel => {
                faults.add(FaultRule::new(stuck()));
                creating(Fault::LoseReply, FLASH);
            }
            Self::Retry => {
                faults.add(of_model(end("FAILED"), FLASH).times(1));
            }
            Self::DeleteRun | Self::DeleteDataset => {
                faults.add(of_model(stuck(), FLASH));
            }
            _ => {}
        }
        let run = case.run(&dataset, &[PRO, FLASH]).await;
        let path = match self {
            Self::Cancel => format!("/runs/{run}/cancel"),
            Self::Retry => format!("/runs/{run}/retry"),
            Self::Rescore => format!("/runs/{run}/rescore"),
            Self::DeleteDataset => format!("/datasets/{dataset}"),
            _ => format!("/runs/{run}"),
        };
        if matches!(self, Self::Retry | Self::Rescore) {
            case.settle().await;
            return stand(Some(run), path);
        }
        // There is no poll yet, so nothing happens to what was submitted.
        let mut units = Vec::new();
        while units.is_empty() || !units.iter().all(was_tried) {
            case.pump_once().await;
            units = case.clean.store.units_of(&case.project, run).await.unwrap();
        }
        match self {
            Self::TakeOver => {
                let call = "dynamodb BatchWriteItem results".into();
                let site = Site {
                    handler: "poll",
                    call,
                    ordinal: 1,
                };
                case.injector.arm(site, Kind::Crash);
                while !case.injector.struck() {
                    case.poll().await;
                }
            }
            Self::DeleteRun | Self::DeleteDataset => {
                let collected = |unit: &Unit| unit.state == UnitState::Collected;
                while !units.iter().any(collected) {
                    case.poll().await;
                    units = case.clean.store.units_of(&case.project, run).await.unwrap();
                }
            }
            _ => {}
        }
        stand(Some(run), path)
    }

    /// The workflow; gives the run that is to be looked at.
    pub async fn act(self, case: &Case, stand: &Stand) -> Option<RunId> {
        let path = &stand.path;
        match self {
            Self::Plain | Self::Again | Self::Waiting => return Some(case.flow().await),
            Self::LostReply | Self::TakeOver => {}
            Self::Cancel => cancel(case, path, stand.run.unwrap()).await,
            Self::Retry | Self::Rescore => {
                case.ask("api", "POST", path, None, "again").await;
            }
            Self::DeleteRun | Self::DeleteDataset | Self::DeleteFile => delete(case, path).await,
        }
        case.settle().await;
        stand.run
    }

    /// What is wrong in any case, whatever the case in which nothing failed
    /// has come to.
    pub async fn wrong(
        self,
        case: &Case,
        run: Option<RunId>,
        may_leave: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let mut wrong = match self {
            Self::DeleteDataset | Self::DeleteFile => remains(case).await,
            Self::DeleteRun => rows_of(case, run.unwrap()).await,
            _ => Vec::new(),
        };
        wrong.extend(running(case).await);
        wrong.extend(left(case).into_iter().filter(|file| !may_leave(file)));
        wrong
    }
}

fn was_tried(unit: &Unit) -> bool {
    matches!(
        unit.state,
        UnitState::Creating { .. } | UnitState::Submitted { .. }
    )
}

/// Until people are told that it is cancelled, or see that it is.
async fn cancel(case: &Case, path: &str, run: RunId) {
    for _ in 0..10 {
        match case.once("api", "POST", path, None, "cancel").await {
            Some(answer) if answer.status == 200 => return,
            Some(answer) if answer.status == 409 => {
                let found = case.clean.store.run(&case.project, run).await;
                if found.unwrap().unwrap().status == RunStatus::Cancelled {
                    return;
                }
            }
            Some(answer) if answer.status < 500 => panic!("{path}: {answer:?}"),
            _ => {}
        }
    }
    panic!("{path} has no answer");
}

/// Until people are told that it is gone.
async fn delete(case: &Case, path: &str) {
    for attempt in 0..10 {
        match case.once("api", "DELETE", path, None, "delete").await {
            Some(answer) if answer.status == 200 => return,
            // Deleted by the one whose answer did not come.
            Some(answer) if answer.status == 404 && attempt > 0 => return,
            Some(answer) if answer.status < 500 => panic!("{path}: {answer:?}"),
            _ => {}
        }
    }
    panic!("{path} has no answer");
}
