//! What batches and request documents are called at a provider.
//!
//! An account at a provider may serve several deployments, and everything in it
//! may be listed, stopped and deleted by each of them. So a name begins with the
//! id of the deployment that gave it, and its parts are kept apart by a character
//! that none of them may hold: no name of one deployment or project is ever read
//! as another's.
//!
//! Google takes 512 characters for the display name of a file and tells no limit
//! for that of a batch; the longest of these has some 160.

use super::{Unit, UnitKey};
use crate::{ProjectId, RunId};

/// Keeps the parts apart. Not in ids of deployments, names of projects, ids of
/// runs, or keys of units.
const SEPARATOR: char = '/';

/// Longest id of a deployment.
const MAX_DEPLOYMENT: usize = 64;

/// Whether a text may be the id of a deployment: 1 to 64 letters, digits and
/// hyphens.
#[must_use]
pub fn is_deployment_id(text: &str) -> bool {
    let of_id = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=MAX_DEPLOYMENT).contains(&text.len()) && text.bytes().all(of_id)
}

impl Unit {
    /// What its batch and its request document of an attempt are called at the
    /// provider by a deployment.
    #[must_use]
    pub fn display_name(&self, deployment: &str, attempt: u32) -> String {
        Self::label(deployment, &self.project, self.run, self.key, attempt)
    }

    /// The same of a unit that is not at hand.
    #[must_use]
    pub fn label(
        deployment: &str,
        project: &ProjectId,
        run: RunId,
        key: UnitKey,
        attempt: u32,
    ) -> String {
        let prefix = Self::display_prefix(deployment, project);
        format!("{prefix}{run}-{key}-a{attempt}")
    }

    /// How the names that a deployment gives for a project begin.
    #[must_use]
    pub fn display_prefix(deployment: &str, project: &ProjectId) -> String {
        format!("{deployment}{SEPARATOR}{project}{SEPARATOR}")
    }

    /// Reads a name that [`Unit::display_name`] made for this deployment and
    /// project: run, unit and attempt. `None` for every other name.
    #[must_use]
    pub fn parse_display_name(
        deployment: &str,
        project: &ProjectId,
        name: &str,
    ) -> Option<(RunId, UnitKey, u32)> {
        let rest = name.strip_prefix(deployment)?.strip_prefix(SEPARATOR)?;
        let rest = rest
            .strip_prefix(project.as_str())?
            .strip_prefix(SEPARATOR)?;
        parse_attempt(rest)
    }

    /// What release 0.1.0 called a batch. Stage and project may hold the hyphen
    /// that keeps them apart, so a name may as well be another deployment's.
    #[must_use]
    pub fn name_of_0_1(&self, stage: &str, attempt: u32) -> String {
        let Self {
            project, run, key, ..
        } = self;
        format!("{stage}-{project}-{run}-{key}-a{attempt}")
    }

    /// Reads a name that [`Unit::name_of_0_1`] may have made. Only a unit that
    /// knows the batch proves that it is ours.
    #[must_use]
    pub fn parse_name_of_0_1(
        stage: &str,
        project: &ProjectId,
        name: &str,
    ) -> Option<(RunId, UnitKey, u32)> {
        let rest = name.strip_prefix(stage)?.strip_prefix('-')?;
        let rest = rest.strip_prefix(project.as_str())?.strip_prefix('-')?;
        parse_attempt(rest)
    }

    /// The name that the batch of its last intent carries, if there is one: that
    /// of the intent, whatever the deployment is called by now.
    #[must_use]
    pub fn sought_name(&self, stage: &str) -> String {
        match &self.batch_name {
            Some(name) => name.clone(),
            None => self.name_of_0_1(stage, self.attempt),
        }
    }
}

fn parse_attempt(name: &str) -> Option<(RunId, UnitKey, u32)> {
    let (run, rest) = name.split_once('-')?;
    let (key, attempt) = rest.rsplit_once("-a")?;
    Some((run.parse().ok()?, key.parse().ok()?, attempt.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, claimed, new};
    use super::*;

    const DEPLOYMENT: &str = "51af3dc0-da77-11e4-872e-1234567db123";

    fn project(name: &str) -> ProjectId {
        name.parse().unwrap()
    }

    #[test]
    fn a_name_is_read_by_its_deployment_and_project_alone() {
        let unit = new(at(0));
        let name = unit.display_name(DEPLOYMENT, 3);
        let read = |deployment, project: &str| {
            Unit::parse_display_name(deployment, &self::project(project), &name)
        };
        let own = unit.project.as_str();
        assert_eq!(read(DEPLOYMENT, own), Some((unit.run, unit.key, 3)));
        let longer = format!("{own}-2");
        for (deployment, project) in [
            (DEPLOYMENT, &*longer),
            (DEPLOYMENT, own.get(1..).unwrap()),
            ("51af3dc0", own),
            ("", own),
            ("51af3dc0-da77-11e4-872e-1234567db124", own),
        ] {
            assert_eq!(read(deployment, project), None, "{deployment} {project}");
        }
        assert_eq!(
            Unit::parse_name_of_0_1("51af3dc0", &unit.project, &name),
            None
        );
    }

    #[test]
    fn where_a_project_ends_can_not_be_mistaken() {
        // In release 0.1.0 these two had the same names.
        let (mut one, mut other) = (new(at(0)), new(at(0)));
        one.project = project("eu-demo");
        other.project = project("demo");
        let of_0_1 = one.name_of_0_1("prod", 1);
        assert_eq!(of_0_1, other.name_of_0_1("prod-eu", 1));
        assert_ne!(
            one.display_name("prod", 1),
            other.display_name("prod-eu", 1)
        );
        let name = one.display_name("prod", 1);
        let read = Unit::parse_display_name("prod-eu", &other.project, &name);
        assert_eq!(read, None);
    }

    #[test]
    fn the_longest_name_fits_where_it_goes() {
        let mut unit = new(at(0));
        unit.project = project(&"p".repeat(ProjectId::MAX_LEN));
        unit.key = UnitKey {
            model: u8::MAX,
            round: u16::MAX,
            chunk: u16::MAX,
        };
        let name = unit.display_name(&"d".repeat(MAX_DEPLOYMENT), u32::MAX);
        assert!(name.len() <= 512, "{}", name.len());
    }

    #[test]
    fn ids_of_deployments() {
        for good in [DEPLOYMENT, "a", "local-0f", &"d".repeat(64)] {
            assert!(is_deployment_id(good), "{good}");
        }
        for bad in ["", "a/b", "a b", "é", "a_b", "a:b", &"d".repeat(65)] {
            assert!(!is_deployment_id(bad), "{bad}");
        }
    }

    #[test]
    fn an_intent_is_sought_by_the_name_that_was_written_with_it() {
        let mut unit = claimed(&new(at(0)), 1, at(0));
        assert_eq!(unit.sought_name("dev"), "deployment/batch-1");
        // Release 0.1.0 wrote none.
        unit.batch_name = None;
        assert_eq!(unit.sought_name("dev"), unit.name_of_0_1("dev", 1));
    }
}
