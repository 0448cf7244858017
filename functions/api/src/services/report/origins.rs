//! Which references of a run were words of models: what is measured by them favours
//! these models.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stt_eval_shared::domain::reference_origin::{FromModel, How, Origin};
use stt_eval_shared::wire::comparison::{Warning, WarningCode};
use stt_eval_shared::wire::report::References;

/// How often references that a run was scored against took words of models.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origins {
    /// References that began as the consensus of models, by whose words they were.
    consensus: BTreeMap<String, u64>,
    /// Of these, such as were changed before the run was scored by them.
    changed_since: u64,
    /// Other wordings that were taken, by whose words they were.
    variants: BTreeMap<String, u64>,
    /// How many references came from where.
    references: References,
}

impl Origins {
    /// Counts a reference that a result was scored against in a version.
    pub fn add(&mut self, from: &[FromModel], version: u32) {
        let origin = Origin::of(from, version);
        let counts = &mut self.references;
        match (origin.consensus, origin.is_edited) {
            (None, false) => counts.dataset += 1,
            (None, true) => counts.edited += 1,
            (Some(_), _) => counts.consensus += 1,
        }
        counts.with_variants += u64::from(!origin.variants.is_empty());
        for from in from.iter().filter(|from| from.version <= version) {
            let counts = match from.how {
                How::Consensus => &mut self.consensus,
                How::Variant => &mut self.variants,
            };
            *counts.entry(from.model.clone()).or_default() += 1;
            let is_changed = from.how == How::Consensus && from.version < version;
            self.changed_since += u64::from(is_changed);
        }
    }

    /// How many references came from where.
    #[must_use]
    pub fn references(&self) -> References {
        self.references.clone()
    }

    /// What is to be known of them before figures are trusted.
    #[must_use]
    pub fn warnings(&self, clips: u32) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let count: u64 = self.consensus.values().sum();
        if count > 0 {
            let of: Vec<String> = self
                .consensus
                .iter()
                .map(|(model, count)| format!("{model} {count}"))
                .collect();
            warnings.push(Warning {
                code: WarningCode::ReferencesFromModels,
                model: None,
                count,
                message: format!(
                    "{count} of {clips} references began as what models agreed on ({}), not as \
                     what a person heard, and {} changed since; figures favour these models, and \
                     errors that models share are not seen",
                    of.join(", "),
                    match self.changed_since {
                        0 => "none was".to_owned(),
                        1 => "1 was".to_owned(),
                        changed => format!("{changed} were"),
                    },
                ),
            });
        }
        warnings.extend(self.variants.iter().map(|(model, count)| Warning {
            code: WarningCode::VariantsFromModels,
            model: Some(model.clone()),
            count: *count,
            message: format!(
                "{count} {} of references came from {model}'s output: what it wrote counts as \
                 right since then, for every model",
                if *count == 1 { "variant" } else { "variants" },
            ),
        }));
        warnings
    }
}

#[cfg(test)]
mod tests {
    use stt_eval_shared::domain::RunId;

    use super::*;

    #[test]
    fn what_came_later_than_the_scoring_does_not_count() {
        let from = |how, model: &str, version| FromModel {
            how,
            run: RunId::mint(1, [1; 10]),
            model: model.to_owned(),
            version,
        };
        let taken = [
            from(How::Consensus, "a", 2),
            from(How::Variant, "b", 4),
            from(How::Variant, "b", 5),
        ];
        let mut origins = Origins::default();
        assert_eq!(origins.warnings(9), []);
        origins.add(&taken, 1);
        assert_eq!(origins.warnings(9), []);
        origins.add(&taken, 2);
        let told = origins.warnings(9);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].message.contains("1 of 9") && told[0].message.contains("none was changed"),
            "{told:?}"
        );
        origins.add(&taken, 4);
        origins.add(&taken, 6);
        let told = origins.warnings(9);
        let counts = told
            .iter()
            .map(|of| (of.code, of.model.as_deref(), of.count));
        assert_eq!(
            counts.collect::<Vec<_>>(),
            [
                (WarningCode::ReferencesFromModels, None, 3),
                (WarningCode::VariantsFromModels, Some("b"), 3),
            ]
        );
        assert!(told[0].message.contains("(a 3)"), "{told:?}");
        assert!(told[0].message.contains("2 were changed since"), "{told:?}");
        assert!(told[1].message.contains("3 variants"), "{told:?}");
        let counted = References {
            dataset: 1,
            edited: 0,
            consensus: 3,
            with_variants: 2,
            digest: String::new(),
        };
        assert_eq!(origins.references(), counted);
    }
}
