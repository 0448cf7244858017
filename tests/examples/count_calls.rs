//! Counts what a run of calls asks of AWS beside a run of jobs, for `infra/bench/cost.py`.
//!
//! `count_calls <samples> <bytes of an answer>`; prints one line of JSON.
#![allow(clippy::print_stdout, reason = "what it is for")]

use std::error::Error;

use stt_eval_tests::asked;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(samples), Some(bytes)) = (arguments.next(), arguments.next()) else {
        return Err("usage: count_calls <samples> <bytes of an answer>".into());
    };
    let counted = asked::calls_and_jobs(samples.parse()?, bytes.parse()?).await;
    println!("{}", serde_json::to_string(&counted)?);
    Ok(())
}
