//! Entry point of the `submit` function.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use stt_eval_shared::{App, Deadline};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let app = &App::at_work()?;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<_>| async move {
        let deadline = Deadline::at(event.context.deadline);
        Ok::<_, Error>(submit::handle(event.payload, app, deadline).await)
    }))
    .await
}
