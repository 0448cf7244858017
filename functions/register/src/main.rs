//! Entry point of the `register` function.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use stt_eval_shared::aws::Patience;
use stt_eval_shared::{App, logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    let app = App::from_env_without_keys(Patience::WORK)?;
    let app = &app;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<_>| async move {
        Ok::<_, Error>(register::handle(event.payload, app).await)
    }))
    .await
}
