//! Reading which units an operator wants replayed.

use stt_eval_shared::domain::unit::UnitKey;

use super::projects::project_id;
use super::replay::{ReplayRequest, Which};

/// Units that one request replays, unless it says otherwise, and at most.
const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 100;

/// Reads what is to be replayed.
pub(super) fn wanted(
    project: &str,
    run: &str,
    unit: Option<&str>,
    after: Option<&str>,
    limit: Option<usize>,
) -> Result<ReplayRequest, String> {
    let key = |name: &str, text: &str| {
        let key = text.parse::<UnitKey>();
        key.map_err(|_| format!("{name}: must be the key of a unit, such as p00-r01-c0000"))
    };
    let which = match unit {
        Some(_) if after.is_some() || limit.is_some() => {
            return Err("unit: goes without after and limit".to_owned());
        }
        Some(unit) => Which::One(key("unit", unit)?),
        None => Which::From {
            after: after.map(|after| key("after", after)).transpose()?,
            limit: match limit.unwrap_or(DEFAULT_LIMIT) {
                limit @ 1..=MAX_LIMIT => limit,
                _ => return Err(format!("limit: must be 1 to {MAX_LIMIT}")),
            },
        },
    };
    Ok(ReplayRequest {
        project: project_id(project)?,
        run: run
            .parse()
            .map_err(|_| "run: must be the id of a run, run_…".to_owned())?,
        which,
    })
}
