//! What a deployment advises in words of its contract, in words of the command line.

/// Requests about a run that are commands here.
const COMMANDS: [&str; 3] = ["retry", "rescore", "cancel"];

/// Words of the contract, and what they are called here.
const WORDS: [(&str, &str); 11] = [
    ("GET /runs/{id}", "stt-eval status RUN"),
    ("PUT /credentials/", "stt-eval credentials set "),
    ("GET /providers", "stt-eval models"),
    ("GET /languages", "stt-eval languages"),
    ("max_cost_usd", "--max-cost"),
    ("config.prompt", "--prompt"),
    ("config.normalizer", "--normalizer"),
    ("config.lossless_flac", "--lossless-flac"),
    (
        "the first request with this Idempotency-Key",
        "this command",
    ),
    (
        "ask again with the same Idempotency-Key",
        "the same command again goes on",
    ),
    (
        "Idempotency-Key: was used with another request; take a new key for a new request",
        "the same command, with other content, is under way or was begun before",
    ),
];

/// `POST /runs/ID/retry` is what `stt-eval retry ID` asks, `max_cost_usd` is `--max-cost`.
pub fn as_commands(text: &str) -> String {
    let mut text = requests(text);
    for (word, here) in WORDS {
        if text.contains(word) {
            text = text.replace(word, here);
        }
    }
    text
}

fn requests(text: &str) -> String {
    const REQUEST: &str = "POST /runs/";
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(REQUEST) {
        let (before, request) = rest.split_at(at);
        out += before;
        let path = request.get(REQUEST.len()..).unwrap_or_default();
        let command = path.split_once('/').and_then(|(id, behind)| {
            let end = behind.find(|c: char| !c.is_ascii_alphanumeric());
            let (verb, behind) = behind.split_at(end.unwrap_or(behind.len()));
            let is_id = !id.contains(char::is_whitespace);
            (is_id && COMMANDS.contains(&verb)).then_some((id, verb, behind))
        });
        match command {
            Some((id, verb, behind)) => {
                let id = if id == "{id}" { "RUN" } else { id };
                out += &format!("stt-eval {verb} {id}");
                rest = behind;
                // What goes with it is an option here.
                let with = behind.strip_prefix(" (normalizer ");
                if let Some((name, behind)) = with.and_then(|with| with.split_once(')')) {
                    out += &format!(" --normalizer {name}");
                    rest = behind;
                }
            }
            None => {
                out += REQUEST;
                rest = path;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_become_commands() {
        for (told, here) in [
            (
                "once it ended, POST /runs/run_1/retry asks again",
                "once it ended, stt-eval retry run_1 asks again",
            ),
            (
                "POST /runs/a/rescore and POST /runs/{id}/rescore, then",
                "stt-eval rescore a and stt-eval rescore RUN, then",
            ),
            (
                "POST /runs/a/transcripts; POST /runs/ x/retry",
                "POST /runs/a/transcripts; POST /runs/ x/retry",
            ),
            (
                "not scored with x; POST /runs/a/rescore (normalizer indic-v1+numbers) does that",
                "not scored with x; stt-eval rescore a --normalizer indic-v1+numbers does that",
            ),
            ("nothing", "nothing"),
            (
                "what the first request with this Idempotency-Key made has been deleted since",
                "what this command made has been deleted since",
            ),
            (
                "max_cost_usd is used up; GET /runs/{id} tells it",
                "--max-cost is used up; stt-eval status RUN tells it",
            ),
        ] {
            assert_eq!(as_commands(told), here);
        }
    }
}
