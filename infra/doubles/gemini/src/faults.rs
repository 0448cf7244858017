//! Failures on demand: rules, and when they strike.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::{Class, Fault};
use crate::route::Route;

/// A fault, what it is limited to, and how often it strikes.
///
/// Every condition that is set must hold. `times` counts requests, files,
/// batches or result lines, according to the fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The failure.
    pub fault: Fault,
    /// Only this operation; for requests only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// Only where the display name of the file or batch contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Only this model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Only where the API key contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// Only where the resource name (`files/…`, `batches/…`) contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Only result lines whose key contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_key: Option<String>,
    /// Let so many matches pass first.
    #[serde(default)]
    pub skip: u32,
    /// Strike so many times; without it, always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
}

impl FaultRule {
    /// A rule that always strikes.
    pub fn new(fault: Fault) -> Self {
        Self {
            fault,
            route: None,
            display_name: None,
            model: None,
            api_key: None,
            resource: None,
            item_key: None,
            skip: 0,
            times: None,
        }
    }

    /// The next time only.
    pub fn once(fault: Fault) -> Self {
        Self::new(fault).times(1)
    }

    /// Limits the rule to one operation.
    #[must_use]
    pub fn on(mut self, route: Route) -> Self {
        self.route = Some(route);
        self
    }

    /// Limits how often the rule strikes.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets so many matches pass first.
    #[must_use]
    pub fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Limits the rule to display names that contain this.
    #[must_use]
    pub fn display_name(mut self, part: impl Into<String>) -> Self {
        self.display_name = Some(part.into());
        self
    }

    /// Limits the rule to result lines whose key contains this.
    #[must_use]
    pub fn item_key(mut self, part: impl Into<String>) -> Self {
        self.item_key = Some(part.into());
        self
    }

    fn matches(&self, class: Class, route: Option<Route>, subject: &Subject<'_>) -> bool {
        let holds = |wanted: &Option<String>, found: Option<&str>| match wanted {
            None => true,
            Some(part) => found.is_some_and(|found| found.contains(part.as_str())),
        };
        self.fault.class() == class
            && (class != Class::Request
                || (self.route.is_none_or(|r| Some(r) == route)
                    && self.fault.home().is_none_or(|r| Some(r) == route)))
            && self
                .model
                .as_deref()
                .is_none_or(|model| model.trim_start_matches("models/") == subject.model)
            && holds(&self.display_name, subject.display_name.as_deref())
            && holds(&self.api_key, Some(subject.api_key))
            && holds(&self.resource, Some(&subject.resource))
            && holds(&self.item_key, subject.item_key)
    }
}

/// What rules are matched against.
#[derive(Debug, Clone, Default)]
pub(crate) struct Subject<'a> {
    pub api_key: &'a str,
    pub display_name: Option<String>,
    pub model: String,
    pub resource: String,
    pub item_key: Option<&'a str>,
}

/// What is to happen to one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub before: Duration,
    pub after: Duration,
    /// At most one that is no delay.
    pub fault: Option<Fault>,
    /// The names of all, for the ledger.
    pub names: Vec<String>,
}

#[derive(Debug)]
struct Armed {
    id: u64,
    rule: FaultRule,
    skipped: u32,
    struck: u32,
}

impl Armed {
    /// Counts a match and says whether the fault strikes.
    fn strike(&mut self) -> bool {
        if self.rule.times.is_some_and(|times| self.struck >= times) {
            return false;
        }
        if self.skipped < self.rule.skip {
            self.skipped += 1;
            return false;
        }
        self.struck += 1;
        true
    }
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    rules: Vec<Armed>,
}

/// The faults of a simulator; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Inner>>);

impl Faults {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets one more fault and returns its number.
    pub fn add(&self, rule: FaultRule) -> u64 {
        let mut inner = self.inner();
        inner.next += 1;
        let id = inner.next;
        inner.rules.push(Armed {
            id,
            rule,
            skipped: 0,
            struck: 0,
        });
        id
    }

    /// Removes all faults; batches that are stuck go on.
    pub fn clear(&self) {
        self.inner().rules.clear();
    }

    /// Removes one fault and says whether it was there.
    pub fn remove(&self, id: u64) -> bool {
        let mut inner = self.inner();
        let before = inner.rules.len();
        inner.rules.retain(|armed| armed.id != id);
        inner.rules.len() < before
    }

    /// How often a fault has struck.
    pub fn struck(&self, id: u64) -> u32 {
        let inner = self.inner();
        let armed = inner.rules.iter().find(|armed| armed.id == id);
        armed.map_or(0, |armed| armed.struck)
    }

    /// All faults: number, rule and how often it has struck.
    pub fn list(&self) -> Vec<(u64, FaultRule, u32)> {
        self.inner()
            .rules
            .iter()
            .map(|armed| (armed.id, armed.rule.clone(), armed.struck))
            .collect()
    }

