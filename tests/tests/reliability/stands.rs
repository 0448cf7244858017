//! Cancelling and deleting, wherever a run stands: people have their answer at
//! once, and what was under way stops and leaves nothing.

use std::sync::Arc;

use futures::StreamExt as _;
use gemini_sim::{Fault, FaultRule, Route};
use stt_eval_shared::domain::RunId;
use stt_eval_shared::domain::unit::{Unit, UnitState};
use stt_eval_tests::fault::{Kind, Site};

use crate::failing::{end, of_model};
use crate::repeat::recounted;
use crate::rig::{Case, FLASH, Ground, Options, PRO};
use crate::state::{kept, left, remains, rows_of, running};

/// Cases at once: each waits for pauses most of the time.
const AT_ONCE: usize = 6;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stand {
    Accepted,
    Planned,
    OneSubmitted,
    OpenIntent,
    AudioOnItsWay,
    WaitingForAdmission,
    AtTheProvider,
    MadeOnceMore,
    Collecting,
    Quarantined,
    Ended,
    BeingRetried,
    BeingRescored,
    /// Cancelled, and its batches take no notice.
    BeingCancelled,
    Cancelled,
}

impl Stand {
    const ALL: [Self; 15] = [
        Self::Accepted,
        Self::Planned,
        Self::OneSubmitted,
        Self::OpenIntent,
        Self::AudioOnItsWay,
        Self::WaitingForAdmission,
        Self::AtTheProvider,
        Self::MadeOnceMore,
        Self::Collecting,
        Self::Quarantined,
        Self::Ended,
        Self::BeingRetried,
        Self::BeingRescored,
        Self::BeingCancelled,
        Self::Cancelled,
    ];

    fn settings(self) -> Vec<(&'static str, &'static str)> {
        match self {
            Self::MadeOnceMore => vec![
                ("BATCH_DEADLINE_SECONDS", "1"),
                ("RESUBMIT_BATCHES", "true"),
            ],
            Self::WaitingForAdmission => vec![("MAX_OPEN_BATCHES", "1")],
            _ => Vec::new(),
        }
    }

    /// What goes wrong, so that the run comes to stand there.
    fn faults(self) -> Vec<FaultRule> {
        let stuck = FaultRule::new(Fault::Stuck {
            state: "RUNNING".into(),
        });
        match self {
            Self::OpenIntent => vec![FaultRule::once(Fault::LoseReply).on(Route::BatchCreate)],
            Self::Quarantined => {
                vec![of_model(Fault::DropRequest, FLASH).on(Route::BatchCreate)]
            }
            Self::BeingRetried => vec![of_model(end("FAILED"), FLASH).times(1)],
            Self::BeingCancelled => vec![stuck, FaultRule::new(Fault::CancelIgnored)],
            Self::WaitingForAdmission | Self::AtTheProvider | Self::MadeOnceMore => vec![stuck],
            _ => Vec::new(),
        }
    }

    /// The call at which the invocation that works on it dies.
    fn crash(self) -> Option<Site> {
        let (handler, call, ordinal) = match self {
            Self::AudioOnItsWay => ("submit", "dynamodb PutItem files", 4),
            Self::Collecting => ("poll", "dynamodb BatchWriteItem results", 1),
            _ => return None,
        };
        Some(Site {
            handler,
            call: call.into(),
            ordinal,
        })
    }

    /// Whether it has ended, so that there is nothing to cancel.
    fn is_over(self) -> bool {
        matches!(
            self,
            Self::Quarantined
                | Self::Ended
                | Self::BeingRescored
                | Self::BeingCancelled
                | Self::Cancelled
        )
    }

