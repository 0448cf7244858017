//! What a case has come to, without what differs from case to case.

use std::collections::BTreeMap;

use stt_eval_shared::domain::RunId;

use crate::rig::Case;

/// Everything two cases that came to the same must agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Status, counts and sums.
    pub run: String,
    /// Each item's latest outcome.
    pub results: Vec<String>,
    /// Rows by table and kind; counters with their value.
    pub rows: BTreeMap<String, usize>,
    /// Objects of the project by kind.
    pub objects: BTreeMap<String, usize>,
    /// Batches at the provider by unit: how many, and how they ended.
    pub batches: BTreeMap<String, Vec<String>>,
    /// Files and batches left at the provider.
    pub left: Vec<String>,
}

/// A sort key without ids.
fn kind(sk: &str) -> String {
    let parts = sk.split(['#', '_']).map(|part| {
        let id = part.len() >= 10 && part.bytes().any(|b| b.is_ascii_digit());
        if id { "*" } else { part }
    });
    parts.collect::<Vec<_>>().join("#")
}

/// Answers kept for repeated requests, and marks of deleted runs and of batches
/// that were counted: the table forgets them by itself.
fn goes_by_itself(sk: &str) -> bool {
    ["idem#", "gone#", "dup#"]
        .iter()
        .any(|of| sk.starts_with(of))
}

impl Summary {
    /// Of a case and the run it is about, if there is one.
    pub async fn of(case: &Case, run: impl Into<Option<RunId>>) -> Self {
        let store = &case.clean.store;
        let found = match run.into() {
            Some(run) => store.run(&case.project, run).await.unwrap(),
            None => None,
        };
        let Some(found) = found else {
            // Deleted: its rows, if any are left, are counted all the same.
            return Self::over(case, "none".into(), Vec::new()).await;
        };
        let mut results = Vec::new();
        for provider in 0..found.models.len() {
            let provider = u8::try_from(provider).unwrap();
            let entries = store.results_between(&case.project, found.id, provider, 0, 9_999);
            for entry in entries.await.unwrap() {
                let o = entry.outcome;
                results.push(format!(
                    "{provider}/{} r{} {:?} {:?} {:?} {:?} {:?} {:?} {} {:?}",
                    o.id.position(),
                    o.round,
                    o.ground_truth,
                    o.transcription,
                    o.error_code,
                    o.model_version,
                    o.score,
                    o.usage,
                    o.cost_micro_usd,
                    o.language,
                ));
            }
        }
        let run = format!(
            "{:?} round {} units {:?}/{} closing {} due {:?} {:?} {:?}",
            found.status,
            found.round,
            found.units_done,
            found.units_total.unwrap_or(0),
            found.closing,
            found.due_at,
            found.error_message,
            found.models,
        );
        Self::over(case, run, results).await
    }

    async fn over(case: &Case, run: String, results: Vec<String>) -> Self {
        let (mut rows, mut counts) = (BTreeMap::new(), BTreeMap::new());
        for (table, _) in &case.tables {
            for row in case.rows(table).await {
                let (pk, sk) = (row["pk"].as_s().unwrap(), row["sk"].as_s().unwrap());
                if pk.ends_with("#count") || sk == "#count" {
                    // Changes, folded or not.
                    let n: i64 = row["n"].as_n().unwrap().parse().unwrap();
                    *counts.entry(format!("{table} #count")).or_insert(0) += n;
                } else if !goes_by_itself(sk) {
                    *rows.entry(format!("{table} {}", kind(sk))).or_default() += 1;
                }
            }
        }
        Self {
            run,
            results,
            rows: rows
                .into_iter()
                .chain(
                    counts
                        .into_iter()
                        .map(|(table, n)| (table, usize::try_from(n).unwrap())),
                )
                .collect(),
            objects: objects(case).await,
            batches: batches(case).await,
            left: left(case).into_iter().chain(kept(case).await).collect(),
        }
    }
}

