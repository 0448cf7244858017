//! What a request of the SDK is called in a list of call sites.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

/// Service, operation and what it is about: table and index, or kind of object.
pub(crate) fn name_of(request: &HttpRequest) -> String {
    match request.headers().get("x-amz-target") {
        Some(target) => {
            let (service, operation) = target.split_once('.').unwrap_or(("?", target));
            if service.starts_with("DynamoDB") {
                let body = request.body().bytes().unwrap_or_default();
                let body = serde_json::from_slice(body).unwrap_or(Value::Null);
                format!("dynamodb {operation} {}", tables(&body))
            } else if service == "Transcribe" {
                format!("transcribe {operation}")
            } else {
                format!("sqs {operation}")
            }
        }
        None => object(request),
    }
}

/// The table's own name: tests put a case's number before it.
fn table(name: &str) -> &str {
    name.split_once('.').map_or(name, |(_, name)| name)
}

fn tables(body: &Value) -> String {
    if let Some(name) = body["TableName"].as_str() {
        let index = body["IndexName"]
            .as_str()
            .map(|index| format!("/{index}"))
            .unwrap_or_default();
        return format!("{}{index}", table(name));
    }
    if let Some(tables) = body["RequestItems"].as_object() {
        return tables
            .keys()
            .map(|name| table(name))
            .collect::<Vec<_>>()
            .join("+");
    }
    let items = body["TransactItems"].as_array().into_iter().flatten();
    let mut names: Vec<&str> = items
        .filter_map(|item| item.as_object()?.values().next()?["TableName"].as_str())
        .map(table)
        .collect();
    names.dedup();
    names.join("+")
}

fn object(request: &HttpRequest) -> String {
    let uri = request.uri();
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let rest = rest.split_once('/').map_or("", |(_, rest)| rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let kind = path.split('/').nth(1).unwrap_or_default();
    let has = |name: &str| query.split('&').any(|p| p.split('=').next() == Some(name));
    let operation = match request.method() {
        "HEAD" => "HeadObject",
        "GET" if has("list-type") || has("prefix") => "ListObjects",
        "GET" => "GetObject",
        "PUT" if has("partNumber") => "UploadPart",
        "PUT" => "PutObject",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "POST" if has("delete") => "DeleteObjects",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        other => other,
    };
    format!("s3 {operation} {kind}").trim_end().to_owned()
}