    /// Brings a new run there; gives its dataset, too.
    async fn bring(self, case: &Case) -> (String, RunId) {
        for rule in self.faults() {
            case.sim.faults().add(rule);
        }
        let dataset = case.dataset().await;
        let run = case.run(&dataset, &[PRO, FLASH]).await;
        let made = (dataset, run);
        let ask = async |what: &str| {
            let path = format!("/runs/{run}/{what}");
            case.ask("api", "POST", &path, None, what).await;
        };
        if self == Self::Accepted {
            return made;
        }
        case.pump_once().await;
        match self {
            Self::Planned => return made,
            Self::OneSubmitted => {
                let messages = case.messages().await;
                case.submit(&messages[0].0).await;
                return made;
            }
            Self::AudioOnItsWay | Self::Collecting => {
                case.injector.arm(self.crash().unwrap(), Kind::Crash);
            }
            _ => {}
        }
        case.pump_once().await;
        match self {
            Self::Collecting => {
                while !case.injector.struck() {
                    case.poll().await;
                }
            }
            Self::MadeOnceMore => {
                while case.sim.batches().await.len() < 4 {
                    case.pump().await;
                    case.poll().await;
                }
            }
            Self::Quarantined | Self::Ended => case.settle().await,
            Self::BeingRetried => {
                case.settle().await;
                ask("retry").await;
            }
            Self::BeingRescored => {
                case.settle().await;
                ask("rescore").await;
            }
            Self::BeingCancelled => {
                ask("cancel").await;
                let cancelling = |unit: &Unit| {
                    matches!(
                        unit.state,
                        UnitState::Cancelling { .. } | UnitState::Cancelled
                    )
                };
                while !units(case, run).await.iter().all(cancelling) {
                    case.poll().await;
                }
            }
            Self::Cancelled => ask("cancel").await,
            _ => {}
        }
        if self == Self::BeingCancelled {
            case.sim.faults().clear();
        }
        made
    }
}

async fn units(case: &Case, run: RunId) -> Vec<Unit> {
    case.clean.store.units_of(&case.project, run).await.unwrap()
}

/// What people ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Cancel,
    DeleteRun,
    DeleteDataset,
}

async fn tried(ground: Arc<Ground>, stand: Stand, asked: Asked) {
    let about = format!("{stand:?}, {asked:?}");
    let options = Options {
        settings: stand.settings(),
        ..Options::default()
    };
    let case = Case::start(&ground, options).await;
    let (dataset, run) = stand.bring(&case).await;
    let (method, path) = match asked {
        Asked::Cancel => ("POST", format!("/runs/{run}/cancel")),
        Asked::DeleteRun => ("DELETE", format!("/runs/{run}")),
        Asked::DeleteDataset => ("DELETE", format!("/datasets/{dataset}")),
    };
    let people = api::Handler::new(case.clean.clone());
    let answer = case.asked_of(&people, method, &path, None, "stop").await;
    let refused = asked == Asked::Cancel && stand.is_over();
    let wanted = if refused { 409 } else { 200 };
    assert_eq!(answer.status, wanted, "{about}: {answer:?}");
    case.settle().await;

    match asked {
        Asked::Cancel => {
            let units = units(&case, run).await;
            assert!(units.iter().all(Unit::is_done), "{about}: {units:#?}");
            recounted(&case, run).await;
            let found = case.clean.store.run(&case.project, run).await.unwrap();
            let status = found.unwrap().status.as_str();
            let cancelled = !refused || matches!(stand, Stand::Cancelled | Stand::BeingCancelled);
            assert_eq!(status == "cancelled", cancelled, "{about}: {status}");
        }
        Asked::DeleteRun => {
            let rows = rows_of(&case, run).await;
            assert!(rows.is_empty(), "{about}: {rows:#?}");
        }
        Asked::DeleteDataset => {
            let remains = remains(&case).await;
            assert!(remains.is_empty(), "{about}: {remains:#?}");
        }
    }
    assert!(running(&case).await.is_empty(), "{about}");
    let (mut files, batches) = (left(&case), kept(&case).await);
    if stand == Stand::Quarantined && asked == Asked::Cancel {
        // A batch that turns up after all would read it.
        files.retain(|file| file != "input application/jsonl");
    }
    assert!(files.is_empty(), "{about}: {files:?}");
    assert!(batches.is_empty(), "{about}: {batches:?}");
    case.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelling_and_deleting_leave_nothing_wherever_they_strike() {
    let ground = Ground::start().await;
    let all = [Asked::Cancel, Asked::DeleteRun, Asked::DeleteDataset];
    let cases = Stand::ALL
        .into_iter()
        .flat_map(|stand| all.map(|asked| (stand, asked)));
    let cases = cases.map(|(stand, asked)| tokio::spawn(tried(ground.clone(), stand, asked)));
    let mut wrong = Vec::new();
    let mut cases = futures::stream::iter(cases).buffer_unordered(AT_ONCE);
    while let Some(done) = cases.next().await {
        wrong.extend(done.err().map(|error| error.to_string()));
    }
    assert!(wrong.is_empty(), "{} of them: {wrong:#?}", wrong.len());
}
