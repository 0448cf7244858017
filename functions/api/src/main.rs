//! The api function in Lambda.

use api::Handler;
use lambda_http::Error;
use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use stt_eval_shared::aws::Patience;
use stt_eval_shared::{App, emf, logs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    logs::init();
    let app = App::from_env(Patience::REQUEST)?;
    emf::enable_stdout(&app.config.stack);
    let handler = Handler::new(app);
    lambda_runtime::run(service_fn(|event: LambdaEvent<_>| {
        let handler = handler.clone();
        async move { handler.respond(event.payload, event.context).await }
    }))
    .await
}
