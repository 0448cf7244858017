//! Entry point of the `submit` function.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use stt_eval_shared::aws::Patience;
use stt_eval_shared::domain::Timestamp;
use stt_eval_shared::{App, Deadline, emf, logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    let app = App::from_env_asking(Patience::WORK)?;
    emf::enable_stdout(&app.config.stack);
    let app = &app;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<_>| async move {
        let millis = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
        let deadline = Deadline::at(Timestamp::from_millis(millis));
        Ok::<_, Error>(submit::handle(event.payload, app, deadline).await)
    }))
    .await
}
