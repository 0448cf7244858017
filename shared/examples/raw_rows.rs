//! Copies the rows of table `results` to another table by `BatchWriteItem` and
//! nothing else: what collection is compared with by `infra/bench/collection.py`.
//!
//! `raw_rows <requests at once>`, with the environment of a function; prints
//! `<rows> <seconds>`. The table is made anew and removed again.

use std::collections::HashMap;
use std::error::Error;
use std::time::Instant;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt, TryStreamExt, stream};
use stt_eval_shared::aws;
use stt_eval_shared::store::schema::TABLES;

const TABLE: &str = "raw_rows";

type Item = HashMap<String, AttributeValue>;

/// All rows of table `results`, as requests of 25. By a scan: the table is the
/// benchmark's own, and reading it is not what is timed.
async fn requests(db: &aws_sdk_dynamodb::Client) -> Result<Vec<Vec<WriteRequest>>, Box<dyn Error>> {
    let mut pages = db.scan().table_name("results").into_paginator().send();
    let mut rows: Vec<Item> = Vec::new();
    while let Some(page) = pages.next().await {
        rows.extend(page?.items.unwrap_or_default());
    }
    let put = |row: &Item| -> Result<WriteRequest, Box<dyn Error>> {
        let put = PutRequest::builder().set_item(Some(row.clone())).build()?;
        Ok(WriteRequest::builder().put_request(put).build())
    };
    rows.chunks(25)
        .map(|part| part.iter().map(put).collect())
        .collect()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let at_once: usize = std::env::args()
        .nth(1)
        .ok_or("usage: raw_rows <requests at once>")?
        .parse()?;
    let db = aws_sdk_dynamodb::Client::new(&aws::config(aws::Patience::WORK)?);
    let schema = TABLES.iter().find(|table| table.name == "results");
    let schema = schema.ok_or("there is no table `results`")?;
    schema.create(TABLE)?.send_with(&db).await?;
    let requests = requests(&db).await?;
    let rows: usize = requests.iter().map(Vec::len).sum();
    let began = Instant::now();
    stream::iter(requests)
        .map(|request| async {
            let answer = db
                .batch_write_item()
                .request_items(TABLE, request)
                .send()
                .await?;
            match answer.unprocessed_items {
                Some(left) if !left.is_empty() => Err("rows were not taken".into()),
                _ => Ok::<_, Box<dyn Error>>(()),
            }
        })
        .buffer_unordered(at_once)
        .try_collect::<()>()
        .await?;
    println!("{rows} {}", began.elapsed().as_secs_f64());
    db.delete_table().table_name(TABLE).send().await?;
    Ok(())
}