impl Summary {
    /// What another has that this one has not, and the other way round.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, mine: String, theirs: String| {
            if mine != theirs {
                found.push(format!("{what}: {mine} became {theirs}"));
            }
        };
        // The head and what is at the end of long texts is enough to go on.
        let brief = |mine: &str, theirs: &str| {
            let at = mine
                .bytes()
                .zip(theirs.bytes())
                .take_while(|(a, b)| a == b)
                .count();
            let from = |text: &str| -> String {
                text.chars().skip(at.saturating_sub(40)).take(160).collect()
            };
            if mine == theirs {
                Default::default()
            } else {
                (from(mine), from(theirs))
            }
        };
        let (mine, theirs) = brief(&self.run, &other.run);
        compare("run", mine, theirs);
        let (mine, theirs) = brief(&self.results.join("\n"), &other.results.join("\n"));
        compare("results", mine, theirs);
        let changed = |mine: &BTreeMap<String, usize>, theirs: &BTreeMap<String, usize>| {
            let only = |a: &BTreeMap<String, usize>, b: &BTreeMap<String, usize>| {
                let odd = a.iter().filter(|(k, n)| b.get(*k) != Some(*n));
                odd.map(|(k, n)| format!("{k} × {n}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            };
            (only(mine, theirs), only(theirs, mine))
        };
        for (what, mine, theirs) in [
            ("rows", &self.rows, &other.rows),
            ("objects", &self.objects, &other.objects),
        ] {
            let (mine, theirs) = changed(mine, theirs);
            compare(what, mine, theirs);
        }
        compare(
            "batches",
            format!("{:?}", self.batches),
            format!("{:?}", other.batches),
        );
        compare("left", self.left.join(", "), other.left.join(", "));
        found
    }
}

/// Objects in the bucket by kind.
pub async fn objects(case: &Case) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for key in case.objects().await {
        let kind = key.split('/').next().unwrap_or_default();
        *found.entry(kind.to_owned()).or_default() += 1;
    }
    found
}

/// Batches by unit.
pub async fn batches(case: &Case) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for batch in case.sim.batches().await {
        let name = batch.display_name.unwrap_or_default();
        let unit = name.split("-p").nth(1).unwrap_or(&name);
        let unit = unit.rsplit_once("-a").map_or(unit, |(unit, _)| unit);
        found.entry(unit.to_owned()).or_default().push(batch.state);
    }
    found
}

/// Batches left at the provider: the record of them, however they ended.
pub async fn kept(case: &Case) -> Vec<String> {
    let mut batches = case.sim.batches().await;
    batches.retain(|batch| !batch.deleted);
    let told = |b: gemini_sim::BatchView| format!("batch {:?} {}", b.display_name, b.state);
    batches.into_iter().map(told).collect()
}

/// Files left at the provider. Not those that it made itself: it refuses to delete
/// them, and they go when they expire.
pub fn left(case: &Case) -> Vec<String> {
    let files = case.sim.files().into_iter().filter(|f| !f.generated);
    files.map(|f| format!("input {}", f.mime_type)).collect()
}

/// What is left of a project that had everything deleted, and should not be.
pub async fn remains(case: &Case) -> Vec<String> {
    let mut found = Vec::new();
    for (table, _) in &case.tables {
        let mut counted = 0i64;
        for row in case.rows(table).await {
            let sk = row["sk"].as_s().unwrap().as_str();
            let count = sk == "#count" || row["pk"].as_s().unwrap().ends_with("#count");
            if count {
                counted += row["n"].as_n().unwrap().parse::<i64>().unwrap();
            }
            // What was admitted at the provider belongs to the credential; no unit that is
            // gone is in it, nor anything of one.
            let used = ["open", "left", "line"];
            let admission = sk.starts_with("room#") && !used.iter().any(|m| row.contains_key(*m));
            if !(*table == "access" || count || admission || goes_by_itself(sk)) {
                found.push(format!("{table} keeps {row:?}"));
            }
        }
        if counted != 0 && *table != "access" {
            found.push(format!("{table} counts {counted}"));
        }
    }
    let objects = objects(case).await;
    found.extend(
        objects
            .iter()
            .map(|(kind, n)| format!("{n} {kind} objects")),
    );
    found.extend(running(case).await);
    found.extend(kept(case).await);
    found
}

/// Batches that are not over.
pub async fn running(case: &Case) -> Vec<String> {
    let mut batches = case.sim.batches().await;
    batches.retain(|batch| ["PENDING", "RUNNING"].contains(&batch.state.as_str()));
    batches.iter().map(|batch| format!("{batch:?}")).collect()
}

/// Rows that name a run; those that go by themselves may.
pub async fn rows_of(case: &Case, run: RunId) -> Vec<String> {
    let run = run.to_string();
    let mut found = Vec::new();
    for (table, _) in &case.tables {
        for row in case.rows(table).await {
            let (pk, sk) = (row["pk"].as_s().unwrap(), row["sk"].as_s().unwrap());
            let names = pk.contains(&run) || sk.contains(&run);
            if names && !goes_by_itself(sk) {
                found.push(format!("{table} {pk} {sk}"));
            }
        }
    }
    found
}
