//! Whatever is sent, the answer is no 5xx.

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::support::routes::{OPERATIONS, Operation, Things};
use crate::support::{Expect, with};

/// Cases of one run of the test.
const CASES: usize = 250;
/// Requests under way at once.
const AT_ONCE: usize = 8;

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[ -~]{0,300}".prop_map(Value::from),
        "(file|ds|smp|run|res|key)_[0-9A-HJKMNP-TV-Z]{26}".prop_map(Value::from),
        Just(json!("\u{0}")),
        Just(json!("{a|b}")),
        Just(json!("-0")),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,12}", inner, 0..6)
                .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A change somewhere in a body.
#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    Remove,
    Wrap,
    Repeat(u8),
    Add(String, Value),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => tree().prop_map(Change::Replace),
        2 => Just(Change::Remove),
        1 => Just(Change::Wrap),
        1 => any::<u8>().prop_map(Change::Repeat),
        1 => ("[a-z_]{1,12}", tree()).prop_map(|(name, value)| Change::Add(name, value)),
    ]
}

/// Paths of every place in a value.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(list) => {
            list.iter()
                .enumerate()
                .for_each(|(n, v)| places(v, &format!("{at}/{n}"), found));
        }
        Value::Object(fields) => {
            fields
                .iter()
                .for_each(|(name, v)| places(v, &format!("{at}/{name}"), found));
        }
        _ => {}
    }
}

fn mutate(body: &mut Value, place: Index, change: Change) {
    let mut found = Vec::new();
    places(body, "", &mut found);
    let at = found[place.index(found.len())].clone();
    match change {
        Change::Remove => {
            let Some((parent, name)) = at.rsplit_once('/') else {
                return;
            };
            match body.pointer_mut(parent) {
                Some(Value::Object(fields)) => drop(fields.remove(name)),
                Some(Value::Array(list)) => drop(list.pop()),
                _ => {}
            }
        }
        change => {
            let target = body.pointer_mut(&at).unwrap();
            match change {
                Change::Replace(value) => *target = value,
                Change::Wrap => *target = json!([target.take()]),
                Change::Repeat(times) => match target {
                    Value::Array(list) if !list.is_empty() => {
                        let first = list[0].clone();
                        list.extend(vec![first; usize::from(times)]);
                    }
                    Value::String(text) => *text = text.repeat(usize::from(times)),
                    _ => {}
                },
                Change::Add(name, value) => {
                    if let Value::Object(fields) = target {
                        fields.insert(name, value);
                    }
                }
                Change::Remove => {}
            }
        }
    }
}

/// A case: which operation, its body changed, what is put into its query.
fn case(things: Things) -> impl Strategy<Value = (Operation, Option<Value>, String)> {
    // Deleting would leave the later cases nothing to work on.
    let operations: Vec<Operation> = OPERATIONS
        .into_iter()
        .filter(|operation| operation.method != "DELETE")
        .collect();
    let changes = prop::collection::vec((any::<Index>(), change()), 1..4);
    let query = prop_oneof![
        3 => Just(String::new()),
        1 => "(limit|cursor|sort|status|is_correct|dataset_id|provider|include_[a-z]{1,12})=[ -~]{0,12}",
        1 => any::<String>(),
    ];
    (any::<Index>(), changes, query).prop_map(move |(index, changes, query)| {
        let operation = operations[index.index(operations.len())];
        let mut body = operation.body(&things);
        if let Some(body) = &mut body {
            for (place, change) in changes {
                mutate(body, place, change);
            }
        }
        (operation, body, query.replace(['#', ' '], "+"))
    })
}

#[test]
fn mutated_requests_are_never_our_fault() {
    with(async |w| {
        let (things, _) = Things::make(w).await;
        // The same cases every time: a failure can be looked into.
        let mut runner = TestRunner::deterministic();
        let strategy = case(things.clone());
        let cases: Vec<_> = (0..CASES)
            .map(|_| strategy.new_tree(&mut runner).unwrap().current())
            .collect();
        let mut refused = 0;
        for batch in cases.chunks(AT_ONCE) {
            let sent = batch.iter().map(|(operation, body, query)| {
                let path = operation.at(&things);
                let glue = if path.contains('?') { '&' } else { '?' };
                let path = if query.is_empty() {
                    path
                } else {
                    format!("{path}{glue}{query}")
                };
                let request = w.request(operation.method, &path);
                w.send(match body {
                    Some(body) => request.json(body),
                    None => request,
                })
            });
            let answers = futures::future::join_all(sent).await;
            for (answer, (operation, body, query)) in answers.iter().zip(batch) {
                let what = format!("{} {}?{query} {body:?}", operation.method, operation.path);
                assert!(
                    answer.status < 500,
                    "{what}: {} {}",
                    answer.status,
                    answer.text
                );
                assert!(
                    answer.body["success"].is_boolean(),
                    "{what}: {}",
                    answer.text
                );
                if answer.status >= 400 {
                    refused += 1;
                    answer.no(answer.status);
                }
            }
        }
        assert!(refused > CASES / 4, "the mutations are too tame: {refused}");
        w.get(&format!("/runs/{}", things.run)).await.ok(200);
    });
}