    /// Counts a request and says what is to happen to it.
    pub(crate) fn plan(&self, route: Route, subject: &Subject<'_>) -> Plan {
        let mut plan = Plan::default();
        for armed in &mut self.inner().rules {
            if !armed.rule.matches(Class::Request, Some(route), subject) {
                continue;
            }
            let delay = matches!(
                armed.rule.fault,
                Fault::Delay { .. } | Fault::DelayReply { .. }
            );
            if (!delay && plan.fault.is_some()) || !armed.strike() {
                continue;
            }
            plan.names.push(armed.rule.fault.name());
            match &armed.rule.fault {
                Fault::Delay { millis } => plan.before += Duration::from_millis(*millis),
                Fault::DelayReply { millis } => plan.after += Duration::from_millis(*millis),
                fault => plan.fault = Some(fault.clone()),
            }
        }
        plan
    }

    /// Counts an uploaded file.
    pub(crate) fn for_file(&self, subject: &Subject<'_>) -> Vec<Fault> {
        let mut inner = self.inner();
        let rules = inner.rules.iter_mut();
        rules
            .filter(|armed| armed.rule.matches(Class::File, None, subject))
            .filter_map(|armed| armed.strike().then(|| armed.rule.fault.clone()))
            .collect()
    }

    /// Binds to a batch the rules that match and are not bound yet.
    pub(crate) fn bind(&self, subject: &Subject<'_>, seen: &mut Vec<u64>, bound: &mut Vec<u64>) {
        for armed in &mut self.inner().rules {
            if seen.contains(&armed.id) || !armed.rule.matches(Class::Batch, None, subject) {
                continue;
            }
            seen.push(armed.id);
            if armed.strike() {
                bound.push(armed.id);
            }
        }
    }

    /// The faults bound to a batch that have not been removed since.
    pub(crate) fn bound(&self, ids: &[u64]) -> Vec<Fault> {
        if ids.is_empty() {
            return Vec::new();
        }
        self.inner()
            .rules
            .iter()
            .filter(|armed| ids.contains(&armed.id))
            .map(|armed| armed.rule.fault.clone())
            .collect()
    }

    /// Counts a result line; at most one fault.
    pub(crate) fn for_item(&self, subject: &Subject<'_>) -> Option<Fault> {
        let mut inner = self.inner();
        let rules = inner.rules.iter_mut();
        rules
            .filter(|armed| armed.rule.matches(Class::Item, None, subject))
            .find_map(|armed| armed.strike().then(|| armed.rule.fault.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject<'a>(item_key: Option<&'a str>) -> Subject<'a> {
        Subject {
            api_key: "key-one",
            display_name: Some("run-7-a1".to_owned()),
            model: "gemini-2.5-pro".to_owned(),
            resource: "batches/x".to_owned(),
            item_key,
        }
    }

    #[test]
    fn json_is_typed_and_strict() {
        let text = r#"{"fault":{"type":"status","code":503},"route":"batch_create","times":2}"#;
        let rule: FaultRule = serde_json::from_str(text).unwrap();
        let want = Fault::Status {
            code: 503,
            message: None,
            after_commit: false,
            retry_after: None,
        };
        assert_eq!(rule, FaultRule::new(want).on(Route::BatchCreate).times(2));
        for wrong in [
            r#"{"fault":{"type":"nope"}}"#,
            r#"{"fault":{"type":"lose_reply"},"routes":"x"}"#,
            r#"{"fault":{"type":"delay","millis":1,"more":2}}"#,
        ] {
            assert!(serde_json::from_str::<FaultRule>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn skip_and_times_count_matches_only() {
        let faults = Faults::default();
        let rule = FaultRule::once(Fault::LoseReply)
            .on(Route::BatchCreate)
            .after(1);
        let id = faults.add(rule.display_name("run-7"));
        let strikes = |route| faults.plan(route, &subject(None)).fault.is_some();
        assert!(!strikes(Route::BatchGet));
        assert!(!strikes(Route::BatchCreate));
        assert!(strikes(Route::BatchCreate));
        assert!(!strikes(Route::BatchCreate));
        assert_eq!(faults.struck(id), 1);
    }

    #[test]
    fn delays_add_up_with_another_fault() {
        let faults = Faults::default();
        faults.add(FaultRule::new(Fault::Delay { millis: 5 }));
        faults.add(FaultRule::new(Fault::LoseReply));
        faults.add(FaultRule::new(Fault::DropRequest));
        let plan = faults.plan(Route::FileGet, &subject(None));
        assert_eq!(plan.before, Duration::from_millis(5));
        assert_eq!(plan.fault, Some(Fault::LoseReply));
        assert_eq!(plan.names, ["delay", "lose_reply"]);
    }

    #[test]
    fn item_rules_need_their_key() {
        let faults = Faults::default();
        faults.add(FaultRule::new(Fault::ItemMissing).item_key("s-3"));
        assert!(faults.for_item(&subject(Some("run/s-30"))).is_some());
        assert!(faults.for_item(&subject(Some("s-4"))).is_none());
        assert!(faults.for_item(&subject(None)).is_none());
    }
}
