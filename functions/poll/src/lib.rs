//! Schedule → collect, score, finish, sweep.
//!
//! Each invocation asks the due indexes what there is to do and does it in
//! pieces, each of which may fail, be interrupted or be done by two at once
//! without harm. What is not reached stays due.

mod account;
mod coalesce;
mod cycle;
mod datasets;
mod discard;
mod failure;
mod files;
mod operator;
mod runs;
mod sweep;
mod units;

use futures::future::BoxFuture;
use stt_eval_shared::{App, Deadline};

pub use failure::Failure;

/// Handles a schedule event, whose payload carries nothing that is needed, so
/// anything will do and nothing is answered; or the request of an operator
/// (see `operator`), which is answered.
pub async fn handle(event: serde_json::Value, app: &App, deadline: Deadline) -> serde_json::Value {
    // No call of a provider lasts beyond this invocation.
    let app = &app.within(deadline);
    // In boxes that hide what they are: the type of all that there may be to do
    // is so deep that the compiler gives up on it.
    if let Some(request) = operator::request(&event) {
        let answer: BoxFuture<'_, serde_json::Value> =
            Box::pin(operator::handle(request, app, deadline));
        return answer.await;
    }
    let cycle: BoxFuture<'_, ()> = Box::pin(sweep::sweep(app, deadline));
    cycle.await;
    serde_json::Value::Null
}
