//! For `infra/bench/cold_start.py`: an empty `axum` router on `lambda_http`.

use axum::Router;
use axum::routing::get;
use lambda_http::{Error, tracing};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let router = Router::new().fallback(get(async || "{}"));
    lambda_http::run(router).await
}
