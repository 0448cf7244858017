//! Options that choose nothing beside others: who names one means something by it, so it is told.

use crate::arguments::RunArguments;

type Asked = (&'static str, bool);

/// Names of those that were asked for.
fn listed(all: &[Asked]) -> Option<String> {
    let asked = all.iter().filter(|(_, is_asked)| *is_asked);
    let names: Vec<&str> = asked.map(|(name, _)| *name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What a run asks of models.
fn of_models(arguments: &RunArguments) -> [Asked; 3] {
    [
        ("--prompt", arguments.prompt.is_some()),
        ("--max-cost", arguments.max_cost.is_some()),
        ("--lossless-flac", arguments.lossless_flac.is_some()),
    ]
}

/// What a run ends with.
fn of_end(arguments: &RunArguments) -> [Asked; 4] {
    let gate = &arguments.gate;
    [
        ("--timeout", arguments.timeout.is_some()),
        ("--fail-if", !gate.fail_if.is_empty()),
        ("--junit", gate.junit.is_some()),
        ("--summary", gate.summary.is_some()),
    ]
}

/// Which utterances are taken, and what goes with them.
fn of_dataset(arguments: &RunArguments) -> [Asked; 3] {
    // Without a dataset of its own a run has transcripts of those that are taken.
    let takes = arguments.reading.hyp.is_empty();
    [
        ("--limit", takes && arguments.limit.is_some()),
        ("--sample-seed", takes && arguments.sample_seed.is_some()),
        ("--keyword", !arguments.keyword.is_empty()),
    ]
}

/// Of the command as a whole, before anything is done.
pub fn remarks(arguments: &RunArguments) -> Vec<String> {
    if arguments.dry_run {
        let of_run = [
            ("--limit", arguments.limit.is_some()),
            ("--sample-seed", arguments.sample_seed.is_some()),
            ("--keyword", !arguments.keyword.is_empty()),
            ("--normalizer", arguments.normalizer.is_some()),
            ("--reuse", arguments.reuse),
            ("--new", arguments.new),
            ("--detach", arguments.detach),
            ("--export", !arguments.export.is_empty()),
        ];
        let all = [&of_run[..], &of_models(arguments), &of_end(arguments)];
        let told = listed(&all.concat());
        let told = told.map(|all| {
            format!("--dry-run judges the source, all of it, and does not look at {all}")
        });
        return told.into_iter().collect();
    }
    let mut told = Vec::new();
    if arguments.detach {
        let idle = listed(&of_end(arguments));
        told.extend(
            idle.map(|all| format!("--detach waits for no result, and does not look at {all}")),
        );
    }
    if arguments.models.is_empty() && !arguments.reading.hyp.is_empty() {
        let idle = listed(&of_models(arguments));
        told.extend(idle.map(|all| format!("no -p is asked, so nothing comes of {all}")));
    }
    told
}

/// Of a dataset that is run as it is.
pub fn beside_reuse(arguments: &RunArguments) -> String {
    match listed(&of_dataset(arguments)) {
        Some(all) => format!(", and nothing comes of {all}"),
        None => String::new(),
    }
}
