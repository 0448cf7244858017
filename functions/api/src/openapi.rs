//! The OpenAPI document: what the routes say of themselves, and what is true
//! of all of them.

use stt_eval_shared::App;
use stt_eval_shared::domain::validate::FieldError;
use stt_eval_shared::wire::envelope::{Refused, RefusedMeta};
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::response::Response;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "stt-eval",
        description = "Evaluates speech-to-text models: audio in, scored transcriptions out.\n\n\
            Every JSON answer is `{success, data, error, metadata}`. Unknown fields and query \
            parameters are refused by name. Lists are newest first unless they say otherwise, in \
            pages of `limit` items that go on at `metadata.next_cursor`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(Refused, RefusedMeta, FieldError)),
    security(("api_key" = []), ("bearer" = [])),
    tags(
        (name = "files", description = "Recordings and manifests"),
        (name = "datasets", description = "Recordings with references"),
        (name = "runs", description = "Models over a dataset"),
        (name = "results", description = "What a model made of a sample, and feedback"),
        (name = "catalogue", description = "Models and languages, and models of the project's own"),
        (name = "credentials", description = "Keys of providers"),
        (name = "keys", description = "API keys of the project"),
        (name = "service", description = "The service itself"),
    ),
)]
struct Base;

/// The document of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, routes) = crate::routes::all::<OpenApiRouter<App>>().split_for_parts();
    let mut document = Base::openapi();
    document.merge(routes);
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "api_key",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-KEY"))),
    );
    components.add_security_scheme(
        "bearer",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
    );
    for (path, item) in &mut document.paths.paths {
        complete(path, item);
    }
    document
}

/// Adds the answers that any route of its shape can give.
fn complete(path: &str, item: &mut PathItem) {
    let open = matches!(path, "/healthz" | "/openapi.json");
    let PathItem {
        get,
        put,
        post,
        delete,
        patch,
        ..
    } = item;
    let reads = get.iter_mut().map(|operation| (operation, false));
    let writes = [put, post, delete, patch]
        .into_iter()
        .flatten()
        .map(|op| (op, true));
    for (operation, writes) in reads.chain(writes) {
        let body = operation.request_body.is_some();
        let mut answers = vec![(
            "400",
            "It can't be read, or has an unknown field or parameter",
        )];
        if !open {
            answers.push(("401", "No valid API key"));
            answers.push(("403", "The API key may not do that"));
            answers.push((
                "422",
                "It is readable but not valid; `errors` names the fields",
            ));
            answers.push(("429", "Too many requests; see `Retry-After`"));
            answers.push(("503", "It can't be done right now; see `Retry-After`"));
        }
        if path.contains('{') {
            answers.push(("404", "There is no such thing in this project"));
        }
        if writes {
            answers.push(("409", "The state of things does not allow it"));
        }
        if body {
            answers.push(("413", "The body is too large"));
            answers.push(("415", "The body is of another type"));
        }
        for (status, description) in answers {
            add(operation, status, description);
        }
    }
}

fn add(operation: &mut Operation, status: &str, description: &str) {
    let content = Content::new(Some(Ref::from_schema_name("ErrorEnvelope")));
    let response: Response = ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .build();
    operation
        .responses
        .responses
        .entry(status.to_owned())
        .or_insert(RefOr::T(response));
}
