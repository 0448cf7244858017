//! What DynamoDB says that a request costs.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Operations that can be asked.
const ASKED: [&str; 9] = [
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

/// Sends a request on, with the question added to it where it has an answer;
/// gives the half units beside the response.
pub(super) async fn ask(
    request: Request<Incoming>,
    operation: &str,
    client: &Client<HttpConnector, Full<Bytes>>,
) -> Result<(Response<Full<Bytes>>, u64), Failed> {
    let (mut head, body) = request.into_parts();
    let mut body = body.collect().await?.to_bytes();
    if ASKED.contains(&operation) {
        let mut asking: Value = serde_json::from_slice(&body)?;
        asking["ReturnConsumedCapacity"] = "TOTAL".into();
        body = serde_json::to_vec(&asking)?.into();
        head.headers.remove(CONTENT_LENGTH);
    }
    let answer = client
        .request(Request::from_parts(head, Full::new(body)))
        .await?;
    let (head, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    let units = serde_json::from_slice(&body).map_or(0, |answer| half_units(&answer));
    Ok((Response::from_parts(head, Full::new(body)), units))
}

/// The sum over all tables of an answer.
fn half_units(answer: &Value) -> u64 {
    let consumed = &answer["ConsumedCapacity"];
    let tables = consumed
        .as_array()
        .map_or_else(|| std::slice::from_ref(consumed), Vec::as_slice);
    let units: f64 = tables
        .iter()
        .filter_map(|table| table["CapacityUnits"].as_f64())
        .sum();
    (units * 2.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn units_of_all_tables_are_added() {
        assert_eq!(half_units(&json!({})), 0);
        let one = json!({ "ConsumedCapacity": { "TableName": "a", "CapacityUnits": 0.5 } });
        assert_eq!(half_units(&one), 1);
        let two = json!({ "ConsumedCapacity": [
            { "TableName": "a", "CapacityUnits": 4.0 }, { "TableName": "b", "CapacityUnits": 2.0 },
        ] });
        assert_eq!(half_units(&two), 12);
    }
}
