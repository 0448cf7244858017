//! What jobs are called, and where they leave what they bring.
//!
//! A job's name is unique in an account and region for as long as the job is kept, and is
//! ours to give. So it is made of nothing that a second attempt would change: deployment,
//! project, result, and round of the run, for what failed in one round is asked for anew
//! in the next. It begins with the deployment's id, and a role may touch no other names.
//!
//! `DEPLOYMENT.PROJECT.RESULT.rROUND`: 165 of the 200 characters that there may be, at most.

use crate::domain::{ProjectId, ResultId};
use crate::providers::error::CallError;
use crate::providers::http::refused_here;
use crate::providers::jobs::JobName;
use crate::providers::own_bucket::OwnBucket;

/// Keeps the parts apart. In none of them.
const SEPARATOR: char = '.';

/// The name of the job of an item.
pub(super) fn of_item(job: &JobName<'_>, key: &str) -> String {
    let (deployment, project, round) = (job.deployment, job.project, job.unit.round);
    format!("{deployment}{SEPARATOR}{project}{SEPARATOR}{key}{SEPARATOR}r{round:02}")
}

/// Keys of our bucket that are of a job.
pub(super) struct Places {
    /// Where the job leaves its transcript.
    pub(super) output: String,
    /// Where its audio is copied to, if it has to be.
    pub(super) copy: String,
}

/// Where a job has its objects: below the run that its name tells.
pub(super) fn places(bucket: &dyn OwnBucket, name: &str) -> Result<Places, CallError> {
    let begins = || {
        let mut parts = name.split(SEPARATOR).skip(1);
        let project: ProjectId = parts.next()?.parse().ok()?;
        let result: ResultId = parts.next()?.parse().ok()?;
        let round = parts.next()?;
        let prefix = bucket.left_prefix(&project, result.run());
        Some(format!("{prefix}{result}{SEPARATOR}{round}"))
    };
    let begins = begins().ok_or_else(|| refused_here("a name that is none of our jobs"))?;
    Ok(Places {
        output: format!("{begins}.json"),
        copy: format!("{begins}.audio"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RunId;
    use crate::domain::unit::UnitKey;

    #[test]
    fn a_name_fits_and_is_of_no_attempt() {
        let deployment = "d".repeat(64);
        let project: ProjectId = "p".repeat(63).parse().unwrap();
        let run = RunId::mint(5, [1; 10]);
        let key = ResultId::new(run, 255, u16::MAX).to_string();
        let job = |attempt, round| JobName {
            deployment: &deployment,
            project: &project,
            run,
            unit: UnitKey {
                model: 255,
                round,
                chunk: u16::MAX,
            },
            attempt,
            credential: "role",
        };
        let name = of_item(&job(1, u16::MAX), &key);
        let of_name = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        assert!(name.len() <= 200 && name.bytes().all(of_name), "{name}");
        assert_eq!(name, of_item(&job(2, u16::MAX), &key));
        assert_ne!(of_item(&job(1, 1), &key), of_item(&job(1, 2), &key));
    }
}
