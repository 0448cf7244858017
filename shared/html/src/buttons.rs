//! What the API advises, in words of the pages.

use stt_eval_domain::failure::FailureCode;

use crate::texts::Text;
use crate::texts::following::Following;

/// What is advised as a request of the API, as the button of the run that asks the same;
/// codes of failures as words.
#[must_use]
pub fn by_buttons(told: &str) -> String {
    of_runs(&of_settings(told))
}

/// What is kept and made in the settings, and amounts by the names of their fields there.
fn of_settings(told: &str) -> String {
    let told = told
        .replace("max_cost_usd", &Following::MostItMayCost.to_string())
        .replace(
            "make it with POST /models first",
            "add it in the settings first",
        );
    match told.split_once("keep them with PUT /credentials/") {
        Some((before, _)) => format!("{before}keep its key in the settings first"),
        None => told,
    }
}

fn of_runs(told: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(told.len()), told);
    while let Some((before, behind)) = rest.split_once("POST /runs/") {
        let Some((_, behind)) = behind.split_once('/') else {
            break;
        };
        let end = behind
            .find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(behind.len());
        let (verb, after) = behind.split_at(end);
        out += before;
        match verb {
            "retry" => out += &format!("“{}” of the run", Text::RetryFailed),
            _ => out += &format!("“{}” of the run", Following::ScoreAgain),
        }
        rest = after;
    }
    out += rest;
    match out.split_once("(all failures: ") {
        Some((before, codes)) => {
            let codes: Vec<String> = codes.split(", ").map(in_words).collect();
            format!("{before}(all failures: {}", codes.join(", "))
        }
        None => out,
    }
}

/// A code of a failure and how often it came, in words.
fn in_words(told: &str) -> String {
    let (code, times) = told.split_once(' ').unwrap_or((told, ""));
    match FailureCode::of(code) {
        Some(FailureCode::UnsupportedByModel) => format!("can’t be taken by the model {times}"),
        _ => told.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_buttons_and_codes_are_words() {
        for (told, shown) in [
            ("nothing of it", "nothing of it"),
            (
                "once the run has ended, POST /runs/run_1/retry asks for failed items again (all \
                 failures: input_unavailable 2, no_speech 1)",
                "once the run has ended, “Retry failed” of the run asks for failed items again \
                 (all failures: input unavailable 2, no speech 1)",
            ),
            (
                "of no fault (all failures: unsupported_by_model 2, provider_error 1)",
                "of no fault (all failures: can’t be taken by the model 2, provider error 1)",
            ),
            (
                "not scored with a_b; POST /runs/run_1/rescore does that",
                "not scored with a_b; “Score again” of the run does that",
            ),
            ("POST /runs/", "POST /runs/"),
            (
                "no credentials for openai; keep them with PUT /credentials/openai first",
                "no credentials for openai; keep its key in the settings first",
            ),
            (
                "no model of its own by this name; make it with POST /models first",
                "no model of its own by this name; add it in the settings first",
            ),
            (
                "max_cost_usd is used up; give a higher one",
                "the most it may cost is used up; give a higher one",
            ),
        ] {
            assert_eq!(by_buttons(told), shown);
        }
    }
}
