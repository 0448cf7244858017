//! What runs ask of AWS, counted by the embedded cloud.

use std::collections::BTreeMap;
use std::iter::repeat_n;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::echo::calls::{self, Trouble};
use crate::{Client, Machine, MachineOptions, echo};

/// One operation of one service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// How often it was asked for.
    pub requests: u64,
    /// DynamoDB's capacity units, in halves.
    pub half_units: u64,
}

/// By service and operation, as `dynamodb PutItem`.
pub type Counts = BTreeMap<String, Asked>;

/// The same samples by a vendor of calls and by a vendor of jobs.
#[derive(Debug, Clone, Serialize)]
pub struct CallsAndJobs {
    /// Samples of each run.
    pub samples: usize,
    /// What the run of calls asked for.
    pub calls: Counts,
    /// What the run of jobs asked for, bringing its audio to the vendor included.
    pub jobs: Counts,
}

fn counted(machine: &Machine) -> Counts {
    let counts = machine.node.counts();
    let entry = |entry: &Value| {
        let text = |name: &str| entry[name].as_str().unwrap().to_owned();
        let number = |name: &str| entry[name].as_u64().unwrap();
        let asked = Asked {
            requests: number("requests"),
            half_units: number("half_units"),
        };
        (format!("{} {}", text("service"), text("operation")), asked)
    };
    counts.as_array().unwrap().iter().map(entry).collect()
}

/// What one run asks for, from when it is accepted until it has ended.
async fn of_run(machine: &Machine, client: &Client, dataset: &str, model: &str) -> Counts {
    let before = counted(machine);
    let run = machine.run(client, dataset, &[model]).await;
    let run = machine.ended(client, &run).await;
    assert_eq!(run["status"], "completed", "{run}");
    let less = |(operation, after): (String, Asked)| {
        let before = before.get(&operation).copied().unwrap_or_default();
        let asked = Asked {
            requests: after.requests - before.requests,
            half_units: after.half_units - before.half_units,
        };
        (asked != Asked::default()).then_some((operation, asked))
    };
    counted(machine).into_iter().filter_map(less).collect()
}

/// A machine that counts, and on which calls are answered with about so many bytes.
async fn machine(calls: usize, answer_bytes: usize) -> (Machine, Client) {
    let machine = Machine::start_with(MachineOptions {
        vendors: echo::vendors(),
        metered: true,
        // Looking for work costs, whatever there is to do.
        poll_interval: Duration::from_secs(1),
        ..MachineOptions::default()
    })
    .await;
    let client = machine.client("demo");
    let account = format!("counted-{calls}");
    let body = serde_json::json!({ "api_key": account });
    client.put("/credentials/echo-calls", &body).await.data(200);
    let answers = repeat_n(Trouble::Long(answer_bytes), calls);
    calls::trouble(&account, answers);
    (machine, client)
}

async fn dataset(machine: &Machine, client: &Client, name: &str, samples: usize) -> String {
    let texts: Vec<String> = (0..samples).map(|n| format!("one two {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    machine.dataset(client, name, &texts).await
}

/// Counts a run of each kind over so many samples.
pub async fn calls_and_jobs(samples: usize, answer_bytes: usize) -> CallsAndJobs {
    let (machine, client) = machine(samples, answer_bytes).await;
    let dataset = dataset(&machine, &client, "counted", samples).await;
    // What a run of jobs leaves is tidied up in the time of the next.
    let counted = CallsAndJobs {
        samples,
        calls: of_run(&machine, &client, &dataset, calls::ECHO).await,
        jobs: of_run(&machine, &client, &dataset, "gemini-2.5-pro").await,
    };
    machine.stop().await;
    counted
}
